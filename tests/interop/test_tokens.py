"""Token ids equal those of the tokenizers library, on real people's text in several languages and scripts."""
import numpy
import pytest

import bases
import token_reference

QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

# The two Qwen bases share one tokenizer.
REFERENCES = {
    "smollm2-135m": token_reference.smollm,
    "gemma-3-270m": token_reference.sentencepiece,
    "qwen2.5-coder-0.5b-instruct": lambda gguf: token_reference.byte_level(gguf, QWEN2),
}


@pytest.fixture(scope="module", params=REFERENCES)
def base(request):
    """The file of a base, and its reference."""
    gguf = bases.fetch(request.param)
    return gguf, REFERENCES[request.param](gguf)


def different(texts, found, reference):
    """The names of the texts whose ids are not the reference's."""
    assert len(found) == len(texts) > 0
    return [n for (n, t), ids in zip(texts.items(), found) if not numpy.array_equal(ids, reference.encode(t).ids)]


@pytest.mark.parametrize("folder", ["users", "eval"])
def test_token_ids_are_equal_on_every_file(folder, data, base, oracle):
    gguf, reference = base
    paths = sorted(path for path in (data / folder).rglob("*") if path.is_file())
    reference.encode_special_tokens = True  # in people's text they are text
    texts = {str(path): path.read_bytes().decode() for path in paths}
    assert different(texts, oracle.tokens(gguf, paths), reference) == []


def spelled_out(reference):
    """Texts with each of a few special tokens between words, spaces and each other."""
    names = [token.content for token in reference.get_added_tokens_decoder().values()][:40]
    return {name: f"{name}Hello {name} world{name}{name}\n  {name}  1234" for name in names}


@pytest.mark.parametrize("specials", ["as_text", "parse"])
def test_special_tokens_that_are_spelled_out(specials, base, oracle, tmp_path):
    gguf, reference = base
    reference.encode_special_tokens = specials == "as_text"
    check_texts(spelled_out(reference), gguf, reference, oracle, tmp_path, specials)


def test_gpt_neox_json(data, oracle, tmp_path):
    from tokenizers import Tokenizer

    folder = data / "tokenizers" / "gpt-neox"
    vectors = (data / "tokenizers" / "llama.cpp" / "ggml-vocab-gpt-2.gguf.inp").read_bytes().decode()
    texts = dict(enumerate(vectors.split("\n__ggml_vocab_test__\n")))
    assert len(texts) == 47
    check_texts(texts, folder, Tokenizer.from_file(str(folder / "tokenizer.json")), oracle, tmp_path, "parse")


def check_texts(texts, source, reference, oracle, folder, specials):
    paths = []
    for number, text in enumerate(texts.values()):
        paths.append(folder / f"text-{number}")
        paths[-1].write_bytes(text.encode())
    assert different(texts, oracle.tokens(source, paths, specials), reference) == []
