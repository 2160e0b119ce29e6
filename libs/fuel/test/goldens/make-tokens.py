"""Writes a byte-pair vocabulary and its merges, and the numbers of some texts by it, in this folder: run it with Hugging Face's `tokenizers`."""
import json
import os

from tokenizers import ByteLevelBPETokenizer

folder = os.path.dirname(os.path.abspath(__file__))
TEXTS = [
    "", " ", "the", "the theory of the thing", "They're here; it'll do, won't it?", "  two  spaces\tand\na line \n",
    "größe 大きい 🙂🙂", "12345 of 678", "x" * 41, "the  other   thing", "a\u00a0b\u2003c\u200bd", "e\u0301 ½ ²", "don't DON'T I'M", "\x1f\x85\ufeff",
]
tokenizer = ByteLevelBPETokenizer()
tokenizer.train_from_iterator(
    ["the theory of the other thing they think there", "größe of the thing", "12 of 345 x xx xxx", "they're here, it'll do"] * 3,
    vocab_size=330,
    min_frequency=2,
)
tokenizer.save_model(folder, "byte-pairs")
with open(os.path.join(folder, "byte-pairs.json"), "w") as file:
    json.dump([{"text": text, "numbers": tokenizer.encode(text).ids} for text in TEXTS], file)
