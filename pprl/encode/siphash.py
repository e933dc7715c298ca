"""SipHash-2-4, a keyed pseudo-random function of short messages (Aumasson and Bernstein 2012).

`siphash` is the definition for one message. `absorb` and `finish` are the same for the 8-byte words of many messages
at once, as NumPy arrays; numba also compiles them, for one message at a time.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_MASK = 2**64 - 1
_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_START0, _START1, _START2, _START3 = (np.uint64(word) for word in _START)
_13, _16, _17, _21, _32, _43, _47, _48, _51 = (np.uint64(bits) for bits in (13, 16, 17, 21, 32, 43, 47, 48, 51))
_FINAL = np.uint64(0xFF)

State = tuple[Any, Any, Any, Any]


def siphash(key: bytes, message: bytes) -> int:
    """64 bits for a message under a 16-byte key; their little-endian bytes are the tag of the paper.

    >>> hex(siphash(bytes(range(16)), bytes(range(15))))  # Appendix A
    '0xa129ca6149be45e5'
    """

    k0, k1 = struct.unpack("<QQ", key)
    state: list[int] = [start ^ half for start, half in zip(_START, (k0, k1, k0, k1), strict=True)]
    padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) % 256])
    for (word,) in struct.iter_unpack("<Q", padded):
        state[3] ^= word
        state = _plain_round(_plain_round(state))
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(4):
        state = _plain_round(state)
    v0, v1, v2, v3 = state
    return v0 ^ v1 ^ v2 ^ v3


def _plain_round(state: list[int]) -> list[int]:
    def rotate(word: int, bits: int) -> int:
        return (word << bits | word >> 64 - bits) & _MASK

    v0, v1, v2, v3 = state
    v0, v2 = (v0 + v1) & _MASK, (v2 + v3) & _MASK
    v1, v3 = rotate(v1, 13) ^ v0, rotate(v3, 16) ^ v2
    v0, v2 = (rotate(v0, 32) + v3) & _MASK, (v2 + v1) & _MASK
    return [v0, rotate(v1, 17) ^ v2, rotate(v2, 32), rotate(v3, 21) ^ v0]


def key_words(key: bytes) -> tuple[np.uint64, np.uint64]:
    """The halves of a 16-byte key, as `start` takes them."""
    low, high = struct.unpack("<QQ", key)
    return np.uint64(low), np.uint64(high)


def start(k0: Any, k1: Any) -> State:
    """The state before the first word."""
    return k0 ^ _START0, k1 ^ _START1, k0 ^ _START2, k1 ^ _START3


def absorb(v0: Any, v1: Any, v2: Any, v3: Any, word: Any) -> State:
    """The state after one more word."""
    v3 = v3 ^ word
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


def finish(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    """The 64 bits of a message whose last word was absorbed."""
    v2 = v2 ^ _FINAL
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def sip_round(v0: Any, v1: Any, v2: Any, v3: Any) -> State:
    v0, v2 = v0 + v1, v2 + v3
    v1, v3 = ((v1 << _13) | (v1 >> _51)) ^ v0, ((v3 << _16) | (v3 >> _48)) ^ v2
    v0, v2 = ((v0 << _32) | (v0 >> _32)) + v3, v2 + v1
    v1, v3 = ((v1 << _17) | (v1 >> _47)) ^ v2, ((v3 << _21) | (v3 >> _43)) ^ v0
    return v0, v1, (v2 << _32) | (v2 >> _32), v3


INLINED = {helper: {"forceinline": True} for helper in (start, absorb, finish, sip_round)}  # for `numba_cache.compiled`
