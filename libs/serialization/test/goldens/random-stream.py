"""Prints the numbers that the tests of RandomStream, RandomAt and KeyedPermutation expect, from a port of its own.

Run: python3 random-stream.py
"""
import hashlib
import json
import math


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def digest(origin):
    return hashlib.sha256(json.dumps(origin, separators=(",", ":")).encode()).digest()


def words(origin):
    d = digest(origin)
    w = [int.from_bytes(d[i:i + 4], "little") for i in range(0, 16, 4)]
    block = 0
    while True:
        yield from philox((block & 0xFFFFFFFF, block >> 32, w[2], w[3]), (w[0], w[1]))
        block += 1


def integer(stream, bound):
    limit = 2**32 - 2**32 % bound
    while True:
        word = next(stream)
        if word < limit:
            return word % bound


def stage_key(seed, stage):
    d = digest(["stage", seed, stage])
    return int.from_bytes(d[:4], "little"), int.from_bytes(d[4:8], "little")


def permuted(place, key, epoch, count):
    lefts = max(2, 2 * math.ceil(math.sqrt(count) / 2))
    rights = -(-count // lefts)

    def shift(r, half, bound):
        upper, lower, _, _ = philox((half, epoch, r, 0x80000000), key)
        return ((upper >> 5) * 2**26 + (lower >> 6)) * bound >> 53

    left, right = divmod(place, rights)
    while True:
        for r in range(0, 40 if count < 64 else 16 if count < 2**16 else 8, 2):
            left = (left + shift(r, right, lefts)) % lefts
            right = (right + shift(r + 1, left, rights)) % rights
        if left * rights + right < count:
            return left * rights + right


root = ["stream", 1, "shuffle"]
stream = words(root)
print("words", [next(stream) for _ in range(5)])
stream = words(["fork", digest(root).hex()[:32], 3])
order = list(range(8))
for last in range(7, 0, -1):
    other = integer(stream, last + 1)
    order[last], order[other] = order[other], order[last]
print("permutation", order)
stream = words(root)
print("uniform", repr(((next(stream) >> 5) * 2**26 + (next(stream) >> 6)) / 2**53))

index = 2**40 + 3
blocks = [philox((block, 2, index & 0xFFFFFFFF, index >> 32), stage_key(1, "crop")) for block in range(2)]
print("randomAt", sum(blocks, [])[:6])
key = stage_key(1, "order")
print("few", [permuted(place, key, 3, 10) for place in range(10)])
print("many", [permuted(place, key, 3, 10_000_000) for place in (0, 1, 9_999_999)])
print("last", permuted(2**53 - 1, key, 3, 2**53))
