"""Token ids equal those of the tokenizers library, on real people's text in several languages and scripts."""
import numpy
import pytest


@pytest.mark.parametrize("folder", ["users", "eval"])
def test_token_ids_are_equal_on_every_file(folder, data, gguf, tokenizer, oracle):
    paths = sorted(path for path in (data / folder).rglob("*") if path.is_file())
    assert paths
    found = oracle.tokens(gguf, paths)
    assert len(found) == len(paths)
    different = []
    for path, ids in zip(paths, found):
        expected = tokenizer.encode(path.read_bytes().decode()).ids
        if not numpy.array_equal(ids, expected):
            different.append(str(path.relative_to(data)))
    assert different == []
