"""What the comparisons share. Whatever is missing skips them by name, except in continuous integration."""
import os
from pathlib import Path

import pytest

import oracle as tern
import reference


def missing(what):
    (pytest.fail if "CI" in os.environ else pytest.skip)(what)


def print_row(base, convention, context, tokens, expected, found):
    """Of the table of perplexities in docs/file_formats.md."""
    print(f"\n| {base} | {convention} | {context} | {tokens:.0f} | {expected:.5f} | {found:.5f} | {found / expected - 1:+.1e} |")


@pytest.fixture
def oracle(tmp_path):
    if not tern.program().exists():
        missing(f"{tern.program()} is not built: cmake --build --preset release --target tern-oracle")
    return tern.Oracle(tmp_path)


@pytest.fixture(scope="session")
def data():
    folder = Path(os.environ.get("TERN_TEST_DATA") or tern.SOURCE.parent / "shared" / "data")
    if not folder.is_dir():
        missing(f"the shared data is not at {folder}; TERN_TEST_DATA may name another folder")
    return folder


@pytest.fixture(scope="session")
def gguf():
    try:
        return reference.smollm2()
    except Exception as error:
        missing(f"SmolLM2-135M cannot be had: {error}")


@pytest.fixture(scope="session")
def tokenizer(gguf):
    return reference.tokenizer(gguf)


@pytest.fixture(scope="session")
def model(gguf):
    return reference.model(gguf)


@pytest.fixture(scope="session")
def twin(model):
    """The same in float64."""
    return reference.exact(model)


@pytest.fixture(scope="session")
def wikitext(data, tokenizer):
    """The first 20,000 tokens of WikiText-2's test set."""
    text = (data / "eval" / "wikitext-2-raw" / "wiki.test.canonical.raw").read_bytes().decode()
    return tokenizer.encode(text).ids[:20_000]
