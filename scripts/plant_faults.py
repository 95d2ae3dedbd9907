#!/usr/bin/env python3
"""Plants faults in the library, one at a time, and asks the tests: each must be caught.

    scripts/plant_faults.py [--compiler g++] [--jobs 2] [PART-OF-A-PATH...]

tests/faults.txt lists them: the file, what stands there once, what stands there instead, and the test that must fail.
A test that passes with a fault in what it tests is no test: then this exits with 1, as it does where a fault no longer
fits its file. Of files for other processors nothing is planted.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parents[1]
listed = root / "tests" / "faults.txt"
compiled_kernels = ["-DTERN_COMPILED_KERNELS"]


def faults():
    """(file, from, to, test) of each paragraph."""
    for paragraph in re.split(r"\n\s*\n", listed.read_text()):
        fields = dict(re.findall(r"^(file|from|to|test): ?(.*)$", paragraph, re.M))
        if fields:
            yield fields["file"], fields["from"], fields["to"], fields["test"]


def eigen():
    """Where the compiler finds Eigen."""
    found = subprocess.run(["pkg-config", "--cflags", "eigen3"], capture_output=True, text=True)
    return found.stdout.split() if found.returncode == 0 else ["-I/usr/include/eigen3"]


def compile_and_run(test, include, folder, support, compiler):
    """How the test ended with these headers: "passed", "caught", or what was wrong with the compilation."""
    program = folder / "test"
    command = [*compiler.split(), "-std=c++20", "-O1", "-w", "-I", include, "-I", root / "tests", "-I", root / "benchmarks",
               "-I", root / "examples", *eigen(), root / "tests" / test, *support, "-o", program, "-lpthread"]
    built = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if built.returncode != 0:
        return "does not compile: " + built.stderr[:500]
    try:
        ran = subprocess.run([program], capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "caught"
    return "passed" if ran.returncode == 0 else "caught"


def plant(fault, support, compiler):
    file, old, new, test = fault
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(root / "include", folder / "include")
        planted = folder / "include" / "tern" / file
        text = planted.read_text()
        if text.count(old) != 1:
            return f"stands there {text.count(old)} times"
        planted.write_text(text.replace(old, new))
        return compile_and_run(test, folder / "include", folder, support["kernels" if file.startswith("kernels/") else "above"],
                               compiler)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("parts", nargs="*", help="only faults in files with this in their path")
    options = parser.parse_args()
    chosen = [f for f in faults() if not options.parts or any(p in f[0] for p in options.parts)]
    missed = 0
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        def compiled(source):
            to = Path(name) / f"{source.stem}.o"
            subprocess.run([*options.compiler.split(), "-std=c++20", "-O1", *compiled_kernels, "-I", str(root / "include"), "-I",
                            str(root / "tests"), "-c", str(source), "-o", str(to)], check=True)
            return to

        # Above the kernels, tests share one compilation of them.
        support = {"kernels": [compiled(root / "tests" / "support" / f"{name}.cpp") for name in ["main", "no_allocation"]]}
        if any(not f[0].startswith("kernels/") for f in chosen):
            support["above"] = [*compiled_kernels, *support["kernels"], compiled(root / "cmake" / "compiled_kernels.cpp")]
        for fault, how in zip(chosen, pool.map(lambda f: plant(f, support, options.compiler), chosen)):
            missed += how != "caught"
            print(f"{'caught' if how == 'caught' else 'NOT CAUGHT'}  {fault[0]}: {fault[1]} -> {fault[2]}"
                  + ("" if how == "caught" else f"  ({how})"), flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
