"""SipHash-2-4 equals its published vectors, one message at a time and many at once."""

import struct

import numpy as np
import pytest

from pprl.encode.siphash import absorb, finish, key_words, siphash, start

KEY = bytes(range(16))
# Of the messages of 0 to 63 bytes 00 01 02 …: `vectors_sip64` of the reference implementation by the authors of
# SipHash (https://github.com/veorq/SipHash, CC0). That of 15 bytes is the example of their paper, appendix A.
TAGS = """
    310e0edd47db6f72 fd67dc93c539f874 5a4fa9d909806c0d 2d7efbd796666785 b7877127e09427cf 8da699cd64557618
    cee3fe586e46c9cb 37d1018bf50002ab 6224939a79f5f593 b0e4a90bdf82009e f3b9dd94c5bb5d7a a7ad6b22462fb3f4
    fbe50e86bc8f1e75 903d84c02756ea14 eef27a8e90ca23f7 e545be4961ca29a1 db9bc2577fcc2a3f 9447be2cf5e99a69
    9cd38d96f0b3c14b bd6179a71dc96dbb 98eea21af25cd6be c7673b2eb0cbf2d0 883ea3e395675393 c8ce5ccd8c030ca8
    94af49f6c650adb8 eab8858ade92e1bc f315bb5bb835d817 adcf6b0763612e2f a5c91da7acaa4dde 716595876650a2a6
    28ef495c53a387ad 42c341d8fa92d832 ce7cf2722f512771 e37859f94623f3a7 381205bb1ab0e012 ae97a10fd434e015
    b4a31508beff4d31 81396229f0907902 4d0cf49ee5d4dcca 5c73336a76d8bf9a d0a704536ba93e0e 925958fcd6420cad
    a915c29bc8067318 952b79f3bc0aa6d4 f21df2e41d4535f9 87577519048f53a9 10a56cf5dfcd9adb eb75095ccd986cd0
    51a9cb9ecba312e6 96afadfc2ce666c7 72fe52975a4364ee 5a1645b276d592a1 b274cb8ebf87870a 6f9bb4203de7b381
    eaecb2a30b22a87f 9924a43cc1315724 bd838d3aafbf8db7 0b1a2a3265d51aea 135079a3231ce660 932b2846e4d70666
    e1915f5cb1eca46c f325965ca16d629f 575ff28e60381be5 724506eb4c328a95
""".split()  # noqa: SIM905


@pytest.mark.parametrize("length", range(64))
def test_published_vectors(length):
    assert siphash(KEY, bytes(range(length))).to_bytes(8, "little").hex() == TAGS[length]


@pytest.mark.parametrize("length", [0, 4, 7, 8, 15, 24])
def test_many_messages_at_once(length):
    rng = np.random.default_rng(length)
    key, messages = rng.bytes(16), [rng.bytes(length) for _ in range(20)]
    padded = [message + bytes(-(length + 1) % 8) + bytes([length]) for message in messages]
    words = np.array([struct.unpack(f"<{length // 8 + 1}Q", text) for text in padded], dtype=np.uint64).T
    state = start(*(np.full(20, half) for half in key_words(key)))
    for word in words:
        state = absorb(*state, word)
    assert finish(*state).tolist() == [siphash(key, message) for message in messages]
