#!/usr/bin/env python3
"""Trains the bundled base's tokenizer: byte-level BPE, every digit alone, then GPT-2's splitting (pre-tokenizer "smollm").

Usage: train_tokenizer.py FOLDER OUT.json [--size 8192]     (needs the `tokenizers` package)
"""
import argparse
import pathlib

from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=pathlib.Path, help=".txt and .md files")
parser.add_argument("out", help="where tokenizer.json goes")
parser.add_argument("--size", type=int, default=8192, help="entries of the vocabulary")
arguments = parser.parse_args()

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=arguments.size,
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
books = sorted(path for path in arguments.folder.iterdir() if path.suffix in (".txt", ".md") and path.name != "SOURCE.md")
files = [str(book) for i, book in enumerate(books) if i % 20 != 10]  # the others are held out, as in main.cpp
if not files:
    raise SystemExit(f"{arguments.folder}: expected .txt or .md files, found none")
tokenizer.train(files, trainer)
tokenizer.save(arguments.out)
print(f"{arguments.out}: {tokenizer.get_vocab_size()} entries from {len(files)} files")
