"""Write the vectors of the exchange: `python tests/vectors/exchange_vectors.py`.

A second implementation of what the parties send each other, from the standard library and the primitives of
`cryptography`; it imports nothing of pprl. So a vector that pprl reads says that two programs agree. Two things are
written:

- `tests/data/exchange`: one small matter, whole: three keystores, cards, proposal, acceptance, commitments, receipt,
  both packages, and the signed scores. If pprl does not read it any more, the format has changed.
- `tests/vectors/exchange`: one file for each vector, after the testkit of age: a few lines of text, an empty line, and
  bytes. There is one thing wrong in it, or nothing, and `expect:` says which kind of error that is. `step:` says what
  is done with the bytes; they are the file called `file:` in the `folder:` of a party of the matter above.

Everything comes from fixed seeds, so that writing again changes nothing. HPKE alone cannot be repeated: what is sealed
is kept in `seals.json` and sealed anew only when it does not open any more.

A package has a mebibyte for each segment, which cannot be compressed. So of the packages of the matter only the
preamble and the sealed header are kept; the test seals the rows behind them, with `package` below and not with the code
under test. A vector of a package is the difference from the good one, as JSON: what `package` is called with.

All names, keys and passphrases here are made up, and nothing is protected by them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from fractions import Fraction
from functools import cache
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

HERE = Path(__file__).parent
VECTORS = HERE / "exchange"
MATTER = HERE.parent / "data" / "exchange"
WORDS = HERE.parents[1] / "pprl" / "exchange" / "protocol" / "words.txt"
PASSPHRASE = "seven made up words of a vector"
HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
SEALED = 1_136  # bytes that a seal is longer than what is in it
SHARE = 32 + SEALED
SEGMENT, HEADER_SEGMENT = 1 << 20, 1 << 13
PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493  # of Curve25519, as PRIME is its field

# ---------------------------------------------------------------- docs/protocol.md, section by section


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def made_up(what: str, size: int = 32) -> bytes:
    return hashlib.shake_256(b"vectors of the exchange: " + what.encode()).digest(size)


def hkdf(secret: bytes, salt: bytes, info: bytes, size: int = 32) -> bytes:
    """RFC 5869."""
    key, block, told = hmac.digest(salt or bytes(32), secret, "sha256"), b"", b""
    for at in range(1, -(-size // 32) + 1):
        block = hmac.digest(key, block + info + bytes([at]), "sha256")
        told += block
    return told[:size]


def argon(secret: bytes, salt: bytes, memory: int) -> bytes:
    return Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=memory).derive(secret)


def text_of(body: object) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


class Party:
    """Somebody with keys; ``name`` is the seed of them all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seeds = made_up(f"{name}, signing"), made_up(f"{name}, kem", 64), made_up(f"{name}, x25519")
        self.seed = made_up(f"{name}, seed")
        self._signing = Ed25519PrivateKey.from_private_bytes(self.seeds[0])
        self._kem = MLKEM768PrivateKey.from_seed_bytes(self.seeds[1])
        self._x25519 = X25519PrivateKey.from_private_bytes(self.seeds[2])

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def public(self) -> dict[str, str]:
        keys = {"signing": self._signing, "kem": self._kem, "x25519": self._x25519}
        return {name: key.public_key().public_bytes_raw().hex() for name, key in keys.items()}

    def seal(self, plain: bytes, info: bytes) -> bytes:
        """For this party; another time other bytes."""
        public = MLKEM768X25519PublicKey(self._kem.public_key(), self._x25519.public_key())
        return HPKE.encrypt(plain, public, info)

    def opens(self, sealed: bytes, plain: bytes, info: bytes) -> bool:
        try:
            return HPKE.decrypt(sealed, MLKEM768X25519PrivateKey(self._kem, self._x25519), info) == plain
        except Exception:
            return False


LIST, REGISTRY, UNIT, OUTSIDER = map(Party, ("list", "registry", "unit", "outsider"))
PARTIES = {"list": LIST, "registry": REGISTRY, "unit": UNIT}
ROLES = (*PARTIES, "auditor")


@cache
def seals() -> dict[str, str]:
    path = MATTER / "seals.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def kept(name: str, party: Party, plain: bytes, info: bytes) -> bytes:
    """A seal that stays the same from one writing to the next."""
    sealed = bytes.fromhex(seals().get(name, ""))
    if not party.opens(sealed, plain, info):
        sealed = party.seal(plain, info)
        seals()[name] = sealed.hex()
    return sealed


def statement(
    kind: str,
    body: object,
    signer: Party,
    attachment: bytes = b"",
    *,
    version: int = 2,
    suite: int = 1,
    text: bytes | None = None,
    said: str = "",
) -> bytes:
    """A signed file; ``text`` in place of the body's one form, ``said`` the kind under the signature."""
    text = text_of(body) if text is None else text
    start = struct.pack("<8sHHI", kind.encode(), version, suite, len(text))
    signed = struct.pack("<8s", (said or kind).encode()) + start[8:] + text
    signature = signer.sign(b"pprl/1/statement\0" + signed)
    return start + struct.pack("<Q", len(attachment)) + text + signature + attachment


def parts_of(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Header, body, signature and attachment of a file with one statement."""
    size, attached = struct.unpack_from("<IQ", data, 12)
    assert len(data) == 24 + size + 64 + attached
    return data[:24], data[24 : 24 + size], data[24 + size : 88 + size], data[88 + size :]


def body_of(data: bytes) -> dict:
    return json.loads(parts_of(data)[1])


def hash_of(data: bytes) -> bytes:
    header, text, signature, _ = parts_of(data)
    return sha(header[:16], text, signature)


def detached(data: bytes) -> bytes:
    header, text, signature, _ = parts_of(data)
    return header[:16] + bytes(8) + text + signature


def card(role: str, party: Party, /, *, signer: Party | None = None, **changed: object) -> bytes:
    named = {"list": "Newsroom Alfa", "registry": "Bravo", "unit": "University", "auditor": "Charlie"}
    body = {"expires": "2099-12-31", "matter": "lugovo-2022", "name": named.get(role, role), "role": role}
    return statement("pprl-crd", {**body, **party.public(), **changed}, signer or party)


CARDS = {role: card(role, party) for role, party in PARTIES.items()}
CARD_HASHES = [hash_of(each).hex() for each in CARDS.values()]


def words(cards: list[bytes], role: str) -> str:
    """The ten words that the holder of a card reads aloud."""
    stretched = argon(sha(b"pprl/1/cards\0", *map(hash_of, cards)), b"pprl/1/words\0\0\0\0", 256 * 1024)
    listed = [line for line in WORDS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    draws = struct.unpack("<10Q", hkdf(stretched, b"", b"pprl/1/words/" + role.encode(), 80))
    return " ".join(listed[draw % 7776] for draw in draws)


SCHEMA = """\
format = 1
name = "lugovo"

[encoding]            # this, the linked fields and the tables of this version decide the bits
hardening = "standard"

[policy]              # how the result is judged
false_match_rate = 0.05
decoys = 1           # made-up rows for each real one
disclosure = 5

[fields.surname]
type = "surname"

[fields.given]
type = "given"

[fields.birth_date]
type = "date"

[fields.service]
type = "category"
role = "stratum"

[fields.token]
type = "identifier"
role = "confirm"
"""
LENGTH = 8192  # bits of an encoding of these fields
#: Handle, encoding and nonce; one tag or tag id and tag; the hash of a list's label, or three digits.
WIDTHS = {"list": 16 + LENGTH // 8 + 16 + 16 + 32, "registry": 16 + LENGTH // 8 + 16 + 32 + 3}
PAD = (1 << 20) // WIDTHS["list"] + 1  # a package of the list fills two segments, one of the registry one
TERMS = {
    "earlier_runs": 0,
    "expires": "2099-12-31",
    "fingerprint": made_up("fingerprint").hex(),
    "folding": made_up("folding").hex(),  # no table is like this: the vectors outlive the tables
    "list_people": [2, 10],
    "outputs": {"auditor": ["audit"], "list": ["report", "pairs"], "registry": ["report"]},
    "pad": PAD,
    "plain": "no",
    "registry_rows": [20, 100],
    "runs": 1,
    "schema": SCHEMA,
    "strata": {"service": ["dobrovolec", "kontrakt", "mobilizaciya"]},
    "unit_is": "neither",
}


def share_info(role: str, body: dict) -> bytes:
    return b"pprl/1/share/" + role.encode() + b"\0" + sha(text_of(body))


LIST_SHARE, REGISTRY_SHARE = made_up("share of the list"), made_up("share of the registry")


def proposal(
    seal: str,
    *,
    terms: object = TERMS,
    answers: list[str] = CARD_HASHES,
    signer: Party = LIST,
    sealed_for: Party = REGISTRY,
    sealed_with: object = None,
    **changed: object,
) -> bytes:
    """``seal`` names the seal that is kept, "" where nobody opens it; ``sealed_with`` are other terms under it."""
    body = {"answers": answers, "nonce": made_up("nonce of the list").hex(), "terms": terms}
    under = share_info("list", {**body, "terms": sealed_with or terms})
    sealed = kept(seal, sealed_for, LIST_SHARE, under) if seal else made_up("no seal", SHARE)
    return statement("pprl-prp", {**body, "share": sha(sealed).hex(), **changed}, signer, sealed)


PROPOSAL = proposal("share of the list")


def acceptance(
    seal: str,
    *,
    of: bytes = PROPOSAL,
    signer: Party = REGISTRY,
    sealed_for: Party = LIST,
    sealed_as: str = "registry",
    said: str = "",
    **changed: object,
) -> bytes:
    body = {"answers": [hash_of(of).hex()], "nonce": made_up("nonce of the registry").hex()}
    sealed = kept(seal, sealed_for, REGISTRY_SHARE, share_info(sealed_as, body)) if seal else made_up("no seal", SHARE)
    return statement("pprl-acc", {**body, "share": sha(sealed).hex(), **changed}, signer, sealed, said=said)


ACCEPTANCE = acceptance("share of the registry")
AGREEMENT = sha(b"pprl/1/agreement\0", hash_of(PROPOSAL), hash_of(ACCEPTANCE))
LINKAGE_KEY = hkdf(LIST_SHARE + REGISTRY_SHARE, AGREEMENT, b"pprl/1/linkage")
KEY_CHECK = made_up("key check", 16)
TABLES = made_up("folding") + made_up("fingerprint") + KEY_CHECK


def stamp(hardening: str, length: int, count: int = 1) -> bytes:
    """The parameters of encodings (docs/encoding.md §7)."""
    return struct.pack("<B16sI140x", count, hardening.encode(), length) + TABLES


STAMP = stamp("standard", LENGTH)
COUNTS = {"list": 6, "registry": 24}


def label(
    at: int,
    /,
    *,
    kind: int | None = None,
    completeness: int = 1,
    eligible: int = 0,
    person: int | None = None,
    stratum: int = -1,
    filled: str = "222",
) -> bytes:
    """§7: the label of a row with its nonce: three people, two decoys and a relative."""
    own = (0, 0, 0, 1, 1, 2)[at] if kind is None else kind
    fixed = struct.pack("<BBBIh", own, completeness, eligible, at % 3 if person is None else person, stratum)
    return made_up(f"label nonce {at}", 16) + fixed + filled.encode()


LABELS = [label(at) for at in range(COUNTS["list"])]


def rows_of(side: str, by: str = "owner", labels: list[bytes] = LABELS) -> list[bytes]:
    rows = [made_up(f"row {at} of the {side}, {by}", WIDTHS[side]) for at in range(COUNTS[side])]
    if side == "registry":
        return [row[:-3] + b"222" for row in rows]
    return [row[:-32] + sha(each) for row, each in zip(rows, labels, strict=True)]


def leaf(side: str, row: bytes) -> bytes:
    return sha(b"\0", row) if side == "registry" else sha(b"\0", sha(row[:-32]), row[-32:])


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    left = 1
    while 2 * left < len(leaves):
        left *= 2
    return sha(b"\1", root(leaves[:left]), root(leaves[left:]))


def root_of(side: str, rows: list[bytes]) -> bytes:
    return root([leaf(side, row) for row in rows])


#: §10: two planted decoys, two sets of fields, three linked fields.
PLANTED = struct.pack("<HHB2B2Q", 2, 2, 3, 0, 2, 26, 25) + bytes([255, 201, 180, 140, 0, 0, 0, 1, 0, 0])


def commitment(
    role: str, stage: str, answers: list[bytes], /, *, signer: Party | None = None, **changed: object
) -> bytes:
    body: dict[str, object] = {"agreement": AGREEMENT.hex(), "answers": [hash_of(each).hex() for each in answers]}
    body |= {"role": role, "stage": stage}
    if stage == "rows":
        real = rows_of(role)[: 3 if role == "list" else None]
        leaves = [leaf(role, row) for row in real]
        body |= {"key_check": KEY_CHECK.hex(), "root": root(sorted(leaves) if role == "list" else leaves).hex()}
        body |= {"seed": made_up("seed hash").hex()} if role == "list" else {"random": made_up("random").hex()}
    else:
        body |= {"planted": sha(PLANTED).hex(), "root": root_of(role, rows_of(role)).hex()}
    return statement("pprl-com", {**body, **changed}, signer or PARTIES[role])


LIST_ROWS = commitment("list", "rows", [])
REGISTRY_ROWS = commitment("registry", "rows", [LIST_ROWS])
LIST_PACKAGE = commitment("list", "package", [LIST_ROWS, REGISTRY_ROWS])
SIGNED = [PROPOSAL, ACCEPTANCE, LIST_ROWS, REGISTRY_ROWS, LIST_PACKAGE]


def receipt(
    answers: list[bytes] = SIGNED, /, *, signer: Party = UNIT, attachment: bytes = b"", **changed: object
) -> bytes:
    body = {"agreement": AGREEMENT.hex(), "answers": [hash_of(each).hex() for each in answers], "role": "unit"}
    return statement("pprl-rcp", {**body, **changed}, signer, attachment)


RECEIPT = receipt()


def package_start(
    side: str, *, preamble: dict | None = None, header: dict | None = None, signer: str = ""
) -> tuple[bytes, bytes]:
    """The preamble of a package and the header that is sealed behind it."""
    told = {"kind": "pprl-pkg", "version": 2, "suite": 1, "recipient": hash_of(CARDS["unit"]).hex(), "file": side}
    told |= preamble or {}
    start = struct.pack("<8sHH", told["kind"].encode(), told["version"], told["suite"])
    start += made_up(f"file id: {told['file']}", 16) + bytes.fromhex(told["recipient"])
    body = {
        "agreement": AGREEMENT.hex(),
        "answers": [hash_of(RECEIPT).hex()],
        "decoys": 0,
        "preamble": sha(start).hex(),
        "recipient": told["recipient"],
        "role": side,
        "root": root_of(side, rows_of(side)).hex(),
        "rows": COUNTS[side],
        "rows_read": 0 if side == "list" else 30,
        "stamp": STAMP.hex(),
    }
    who = {**PARTIES, "outsider": OUTSIDER}[signer or side]
    return start, statement("pprl-hdr", {**body, **(header or {})}, who)


def segment_info(start: bytes, number: int, *, last: bool) -> bytes:
    return b"pprl/1/package\0" + sha(start) + struct.pack("<QB", number, last)


def kept_start(side: str) -> bytes:
    """Preamble and header segment as they are in the matter."""
    start, header = package_start(side)
    info = segment_info(start, 0, last=False)
    return start + kept(f"header of the {side}", UNIT, header.ljust(HEADER_SEGMENT, b"\0"), info)


def package(
    side: str,
    *,
    preamble: dict | None = None,
    header: dict | None = None,
    signer: str = "",
    sealed_for: str = "unit",
    behind_header: str = "",
    in_header: str = "",
    rows: int | None = None,
    rows_by: str = "owner",
    behind_rows: str = "",
    at_end: str = "",
    of_package: dict | None = None,
    lasts: list[bool] | None = None,
    order: list[int] | None = None,
    cut: int = 0,
    more: str = "",
) -> bytes:
    """A package with something about it that no honest writer does.

    ``header`` and ``preamble`` overwrite what they say; ``in_header`` is another statement in its place (its name);
    ``rows`` of them are in the package, made by ``rows_by``; bytes ``behind_rows`` or ``at_end`` of the last segment;
    row segments sealed under the preamble ``of_package``, with ``lasts`` for their final flags, then put into
    ``order``; ``cut`` bytes are missing and ``more`` are behind the end.
    """
    start, signed = package_start(side, preamble=preamble, header=header, signer=signer)
    signed = {"": signed, "receipt": RECEIPT, "nothing": b""}[in_header]
    party = {**PARTIES, "outsider": OUTSIDER}[sealed_for]
    plain = (signed + bytes.fromhex(behind_header)).ljust(HEADER_SEGMENT, b"\0")
    changed = preamble or header or signer or behind_header or in_header or sealed_for != "unit"
    whole = start + party.seal(plain, segment_info(start, 0, last=False)) if changed else kept_start(side)
    each = SEGMENT // WIDTHS[side]
    count = -(-PAD // each)
    held = (rows_of(side, rows_by) * 2)[: COUNTS[side] if rows is None else rows]
    plains = [bytearray(SEGMENT) for _ in range(count)]
    plains[0][: len(held) * WIDTHS[side]] = b"".join(held)
    if behind_rows:
        plains[0][len(held) * WIDTHS[side]] = int(behind_rows, 16)
    if at_end:
        plains[-1][-1] = int(at_end, 16)
    under = package_start(side, preamble=of_package)[0] if of_package else start
    flags = lasts or [number == count for number in range(1, count + 1)]
    sealed = [
        party.seal(bytes(plain), segment_info(under, number, last=last))
        for number, (plain, last) in enumerate(zip(plains, flags, strict=True), start=1)
    ]
    whole += b"".join(sealed[number - 1] for number in order or range(1, count + 1))
    return whole[: len(whole) - cut] + bytes.fromhex(more)


def scores() -> bytes:
    """§9: for each row of the list the best 16 of the registry by their Dice coefficients, and the halves of leaves."""
    secret = hkdf(UNIT.seed, hash_of(RECEIPT), b"pprl/1/pseudonyms")
    theirs = [row[16 : 16 + LENGTH // 8] for row in rows_of("registry")]
    told = (
        b"pprl-sco" + struct.pack("<H", 2) + STAMP + struct.pack("<QQQQBB", COUNTS["list"], 30, len(theirs), 0, 16, 0)
    )
    for number, row in enumerate(rows_of("list")):
        ours = int.from_bytes(row[16 : 16 + LENGTH // 8], "little")
        found = []
        for at, other in enumerate(theirs):
            bits = int.from_bytes(other, "little")
            common, total = (ours & bits).bit_count(), ours.bit_count() + bits.bit_count()
            found.append((-Fraction(common, total), other, at, common, total))
        best = sorted(found)[:16]
        names = [
            hashlib.blake2b(at.to_bytes(8, "little"), key=secret, digest_size=16).digest() for _, _, at, *_ in best
        ]
        told += struct.pack("<QQ", number, 0) + b"".join(names) + struct.pack("<16I", *(each[3] for each in best))
        told += struct.pack("<16I", *(each[4] for each in best))
    return told + b"".join(sha(row[:-32]) for row in rows_of("list"))


def table(*, signer: Party = UNIT, attachment: bytes | None = None, **changed: object) -> bytes:
    headers = [hash_of(package_start(side)[1]).hex() for side in ("list", "registry")]
    body = {"agreement": AGREEMENT.hex(), "answers": [hash_of(RECEIPT).hex(), *headers], "role": "unit"}
    body["scores"] = sha(scores()).hex()
    return statement("pprl-tab", {**body, **changed}, signer, scores() if attachment is None else attachment)


TABLE = table()


def later(
    kind: str, role: str, upon: list[bytes], attachment: bytes = b"", /, *, signer: Party | None = None, **more: object
) -> bytes:
    """§10: a statement after the scores."""
    named = {"pprl-ask": "ids", "pprl-rev": "labels", "pprl-ans": "tags", "pprl-res": "report"}
    named |= {"pprl-rel": "sealed", "pprl-evi": "evidence"}
    body: dict[str, object] = {"agreement": AGREEMENT.hex(), "answers": [hash_of(each).hex() for each in upon]}
    body |= {"role": role, **({named[kind]: sha(attachment).hex()} if kind in named else {})}
    return statement(kind, {**body, **more}, signer or PARTIES[role], attachment)


def evidence_of(
    head: dict | None = None, *, best: bytes = b"\0\1\2\3\4\xff", text: bytes = b"", more: bytes = b""
) -> bytes:
    """What only the linkage unit saw: six rows, one field, five ids each, nothing looked at."""
    told = {"fields": 1, "filled": [["00" * 16, "222"]], "looks": [0, 0, 0], "near": {"list": [0, 3]}, "rows": 6}
    text = text or text_of({**told, **(head or {})})
    return (
        struct.pack("<Q", len(text))
        + text
        + struct.pack("<d", 0)
        + best
        + made_up("tags of the registry", 6 * 5 * 16)
        + more
    )


IDS, TAGS = made_up("ids", 6 * 5 * 16), made_up("tags", 6 * 5 * 16)
REPORT = b'{"made": "up"}\n'
QUERY = later("pprl-ask", "unit", [TABLE], IDS)
ACKNOWLEDGEMENT = later("pprl-ack", "registry", [TABLE])
SAID = {"rows_read": 3, "fallbacks": 0}
REVEAL = later("pprl-rev", "list", [TABLE, ACKNOWLEDGEMENT], b"".join(LABELS) + PLANTED, **SAID)
ANSWERS = later("pprl-ans", "list", [QUERY], TAGS)
JUDGED = [TABLE, ACKNOWLEDGEMENT, REVEAL, ANSWERS]
EVIDENCE_NONCE = made_up("nonce of the evidence")
AUDIT = b'{"version": "0"}\n'
HIDDEN = sha(EVIDENCE_NONCE, sha(evidence_of()), sha(AUDIT)).hex()
RESULT = later("pprl-res", "unit", JUDGED, REPORT, evidence_and_audit=HIDDEN)
PAIRS = text_of({"pairs": [[rows_of("list")[0][:16].hex(), made_up("name of a pair", 16).hex()]]})


def release(seal: str, plain: bytes = PAIRS, *, to: Party = LIST, of: bytes | None = None, **changed: object) -> bytes:
    """Pairs, sealed for the list owner beside the hash of the result."""
    result = RESULT if of is None else of
    sealed = kept(seal, to, plain, b"pprl/1/release\0" + hash_of(result)) if seal else made_up("no release", 200)
    return later("pprl-rel", "unit", [RESULT], sealed, **changed)


RELEASE = release("release")
EVIDENCE = later("pprl-evi", "unit", [RESULT], evidence_of(), nonce=EVIDENCE_NONCE.hex())


def state_of(role: str) -> dict:
    heard = sha(b"pprl/1/cards\0", *map(hash_of, CARDS.values())).hex()
    state: dict = {"heard": {other: heard for other in PARTIES if other != role}}
    if role != "unit":
        state |= {"agreement": AGREEMENT.hex(), "linkage_key": LINKAGE_KEY.hex()}
    return state | ({"proposal": hash_of(PROPOSAL).hex()} if role == "list" else {})


def keystore(
    role: str,
    /,
    *,
    memory: int = 8 * 1024,
    said: int | None = None,
    kind: str = "pprl-kst",
    version: int = 2,
    suite: int = 1,
    text: bytes | None = None,
    **changed: object,
) -> bytes:
    """``said`` is the memory in the header when it is another than the one used."""
    party = PARTIES[role]
    salt, nonce = made_up(f"salt of the {role}", 16), made_up(f"nonce of the keystore of the {role}", 12)
    body: dict = {name: seed.hex() for name, seed in zip(("signing", "kem", "x25519"), party.seeds, strict=True)}
    body |= {"matter": "lugovo-2022", "role": role, "seed": party.seed.hex(), "state": state_of(role), **changed}
    header = struct.pack("<8sHHI", kind.encode(), version, suite, said or memory) + salt + nonce
    key = argon(PASSPHRASE.encode(), salt, memory)
    return header + ChaCha20Poly1305(key).encrypt(nonce, text_of(body) if text is None else text, header)


def matter() -> dict[str, bytes]:
    """The files of the whole matter, as the parties send them."""
    return {
        **{f"{role}-1-card.pprl": each for role, each in CARDS.items()},
        **{f"PRIVATE-keystore-of-the-{role}.pprl": keystore(role) for role in PARTIES},
        "list-2-proposal.pprl": PROPOSAL,
        "registry-2-acceptance.pprl": ACCEPTANCE,
        "list-3-commitment.pprl": detached(PROPOSAL) + detached(ACCEPTANCE) + LIST_ROWS,
        "registry-3-commitment.pprl": REGISTRY_ROWS,
        "list-4-commitment.pprl": LIST_PACKAGE,
        "unit-2-receipt.pprl": RECEIPT + LIST_PACKAGE,
        "list-5-package.start": kept_start("list"),
        "registry-4-package.start": kept_start("registry"),
        "unit-3-scores.pprl": TABLE,
        "unit-3-query.pprl": QUERY,
        "registry-5-acknowledgement.pprl": ACKNOWLEDGEMENT,
        "list-6-reveal.pprl": ACKNOWLEDGEMENT + REVEAL + ANSWERS,
        "unit-4-result-for-the-list.pprl": RESULT + RELEASE,
        "unit-4-result-for-the-registry.pprl": RESULT,
    }


def sealed_file(
    maker: str,
    reader: str,
    plain: bytes,
    *,
    seal: str = "",
    exchange: str = "lugovo-2022",
    named: tuple[int, int] | None = None,
    size: int | None = None,
    behind: bytes = b"",
    length: int | None = None,
) -> bytes:
    """§3: a file for two. ``seal`` names the seals that are kept; without it they are made anew."""
    key, nonce, wrapped = made_up(f"key of {seal}"), made_up(f"nonce of {seal}", 12), b""
    for each in (maker, reader):
        info = b"pprl/2/file\0" + "\0".join((exchange, maker, reader, each)).encode()
        wrapped += kept(f"{seal} for the {each}", PARTIES[each], key, info) if seal else PARTIES[each].seal(key, info)
    numbers = named or (ROLES.index(maker), ROLES.index(reader))
    head = struct.pack("<8sHBB", b"pprl-sld", 2, *numbers) + wrapped + nonce
    inside = struct.pack("<Q", len(plain) if size is None else size) + plain + behind
    needed = len(head) + len(inside) + 16
    whole = length or (max(1 << 16, 1 << (needed - 1).bit_length()) if needed <= 1 << 20 else -(-needed >> 20) << 20)
    return head + ChaCha20Poly1305(key).encrypt(nonce, inside.ljust(whole - len(head) - 16, b"\0"), head)


#: Who makes the files in which a statement crosses that is not public.
MAKERS = {"pprl-tab": "unit", "pprl-ask": "unit", "pprl-ack": "registry", "pprl-rev": "list", "pprl-ans": "list"}
MAKERS |= {"pprl-res": "unit", "pprl-rel": "unit"}


def sealed_for(role: str, data: bytes) -> bytes:
    """A file of statements as a party gets it, or as it keeps its own; what is public as it is."""
    maker = MAKERS.get(data[:8].decode("ascii", "replace"))
    if maker is None:
        return data
    reader = role if role != maker else next(other for other in PARTIES if other != maker)
    return sealed_file(maker, reader, data)


# ---------------------------------------------------------------- the vectors

VECTOR = dict[str, bytes]


def vector(expect: str, step: str, comment: str, data: bytes, **where: str) -> bytes:
    head = {"expect": expect, "comment": comment, "step": step, **where}
    return "".join(f"{key}: {value}\n" for key, value in head.items()).encode() + b"\n" + data


def put(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def swapped(data: bytes, old: str, new: str, signer: Party) -> bytes:
    """Other text in a body, signed by its sender all the same."""
    header, text, _, attachment = parts_of(data)
    assert text.count(old.encode()) == 1
    kind = header[:8].decode()
    return statement(kind, None, signer, attachment, text=text.replace(old.encode(), new.encode("utf-8")))


def little(number: int, sign: bool = False) -> str:
    return (number | sign << 255).to_bytes(32, "little").hex()


def files_of_statements() -> VECTOR:
    """Header and canonical form; what holds of every kind of statement is shown with a card or a proposal."""
    good, terms = CARDS["registry"], detached(PROPOSAL)
    header, text, signature, _ = parts_of(good)
    size = len(text)

    def of(data: bytes, comment: str, expect: str = "format") -> bytes:
        return vector(expect, "card", comment, data)

    def body(old: str, new: str, comment: str) -> bytes:
        return of(swapped(good, old, new, REGISTRY), comment)

    def number(old: str, new: str, comment: str) -> bytes:
        return vector("format", "proposal", comment, swapped(terms, old, new, LIST))

    shuffled = json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")).encode()
    spaced = json.dumps(json.loads(text), sort_keys=True).encode()
    return {
        "header_good": of(good, "A card as it should be.", "success"),
        "header_magic": of(put(good, 0, b"pprl-xyz"), "A kind that nobody knows."),
        "header_magic_keystore": of(put(good, 0, b"pprl-kst"), "The kind of a keystore, which is no statement."),
        "header_version_0": of(statement("pprl-crd", body_of(good), REGISTRY, version=0), "Version 0, signed."),
        "header_version_1": of(statement("pprl-crd", body_of(good), REGISTRY, version=1), "Version 1, signed."),
        "header_suite_0": of(statement("pprl-crd", body_of(good), REGISTRY, suite=0), "A suite before the first."),
        "header_suite_2": of(statement("pprl-crd", body_of(good), REGISTRY, suite=2), "A suite to come."),
        "header_suite_unsigned": of(put(good, 10, b"\2"), "The suite was changed on the way."),
        "header_cut_in_magic": of(good[:5], "Cut within the kind."),
        "header_cut_in_sizes": of(good[:20], "Cut within the header."),
        "header_cut_before_body": of(good[:24], "Cut behind the header."),
        "header_cut_in_body": of(good[: 24 + size // 2], "Cut within the body."),
        "header_cut_before_signature": of(good[: 24 + size], "Cut behind the body."),
        "header_cut_in_signature": of(good[:-1], "Cut within the signature."),
        "header_trailing_zero": of(good + b"\0", "A zero behind the end."),
        "header_trailing_newline": of(good + b"\n", "A line feed behind the end, as some mail programs add."),
        "header_trailing_statement_cut": of(good + good[:100], "A second statement, cut short, behind the first."),
        "header_body_size_more": of(put(good, 12, struct.pack("<I", size + 1)), "The body is said to be longer."),
        "header_body_size_huge": of(put(good, 12, b"\xff" * 4), "The body is said to have four gibibytes."),
        "header_body_empty": of(statement("pprl-crd", None, REGISTRY, text=b""), "There is no body."),
        "header_attachment_size_huge": of(put(good, 16, b"\xff" * 8), "The attachment is said to be endless."),
        "header_attachment_on_a_card": of(
            statement("pprl-crd", body_of(good), REGISTRY, b"more"), "A card with an attachment, which no card has."
        ),
        "body_spaces": of(statement("pprl-crd", None, REGISTRY, text=spaced), "Spaces between keys and values."),
        "body_newline": of(statement("pprl-crd", None, REGISTRY, text=text + b"\n"), "A line feed behind the body."),
        "body_order": of(statement("pprl-crd", None, REGISTRY, text=shuffled), "The keys stand in another order."),
        "body_duplicate_key": body('"role":', '"role":"unit","role":', "One key twice."),
        "body_duplicate_pair": body('"role":"registry"', '"role":"registry","role":"registry"', "One pair twice."),
        "body_raw_letters": body("Bravo", "Браво", "Letters beyond ASCII as they are, not escaped."),
        "body_escaped_letters": of(card("registry", REGISTRY, name="Браво"), "Letters beyond ASCII.", "success"),
        "body_capital_escape": body("Bravo", "\\u00C4bravo", "An escape in capitals."),
        "body_needless_escape": body("Bravo", "\\u0042ravo", "An escape where a letter would do."),
        "body_escaped_slash": body("Bravo", "Bra\\/vo", "A slash escaped."),
        "body_lone_surrogate": body("Bravo", "Bravo\\ud800", "Half a pair of surrogates."),
        "body_surrogate_pair": of(card("registry", REGISTRY, name="Bravo 🂡"), "A pair of surrogates.", "success"),
        "body_raw_control": body("Bravo", "Bra\tvo", "A tabulator in a text."),
        "body_bad_utf8": of(
            statement("pprl-crd", None, REGISTRY, text=text.replace(b"Bravo", b"Brav\xff")), "No UTF-8."
        ),
        "body_bom": of(statement("pprl-crd", None, REGISTRY, text=b"\xef\xbb\xbf" + text), "A byte order mark."),
        "body_list": of(statement("pprl-crd", None, REGISTRY, text=b"[" + text + b"]"), "A list with the table in it."),
        "body_nested": of(
            statement("pprl-crd", None, REGISTRY, text=b"[" * 3_000 + b"]" * 3_000), "Three thousand brackets."
        ),
        "body_nested_tables": of(
            statement("pprl-crd", None, REGISTRY, text=b'{"a":' * 2_000 + b"0" + b"}" * 2_000), "Deep tables."
        ),
        "body_two": of(statement("pprl-crd", None, REGISTRY, text=text + text), "Two bodies."),
        "body_float": number('"earlier_runs":0', '"earlier_runs":0.0', "A number with a point."),
        "body_exponent": number('"earlier_runs":0', '"earlier_runs":0e0', "A number with an exponent."),
        "body_nan": number('"earlier_runs":0', '"earlier_runs":NaN', "No number."),
        "body_negative": number('"earlier_runs":0', '"earlier_runs":-1', "A number below zero."),
        "body_negative_zero": number('"earlier_runs":0', '"earlier_runs":-0', "A zero with a sign."),
        "body_leading_zero": number('"earlier_runs":0', '"earlier_runs":00', "A zero before a number."),
        "body_huge": number('"earlier_runs":0', '"earlier_runs":9007199254740992', "2 to the power of 53."),
        "body_huge_digits": number('"earlier_runs":0', f'"earlier_runs":1{"0" * 5_000}', "Thousands of digits."),
        "body_true": number('"runs":1', '"runs":true', "True, which some languages take for 1."),
        "body_null": number('"earlier_runs":0', '"earlier_runs":null', "Nothing in place of a number."),
        "signature_bit": of(put(good, 24 + size, bytes([signature[0] ^ 1])), "A bit of the signature.", "forged"),
        "signature_s_bit": of(put(good, len(good) - 1, bytes([signature[63] ^ 1])), "A bit at its end.", "forged"),
        "signature_s_plus_order": of(put(good, 24 + size + 32, _plus_order(signature[32:])), _MALLEABLE, "forged"),
        "signature_zeroes": of(put(good, 24 + size, bytes(64)), "A signature of zeroes.", "forged"),
        "signature_of_another": of(
            card("registry", REGISTRY, signer=OUTSIDER), "Another key signed the card.", "forged"
        ),
        "signature_other_label": of(
            header + text + REGISTRY.sign(header[:16] + text), "Signed without the label of statements.", "forged"
        ),
        "signature_whole_header": of(
            header + text + REGISTRY.sign(b"pprl/1/statement\0" + header + text),
            "Signed with the size of the attachment, which is not under a signature.",
            "forged",
        ),
        "signature_old_body": of(header + text.replace(b"Bravo", b"Brava") + signature, "A letter changed.", "forged"),
    }


_MALLEABLE = "The group's order added to the signature's second half, which verifies in careless libraries."


def _plus_order(scalar: bytes) -> bytes:
    return (int.from_bytes(scalar, "little") + ORDER).to_bytes(32, "little")


def signed_by_nobody(point: str) -> bytes:
    """A card with a key of small order and a signature that verifies under it: R the neutral point, s zero.

    RFC 8032 §5.1.7 asks for s·B = R + h·A. With s = 0 and h a multiple of 8, as for one text in eight, that holds.
    """
    neutral = little(1)
    for number in count():
        data = card("registry", REGISTRY, signing=point, name=f"Bravo {number}")
        header, text, _, _ = parts_of(data)
        hashed = bytes.fromhex(neutral + point) + b"pprl/1/statement\0" + header[:16] + text
        if int.from_bytes(hashlib.sha512(hashed).digest(), "little") % ORDER % 8 == 0:
            return header + text + bytes.fromhex(neutral) + bytes(32)
    raise AssertionError


#: The y of the points of small order of Curve25519 in Edwards form, and again as they are written unreduced.
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
SMALL_SIGNING = {
    "1": little(1),
    "0": little(0),
    "minus_1": little(PRIME - 1),
    "0_unreduced": little(PRIME),
    "1_unreduced": little(PRIME + 1),
    "order_8": ORDER_8,
    "order_8_negative": little(PRIME - int.from_bytes(bytes.fromhex(ORDER_8), "little")),
}
SMALL_X25519 = {
    "0": 0,
    "1": 1,
    "minus_1": PRIME - 1,
    "0_unreduced": PRIME,
    "1_unreduced": PRIME + 1,
    "order_8": 325606250916557431795983626356110631294008115727848805560023387167927233504,
    "order_8_other": 39382357235489614581723060781553021112529911719440698176882885853963445705823,
}


def cards() -> VECTOR:
    def of(comment: str, expect: str = "format", **changed: object) -> bytes:
        return vector(expect, "card", comment, card("registry", REGISTRY, **changed))

    def weak(comment: str, **changed: object) -> bytes:
        return of(comment, "forged", **changed)

    public = REGISTRY.public()
    kem = bytearray.fromhex(public["kem"])
    kem[0], kem[1] = 0xFF, kem[1] | 0x0F  # the first of 768 coefficients of 12 bits
    just = bytearray.fromhex(public["kem"])
    just[0], just[1] = 3329 & 0xFF, just[1] & 0xF0 | 3329 >> 8
    without = {key: value for key, value in body_of(CARDS["registry"]).items() if key != "name"}
    told = {
        "card_no_name": vector("format", "card", "A key is missing.", statement("pprl-crd", without, REGISTRY)),
        "card_extra_key": of("A key that no card has.", note="x"),
        "card_name_number": of("A number for a name.", name=7),
        "card_name_list": of("A list for a name.", name=["Bravo"]),
        "card_role_unknown": of("A role that nobody has.", role="judge"),
        "card_role_capital": of("A role with a capital.", role="Registry"),
        "card_role_auditor": of("The card of an auditor.", "success", role="auditor"),
        "card_expires_never": of("No day.", expires="never"),
        "card_expires_not_a_day": of("A day that no calendar has.", expires="2099-02-30"),
        "card_expires_basic": of("A day without hyphens.", expires="20991231"),
        "card_expires_week": of("A day by its week.", expires="2099-W53-4"),
        "card_expires_space": of("A space behind the day.", expires="2099-12-31 "),
        "card_expired": of(
            "A card of long ago can be read; it is the agreement that ends.", "success", expires="2020-01-01"
        ),
        "card_name_empty": of("An empty name.", name=""),
        "card_name_spaces": of("A name of spaces.", name="   "),
        "card_name_bidi": of("A name that turns the direction of writing.", name="Bravo\u202eovarB"),
        "card_name_isolate": of("A name with an isolate.", name="Bravo\u2066"),
        "card_name_escape": of("A name that moves the cursor of a terminal.", name="Bravo\x1b[2K"),
        "card_name_newline": of("A name of two lines.", name="Bravo\nUniversity"),
        "card_name_zero_width": of("A name with a space of no width.", name="Bra\u200bvo"),
        "card_name_delete": of("A name with DEL.", name="Bravo\x7f"),
        "card_name_64": of("A name of 64 letters.", "success", name="ю" * 64),
        "card_name_65": of("A name of 65 letters.", name="ю" * 65),
        "card_matter_capital": of("A matter with a capital.", matter="Lugovo-2022"),
        "card_matter_empty": of("A matter without a name.", matter=""),
        "card_matter_hyphen": of("A matter that ends in a hyphen.", matter="lugovo-"),
        "card_matter_newline": of("A line feed behind the matter.", matter="lugovo-2022\n"),
        "card_matter_41": of("A matter of 41 letters.", matter="a" * 41),
        "card_matter_cyrillic": of("A matter with a Cyrillic letter.", matter="lugоvo-2022"),
        "card_hex_capitals": of("A key in capitals.", x25519=public["x25519"].upper()),
        "card_hex_short": of("A key of 31 bytes.", x25519=public["x25519"][:-2]),
        "card_hex_long": of("A key of 33 bytes.", x25519=public["x25519"] + "00"),
        "card_hex_odd": of("Half a byte.", x25519=public["x25519"][:-1]),
        "card_hex_spaces": of("A space between two bytes.", x25519=public["x25519"][:2] + " " + public["x25519"][2:]),
        "card_hex_none": of("Letters that are no hexadecimal.", x25519="z" * 64),
        "card_hex_wide": of("A digit of another script.", x25519="\uff11" + public["x25519"][1:]),
        "card_signing_short": of("A signing key of 31 bytes.", signing=public["signing"][:-2]),
        "card_kem_short": of("An ML-KEM key that is a byte too short.", kem=public["kem"][:-2]),
        "card_kem_coefficient": weak("A coefficient of the ML-KEM key is 4095.", kem=bytes(kem).hex()),
        "card_kem_coefficient_q": weak("A coefficient of the ML-KEM key is q itself.", kem=bytes(just).hex()),
    }
    for name, y in SMALL_SIGNING.items():
        for sign in (False, True):
            point = little(int.from_bytes(bytes.fromhex(y), "little"), sign)
            comment = "A signing key of small order; the signature verifies, and nobody made it."
            name_of = f"card_signing_small_{name}{'_sign' if sign else ''}"
            told[name_of] = vector("forged", "card", comment, signed_by_nobody(point))
    for name, u in SMALL_X25519.items():
        told[f"card_x25519_small_{name}"] = weak("An X25519 key of small order.", x25519=little(u))
    told["card_x25519_small_0_top_bit"] = weak("The same with the bit that is not read.", x25519=little(0, sign=True))
    return told


def sets_of_cards() -> VECTOR:
    def of(expect: str, step: str, comment: str, data: bytes, folder: str, file: str, **more: str) -> bytes:
        return vector(expect, step, comment, data, folder=folder, file=file, **more)

    second = card("registry", OUTSIDER)
    shared = card("registry", LIST)
    other = card("registry", REGISTRY, matter="lugovo-2023")
    as_registry = swapped(CARDS["list"], '"role":"list"', '"role":"registry"', LIST)
    statements = "list-2-proposal.pprl, registry-2-acceptance.pprl, list-3-commitment.pprl"
    early = ", ".join([statements, "registry-3-commitment.pprl, list-4-commitment.pprl", "unit-2-receipt.pprl"])
    return {
        "cards_good": of("success", "read", "A whole matter.", CARDS["registry"], "unit", "registry-1-card.pprl"),
        "cards_again": of("success", "read", "A card once more.", CARDS["registry"], "unit", "again.pprl"),
        "cards_two_of_a_role": of("forged", "read", "Two cards of one role.", second, "unit", "again.pprl"),
        "cards_two_names_of_a_key": of(
            "forged",
            "read",
            "Two cards of one role and one key under different names.",
            card("registry", REGISTRY, name="Brave"),
            "unit",
            "again.pprl",
        ),
        "cards_own_replaced": of(
            "mismatch", "read", "Another card in place of one's own.", second, "registry", "registry-1-card.pprl"
        ),
        "cards_swapped": of(
            "mismatch", "read", "Another's card of the right role.", second, "list", "registry-1-card.pprl"
        ),
        "cards_swapped_early": of(
            "order",
            "ready",
            "Another's card before anything is signed: other words, and none were heard.",
            second,
            "list",
            "registry-1-card.pprl",
            without=early,
        ),
        "cards_of_one_key": of(
            "forged", "read", "The list owner as registry owner.", shared, "unit", "registry-1-card.pprl"
        ),
        "cards_renamed_role": of(
            "forged", "read", "His card with the other role, signed.", as_registry, "unit", "registry-1-card.pprl"
        ),
        "cards_relabelled_role": of(
            "forged",
            "read",
            "His card with the other role, not signed again.",
            CARDS["list"].replace(b'"role":"list"', b'"role":"unit"'),
            "registry",
            "unit-1-card.pprl",
        ),
        "cards_other_matter": of(
            "mismatch", "read", "A card of another matter.", other, "unit", "registry-1-card.pprl"
        ),
        "cards_missing": of("order", "ready", "A card is no card: it has not come.", b"x", "list", "unit-1-card.pprl"),
        "cards_auditor_later": of(
            "mismatch",
            "read",
            "The card of an auditor who was not there when the terms were proposed.",
            card("auditor", OUTSIDER),
            "unit",
            "auditor-1-card.pprl",
        ),
    }


def words_heard() -> VECTOR:
    right = {role: words(list(CARDS.values()), role) for role in PARTIES}
    told = right["registry"].split()
    listed = [line for line in WORDS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    other = listed[(listed.index(told[3]) + 1) % len(listed)]
    typed = next(w for w in (told[0][:-1] + "q", told[0] + "q") if w not in listed)

    def of(expect: str, comment: str, said: str) -> bytes:
        return vector(expect, "words", comment, said.encode(), role="registry")

    return {
        "words_good": of("success", "As read aloud.", right["registry"]),
        "words_capitals": of("success", "Capitals, commas and lines do not count.", ",\n".join(told).upper()),
        "words_together": of("success", "Nor do spaces.", "".join(told)),
        "words_mistyped": of("format", "A word that is in no list.", " ".join([typed, *told[1:]])),
        "words_nine": of("format", "One too few.", " ".join(told[:-1])),
        "words_eleven": of("format", "One too many.", " ".join([*told, told[0]])),
        "words_none": of("format", "Nothing.", ""),
        "words_other_order": of("forged", "The first two changed places.", " ".join([told[1], told[0], *told[2:]])),
        "words_one_other": of("forged", "One is another word of the list.", " ".join([*told[:3], other, *told[4:]])),
        "words_of_another_role": of("forged", "Those of the list owner.", right["list"]),
        "words_of_other_cards": of(
            "forged",
            "Those that the registry owner has when the unit's card was swapped on its way to him.",
            words([CARDS["list"], CARDS["registry"], card("unit", OUTSIDER)], "registry"),
        ),
    }


def proposals() -> VECTOR:
    def of(expect: str, comment: str, data: bytes) -> bytes:
        return vector(expect, "proposal", comment, data)

    def terms(expect: str, comment: str, **changed: object) -> bytes:
        return of(expect, comment, detached(proposal("", terms={**TERMS, **changed})))

    def accepted(expect: str, comment: str, data: bytes) -> bytes:
        return vector(expect, "accept", comment, data, folder="registry", file="list-2-proposal.pprl", without=_LATER)

    def schema(old: str, new: str) -> str:
        assert SCHEMA.count(old) == 1
        return SCHEMA.replace(old, new)

    outputs, strata = TERMS["outputs"], TERMS["strata"]
    plain = schema('"standard"', '"plain"')
    weak = SCHEMA.replace('type = "surname"', 'type = "surname"\nrole = "confirm"')
    weak = weak.replace('type = "given"', 'type = "given"\nrole = "confirm"')
    without = {key: value for key, value in TERMS.items() if key != "runs"}
    no_share = {key: value for key, value in body_of(PROPOSAL).items() if key != "share"}
    cut = PROPOSAL[:-SHARE]
    return {
        "proposal_good": of("success", "A proposal as it should be.", PROPOSAL),
        "proposal_detached": of("success", "Without its share, as the linkage unit gets it.", detached(PROPOSAL)),
        "proposal_no_share_named": of("format", "It names no share.", statement("pprl-prp", no_share, LIST)),
        "proposal_extra_key": of("format", "A key too many.", detached(proposal("", note="x"))),
        "proposal_answers_text": of("format", "Text in place of a list.", detached(proposal("", answers="x"))),
        "proposal_terms_list": of("format", "Terms in a list.", detached(proposal("", terms=[TERMS]))),
        "proposal_nonce_short": of("format", "A nonce of 31 bytes.", detached(proposal("", nonce="00" * 31))),
        "proposal_nonce_capitals": of("format", "A nonce in capitals.", detached(proposal("", nonce="AB" * 32))),
        "proposal_share_short": of("format", "A hash of 31 bytes.", detached(proposal("", share="00" * 31))),
        "proposal_cut_in_share": of("format", "Cut within the share.", PROPOSAL[:-1]),
        "proposal_cut_before_share": of("format", "Cut before the share.", cut),
        "proposal_share_replaced": of("forged", "Another share.", cut + made_up("no seal", SHARE)),
        "proposal_share_bit": of("forged", "A bit of the share.", PROPOSAL[:-1] + bytes([PROPOSAL[-1] ^ 1])),
        "proposal_share_longer": of(
            "forged", "A byte behind the share.", put(PROPOSAL, 16, struct.pack("<Q", SHARE + 1)) + b"\0"
        ),
        "proposal_signed_by_registry": of("forged", "The registry owner signed.", proposal("", signer=REGISTRY)),
        "proposal_signed_by_outsider": of("forged", "An outsider signed.", proposal("", signer=OUTSIDER)),
        "proposal_relabelled": of("format", "An acceptance that is called a proposal.", b"pprl-prp" + ACCEPTANCE[8:]),
        "proposal_signed_as_receipt": of(
            "forged", "Signed as a receipt.", statement("pprl-prp", body_of(PROPOSAL), LIST, said="pprl-rcp")
        ),
        "proposal_other_cards": of("mismatch", "Made for other cards.", proposal("", answers=["00" * 32] * 3)),
        "proposal_cards_in_another_order": of(
            "mismatch", "The cards in another order.", proposal("", answers=CARD_HASHES[::-1])
        ),
        "proposal_two_cards": of("mismatch", "Made for two of the cards.", proposal("", answers=CARD_HASHES[:2])),
        "terms_missing": of("format", "A key of the terms is missing.", detached(proposal("", terms=without))),
        "terms_extra": terms("format", "A key that no terms have.", judge="x"),
        "terms_pad_text": terms("format", "Text in place of a number.", pad="8000"),
        "terms_pad_zero": terms("format", "Packages that are filled up to a multiple of nothing.", pad=0),
        "terms_pad_huge": terms("format", "Packages of petabytes.", pad=2**40),
        "terms_two_runs": terms("format", "Two runs; there is one.", runs=2),
        "terms_no_runs": terms("format", "No run.", runs=0),
        "terms_earlier_runs": terms("success", "Three runs before.", earlier_runs=3),
        "terms_limits_swapped": terms("format", "At least more than at most.", list_people=[10, 2]),
        "terms_limits_none": terms("format", "A list of nobody.", list_people=[0, 10]),
        "terms_limits_three": terms("format", "Three limits.", registry_rows=[20, 50, 100]),
        "terms_plain_maybe": terms("format", "Neither yes nor no.", plain="maybe"),
        "terms_plain_number": terms("format", "A number in place of yes.", plain=1),
        "terms_plain_list": terms("format", "A list in place of yes.", plain=["yes"]),
        "terms_expires_never": terms("format", "No day.", expires="never"),
        "terms_expires_basic": terms("format", "A day without hyphens.", expires="20991231"),
        "terms_expires_number": terms("format", "A number for a day.", expires=20991231),
        "terms_expired": terms("success", "An agreement of long ago can be read.", expires="2020-01-01"),
        "terms_folding_short": terms("format", "A hash of 31 bytes.", folding="00" * 31),
        "terms_fingerprint_capitals": terms("format", "A hash in capitals.", fingerprint="AB" * 32),
        "terms_unit_unknown": terms("format", "The unit is a word that nobody knows.", unit_is="both"),
        "terms_unit_is_registry": terms("success", "The unit is the registry owner, and says so.", unit_is="registry"),
        "terms_outputs_unit": terms("format", "A role that gets nothing has outputs.", outputs={**outputs, "unit": []}),
        "terms_outputs_no_auditor": terms(
            "format", "A role is missing.", outputs={role: outputs[role] for role in ("list", "registry")}
        ),
        "terms_outputs_text": terms("format", "Text in place of a list.", outputs={**outputs, "auditor": "audit"}),
        "terms_outputs_none": terms("success", "The auditor gets nothing.", outputs={**outputs, "auditor": []}),
        "terms_registry_gets_pairs": terms(
            "refused",
            "The registry owner gets pairs, by which he would learn who is on the list.",
            outputs={**outputs, "registry": ["report", "pairs"]},
        ),
        "terms_list_gets_scores": terms(
            "refused", "The list owner gets scores.", outputs={**outputs, "list": ["report", "scores"]}
        ),
        "terms_strata_list": terms("format", "Strata in a list.", strata=[["service", ["kontrakt"]]]),
        "terms_strata_text": terms("format", "Text in place of labels.", strata={"service": "kontrakt"}),
        "terms_strata_number": terms("format", "A number for a label.", strata={"service": [1]}),
        "terms_strata_missing": terms("refused", "No labels for the stratum of the schema.", strata={}),
        "terms_strata_other": terms(
            "refused", "Labels of a field that is no stratum.", strata={**strata, "given": ["x"]}
        ),
        "terms_strata_1001": terms("refused", "1,001 labels.", strata={"service": [f"s{n}" for n in range(1_001)]}),
        "terms_strata_1000": terms("success", "1,000 labels.", strata={"service": [f"s{n}" for n in range(1_000)]}),
        "terms_label_escape": terms("refused", _SHOWN, strata={"service": ["kontrakt", "x\x1b[1A\x1b[2K"]}),
        "terms_label_newline": terms("refused", _SHOWN, strata={"service": ["kontrakt\nruns             1"]}),
        "terms_label_bidi": terms("refused", _SHOWN, strata={"service": ["kontrakt", "\u202ekontrakt"]}),
        "terms_label_empty": terms("refused", "A label of no letters.", strata={"service": [""]}),
        "terms_label_twice": terms("refused", "A label twice.", strata={"service": ["kontrakt", "kontrakt"]}),
        "terms_plain_schema": terms("refused", "A schema without hardening, and no word of it.", schema=plain),
        "terms_plain_said": terms("success", "A schema without hardening, said so.", schema=plain, plain="yes"),
        "terms_schema_comment": terms("format", "A schema not in its one form.", schema=SCHEMA + "# x\n"),
        "terms_schema_order": terms(
            "format", "Two lines change places.", schema=schema(*(one + other for one, other in (_TWO, _TWO[::-1])))
        ),
        "terms_schema_weights": terms(
            "format", "A weight that needs no word.", schema=schema('"date"\n', '"date"\nweight = 1\n')
        ),
        "terms_schema_weak": terms("refused", "One field alone is linked.", schema=weak),
        "terms_schema_not_toml": terms("schema", "A schema that is no TOML.", schema="format ="),
        "terms_schema_unknown_type": terms(
            "schema", "A type that nobody knows.", schema=schema('type = "date"', 'type = "face"')
        ),
        "terms_schema_nested": terms("schema", "A schema of brackets.", schema="a = " + "[" * 5_000),
        "terms_schema_digits": terms("schema", "Thousands of digits.", schema="format = " + "1" * 5_000),
        "terms_schema_number": terms("format", "A number for a schema.", schema=1),
        "accept_good": accepted("success", "The registry owner accepts.", PROPOSAL),
        "accept_detached": accepted("format", "The share has not come with it.", detached(PROPOSAL)),
        "accept_short_share": accepted(
            "format",
            "The share has 31 bytes.",
            statement(
                "pprl-prp",
                {**body_of(PROPOSAL), "share": sha(PROPOSAL[-SHARE:-1]).hex()},
                LIST,
                PROPOSAL[-SHARE:-1],
            ),
        ),
        "accept_share_for_another": accepted(
            "forged", "The share is sealed for the linkage unit.", proposal("share for the unit", sealed_for=UNIT)
        ),
        "accept_share_for_other_terms": accepted(
            "forged",
            "The share was sealed beside other terms.",
            proposal("share for other terms", sealed_with={**TERMS, "pad": 1}),
        ),
        "accept_share_of_another_proposal": accepted(
            "forged",
            "The share of another proposal, which was seen on its way.",
            statement(
                "pprl-prp",
                {**body_of(PROPOSAL), "nonce": made_up("another nonce").hex()},
                LIST,
                PROPOSAL[-SHARE:],
            ),
        ),
        "accept_other_folding": vector(
            "mismatch",
            "schema",
            "Another version of the folding tables than this copy of pprl has.",
            PROPOSAL,
            folder="registry",
            file="list-2-proposal.pprl",
        ),
        "proposal_two": vector(
            "order",
            "read",
            "Two proposals; the registry owner cannot know which one holds.",
            proposal("", nonce=made_up("another nonce").hex()),
            folder="registry",
            file="again.pprl",
        ),
        "proposal_old_one_of_ours": vector(
            "success",
            "read",
            "Two proposals; the list owner knows which was his last.",
            proposal("", nonce=made_up("another nonce").hex()),
            folder="list",
            file="again.pprl",
        ),
    }


_TWO = ("decoys = 1           # made-up rows for each real one\n", "disclosure = 5\n")
_LATER = "registry-2-acceptance.pprl, list-3-commitment.pprl"
_SHOWN = "A label that would change what the terms look like to whoever decides."


def acceptances() -> VECTOR:
    def of(expect: str, comment: str, data: bytes) -> bytes:
        return vector(expect, "acceptance", comment, data)

    def concluded(expect: str, comment: str, data: bytes) -> bytes:
        return vector(
            expect, "conclude", comment, data, folder="list", file="registry-2-acceptance.pprl", without=_LATER
        )

    other = proposal("", nonce=made_up("another nonce").hex())
    expired = proposal("", terms={**TERMS, "expires": "2020-01-01"})
    both = expired + acceptance("", of=expired)
    return {
        "acceptance_good": of("success", "An acceptance as it should be.", ACCEPTANCE),
        "acceptance_detached": of("success", "Without its share.", detached(ACCEPTANCE)),
        "acceptance_extra_key": of("format", "A key too many.", acceptance("", note="x")),
        "acceptance_answers_text": of("format", "Text in place of a list.", acceptance("", answers="x")),
        "acceptance_nonce_short": of("format", "A nonce of 31 bytes.", acceptance("", nonce="00" * 31)),
        "acceptance_cut_in_share": of("format", "Cut within the share.", ACCEPTANCE[:-1]),
        "acceptance_share_replaced": of("forged", "Another share.", ACCEPTANCE[:-SHARE] + made_up("no seal", SHARE)),
        "acceptance_signed_by_list": of("forged", "The list owner accepts for the other.", acceptance("", signer=LIST)),
        "acceptance_signed_as_receipt": of("forged", "Signed as a receipt.", acceptance("", said="pprl-rcp")),
        "acceptance_relabelled": of("format", "A proposal that is called an acceptance.", b"pprl-acc" + PROPOSAL[8:]),
        "acceptance_of_another": of("mismatch", "Another proposal was accepted.", acceptance("", of=other)),
        "acceptance_of_two": of(
            "mismatch",
            "Two proposals at once.",
            acceptance("", answers=[hash_of(PROPOSAL).hex(), hash_of(other).hex()]),
        ),
        "acceptance_of_another_waits": vector(
            "order",
            "ready",
            "Another proposal was accepted: there is no agreement.",
            acceptance("", of=other),
            folder="list",
            file="registry-2-acceptance.pprl",
            without="list-3-commitment.pprl",
        ),
        "acceptance_two": vector(
            "forged",
            "read",
            "The proposal was accepted twice.",
            acceptance("", nonce=made_up("another nonce").hex()),
            folder="list",
            file="again.pprl",
        ),
        "agreement_expired_read": vector(
            "success",
            "agreed",
            "An expired agreement can be read.",
            both,
            folder="unit",
            file="list-2-proposal.pprl",
            without=_LATER,
        ),
        "agreement_expired_ready": vector(
            "refused",
            "ready",
            "An expired agreement lets nobody work.",
            both,
            folder="unit",
            file="list-2-proposal.pprl",
            without=_LATER,
        ),
        "conclude_good": concluded("success", "Both owners have the linkage key.", ACCEPTANCE),
        "conclude_detached": concluded("format", "The share has not come with it.", detached(ACCEPTANCE)),
        "conclude_share_for_another": concluded(
            "forged",
            "The share is sealed for the linkage unit.",
            acceptance("share back for the unit", sealed_for=UNIT),
        ),
        "conclude_share_reflected": concluded(
            "forged", "The share is sealed as that of a list owner.", acceptance("share back as list", sealed_as="list")
        ),
    }


def commitments() -> VECTOR:
    def of(expect: str, comment: str, data: bytes, file: str = "registry-3-commitment.pprl", **more: str) -> bytes:
        return vector(expect, more.pop("step", "read"), comment, data, folder="unit", file=file, **more)

    def registry(expect: str, comment: str, **changed: object) -> bytes:
        answers = changed.pop("upon", [LIST_ROWS])
        return of(expect, comment, commitment("registry", "rows", answers, **changed))

    def package_of(expect: str, comment: str, upon: list[bytes], **changed: object) -> bytes:
        data = commitment("list", "package", upon, **changed)
        return of(expect, comment, data, "list-4-commitment.pprl", without="unit-2-receipt.pprl")

    body = body_of(REGISTRY_ROWS)
    without = {key: value for key, value in body.items() if key != "random"}
    other_key = commitment("registry", "rows", [LIST_ROWS], key_check="00" * 16)
    other_upon = commitment("list", "package", [LIST_ROWS, other_key])
    two = commitment("list", "rows", [], root=made_up("another root").hex())
    return {
        "commitment_good": registry("success", "A commitment as it should be."),
        "commitment_no_random": of("format", "It has no random bytes.", statement("pprl-com", without, REGISTRY)),
        "commitment_seed": registry("format", "A registry owner with a seed, as only a list has.", seed="00" * 32),
        "commitment_root_short": registry("format", "A root of 31 bytes.", root="00" * 31),
        "commitment_root_capitals": registry("format", "A root in capitals.", root="AB" * 32),
        "commitment_root_number": registry("format", "A number for a root.", root=0),
        "commitment_key_check_long": registry("format", "A key check of 32 bytes.", key_check="00" * 32),
        "commitment_random_short": registry("format", "31 random bytes.", random="00" * 31),
        "commitment_answers_text": registry("format", "Text in place of a list.", answers="x"),
        "commitment_attachment": of(
            "format", "A commitment with an attachment.", statement("pprl-com", body, REGISTRY, b"more")
        ),
        "commitment_of_another_agreement": registry("mismatch", "Another agreement's.", agreement="00" * 32),
        "commitment_signed_by_list": registry("forged", "The list owner commits for the other.", signer=LIST),
        "commitment_signature_bit": of(
            "forged", "A bit of the signature.", REGISTRY_ROWS[:-1] + bytes([REGISTRY_ROWS[-1] ^ 1])
        ),
        "commitment_upon_nothing": registry("mismatch", "It answers nothing, so it may be older.", upon=[]),
        "commitment_upon_another": registry("mismatch", "It answers another first commitment.", upon=[two]),
        "commitment_upon_too_many": registry("mismatch", "It answers more than there was.", upon=[LIST_ROWS, PROPOSAL]),
        "commitment_answers_capitals": registry(
            "mismatch", "It names the right one in capitals.", answers=[hash_of(LIST_ROWS).hex().upper()]
        ),
        "commitment_two_of_registry": of(
            "forged",
            "Two commitments to one registry.",
            commitment("registry", "rows", [LIST_ROWS], root=made_up("another root").hex()),
            "again.pprl",
        ),
        "commitment_two_of_list": of("forged", "Two first commitments to one list.", two, "again.pprl"),
        "commitment_unsigned_beside": of(
            "forged",
            "A forged commitment beside the good one.",
            commitment("list", "rows", [], signer=OUTSIDER),
            "again.pprl",
        ),
        "commitment_same_twice": of("success", "One commitment in two files.", REGISTRY_ROWS, "again.pprl"),
        "commitment_package_good": package_of("success", "Both before it.", [LIST_ROWS, REGISTRY_ROWS]),
        "commitment_package_early": package_of("mismatch", "It does not answer the registry's.", [LIST_ROWS]),
        "commitment_package_swapped": package_of("mismatch", "In the other order.", [REGISTRY_ROWS, LIST_ROWS]),
        "commitment_package_key_check": package_of(
            "format", "With a key check, which the first one has.", [LIST_ROWS, REGISTRY_ROWS], key_check="00" * 16
        ),
        "commitment_third_stage": package_of(
            "format", "A stage that nobody knows.", [LIST_ROWS, REGISTRY_ROWS], stage="labels"
        ),
        "commitment_of_unit": registry("format", "The linkage unit's, which commits to nothing.", role="unit"),
        "commitment_role_list": registry("format", "A list for a role.", role=["registry"]),
        "commitment_keys_differ": of(
            "mismatch",
            "The owners have different linkage keys, so the linkage unit does not sign.",
            other_key + other_upon,
            without="list-4-commitment.pprl, unit-2-receipt.pprl",
            step="sign",
        ),
        "sign_good": of(
            "success", "The linkage unit signs.", REGISTRY_ROWS, without="unit-2-receipt.pprl", step="sign"
        ),
        "sign_twice": of("order", "It has signed already.", REGISTRY_ROWS, step="sign"),
        "sign_nothing_there": of(
            "order",
            "The registry's has not come.",
            b"",
            without="list-4-commitment.pprl, unit-2-receipt.pprl",
            step="sign",
        ),
    }


def receipts() -> VECTOR:
    def of(expect: str, comment: str, data: bytes, file: str = "unit-2-receipt.pprl", **more: str) -> bytes:
        return vector(expect, more.pop("step", "read"), comment, data, folder="list", file=file, **more)

    def scored(expect: str, comment: str, data: bytes, file: str = "unit-3-scores.pprl") -> bytes:
        return vector(expect, "read", comment, data, folder="list", file=file)

    late = receipt([PROPOSAL, ACCEPTANCE, LIST_ROWS, LIST_PACKAGE, REGISTRY_ROWS])
    with_root = body_of(RECEIPT) | {"root": "00" * 32}
    return {
        "receipt_good": of("success", "A receipt as it should be.", RECEIPT),
        "receipt_fewer": of("mismatch", "It names two of three commitments.", receipt(SIGNED[:4])),
        "receipt_without_agreement": of("mismatch", "It names no terms.", receipt(SIGNED[2:])),
        "receipt_other_order": of("mismatch", "In another order.", late),
        "receipt_of_another_agreement": of("mismatch", "It says another agreement.", receipt(agreement="00" * 32)),
        "receipt_of_the_list": of("mismatch", "It says that it is the list owner's.", receipt(role="list")),
        "receipt_extra_key": of("format", "A key too many.", statement("pprl-rcp", with_root, UNIT)),
        "receipt_answers_text": of("format", "Text in place of a list.", receipt(answers="x")),
        "receipt_attachment": of("format", "A receipt with an attachment.", receipt(attachment=b"more")),
        "receipt_signed_by_registry": of("forged", "The registry owner signs for the unit.", receipt(signer=REGISTRY)),
        "receipt_signed_by_outsider": of("forged", "An outsider signs.", receipt(signer=OUTSIDER)),
        "receipt_signature_bit": of("forged", "A bit of the signature.", RECEIPT[:-1] + bytes([RECEIPT[-1] ^ 1])),
        "receipt_two": of(
            "mismatch", "A second receipt, over less, beside the good one.", receipt(SIGNED[:4]), "again.pprl"
        ),
        "receipt_missing": of("order", "No receipt, so nothing is sealed.", b"", step="encode"),
        "receipt_there": of("success", "The receipt is there: seal.", RECEIPT, step="encode"),
        "scores_good": scored("success", "A score table as it should be.", TABLE),
        "scores_detached": scored("success", "Without its scores, as owners get it.", detached(TABLE)),
        "scores_replaced": scored("forged", "Other scores.", TABLE[:-1] + bytes([TABLE[-1] ^ 1])),
        "scores_cut": scored("format", "Cut within the scores.", TABLE[:-1]),
        "scores_signed_by_registry": scored("forged", "The registry owner signs.", detached(table(signer=REGISTRY))),
        "scores_of_another_run": scored(
            "mismatch", "They answer another receipt.", detached(table(answers=["00" * 32] * 3))
        ),
        "scores_of_another_agreement": scored("mismatch", "Another agreement.", detached(table(agreement="00" * 32))),
        "scores_one_package": scored(
            "mismatch", "They name one package.", detached(table(answers=body_of(TABLE)["answers"][:2]))
        ),
        "scores_of_the_list": scored(
            "mismatch", "They say that they are the list owner's.", detached(table(role="list"))
        ),
        "scores_hash_short": scored("format", "A hash of 31 bytes.", detached(table(scores="00" * 31))),
        "scores_two": scored("forged", "Two score tables.", detached(table(scores="00" * 32)), "again.pprl"),
    }


def keystores() -> VECTOR:
    def of(expect: str, comment: str, data: bytes, **more: str) -> bytes:
        return vector(expect, "keystore", comment, data, **more)

    good = keystore("registry")
    opened = {"matter": "lugovo-2022", "role": "registry"}
    opened |= {name: seed.hex() for name, seed in zip(("signing", "kem", "x25519"), REGISTRY.seeds, strict=True)}
    return {
        "keystore_good": of("success", "A keystore as it should be.", good),
        "keystore_magic": of("format", "A kind that nobody knows.", b"pprl-xyz" + good[8:]),
        "keystore_kind_card": of("format", "A card.", CARDS["registry"]),
        "keystore_version_1": of("format", "Version 1.", keystore("registry", version=1)),
        "keystore_suite_2": of("format", "Suite 2.", keystore("registry", suite=2)),
        "keystore_empty": of("format", "Nothing.", b""),
        "keystore_cut_in_header": of("format", "Cut within the header.", good[:30]),
        "keystore_cut_behind_header": of("format", "Cut behind the header.", good[:44]),
        "keystore_cut_in_tag": of("format", "Less than a tag behind the header.", good[:59]),
        "keystore_cut": of("forged", "Cut by a byte.", good[:-1]),
        "keystore_trailing": of("forged", "A byte behind the end.", good + b"\0"),
        "keystore_bit": of("forged", "A bit of what is locked.", put(good, 60, bytes([good[60] ^ 1]))),
        "keystore_salt_bit": of("forged", "A bit of the salt.", put(good, 16, bytes([good[16] ^ 1]))),
        "keystore_nonce_bit": of("forged", "A bit of the nonce.", put(good, 32, bytes([good[32] ^ 1]))),
        "keystore_passphrase": of("forged", "Another passphrase.", good, passphrase="seven other words of a vector"),
        "keystore_passphrase_space": of("forged", "A space behind it.", good, passphrase=f"{PASSPHRASE} ."),
        "keystore_memory_below": of("format", "Less memory than the least.", keystore("registry", memory=8 * 1024 - 1)),
        "keystore_memory_zero": of("format", "No memory.", put(good, 12, bytes(4))),
        "keystore_memory_above": of(
            "format", "A kibibyte above the most.", put(good, 12, struct.pack("<I", 2**20 + 1))
        ),
        "keystore_memory_huge": of("format", "Four tebibytes.", put(good, 12, b"\xff" * 4)),
        "keystore_memory_changed": of("forged", "Other memory than it was made with.", put(good, 12, b"\1")),
        "keystore_shared": of("format", "Others on the machine can read it.", good, mode="640"),
        "keystore_spaces": of(
            "format", "What is locked is not in its one form.", keystore("registry", text=b'{"role": "registry"}')
        ),
        "keystore_no_state": of(
            "format", "No state.", keystore("registry", text=text_of({**opened, "seed": "00" * 32}))
        ),
        "keystore_role_unknown": of("format", "A role that nobody has.", keystore("registry", role="judge")),
        "keystore_role_list": of("format", "A list for a role.", keystore("registry", role=["registry"])),
        "keystore_matter_number": of("format", "A number for a matter.", keystore("registry", matter=7)),
        "keystore_seed_short": of("format", "A seed of 31 bytes.", keystore("registry", seed="00" * 31)),
        "keystore_kem_short": of("format", "A seed of 32 bytes for ML-KEM.", keystore("registry", kem="00" * 32)),
        "keystore_state_text": of("format", "Text for a state.", keystore("registry", state="x")),
    }


def packages() -> VECTOR:
    def of(expect: str, comment: str, side: str = "list", step: str = "package", **changed: object) -> bytes:
        return vector(expect, step, comment, json.dumps(changed).encode() + b"\n", side=side)

    other = {"file": "another"}
    return {
        "package_list_good": of("success", "A list's package as it should be."),
        "package_registry_good": of("success", "A registry's package as it should be.", "registry"),
        "package_magic": of("order", "It is no package, so none has come.", preamble={"kind": "pprl-xyz"}),
        "package_version_1": of("format", "Version 1.", preamble={"version": 1}),
        "package_suite_2": of("format", "Suite 2.", preamble={"suite": 2}),
        "package_cut_in_preamble": of(
            "format", "Cut within the preamble.", "registry", cut=8_192 + 1_136 + 2**20 + 1_137
        ),
        "package_cut_in_header": of("format", "Cut within the header.", "registry", cut=2**20 + 1_137),
        "package_cut_behind_header": of("format", "Cut behind the header.", "registry", cut=2**20 + 1_136),
        "package_cut": of("format", "Cut by a byte.", cut=1),
        "package_cut_at_border": of("format", "The last segment is missing.", order=[1]),
        "package_trailing": of("format", "A byte behind the end.", more="00"),
        "package_segment_twice": of("format", "The last segment once more.", order=[1, 2, 2]),
        "package_recipient": of(
            "mismatch", "It is for somebody else.", preamble={"recipient": hash_of(CARDS["registry"]).hex()}
        ),
        "package_sealed_for_another": of("forged", "It is sealed for somebody else.", sealed_for="outsider"),
        "package_header_recipient": of(
            "mismatch", "The header was signed for somebody else.", header={"recipient": "00" * 32}
        ),
        "package_header_of_another": of("mismatch", "The header of another package.", header={"preamble": "00" * 32}),
        "package_header_trailing": of("format", "A byte behind the header.", behind_header="00ff"),
        "package_header_two": of("format", "A second statement behind the header.", behind_header=RECEIPT.hex()),
        "package_header_none": of("format", "A header of zeroes.", in_header="nothing"),
        "package_header_receipt": of("format", "A receipt in place of the header.", in_header="receipt"),
        "package_header_extra_key": of("format", "A key too many.", header={"note": "x"}),
        "package_header_rows_text": of("format", "Text in place of a number.", header={"rows": "6"}),
        "package_header_stamp_short": of("format", "A stamp that is cut short.", header={"stamp": STAMP[:-1].hex()}),
        "package_header_root_capitals": of("format", "A root in capitals.", header={"root": "AB" * 32}),
        "package_header_role_unit": of("format", "The header names no owner.", header={"role": "unit"}),
        "package_header_role_swapped": of(
            "forged", "The list owner signs a header of the registry.", "registry", signer="list"
        ),
        "package_header_role_claimed": of(
            "forged", "His header says that it is the registry's.", header={"role": "registry"}
        ),
        "package_header_outsider": of("forged", "An outsider signs the header.", signer="outsider"),
        "package_agreement": of("mismatch", "Of another agreement.", header={"agreement": "00" * 32}),
        "package_receipt": of("mismatch", "It answers another receipt.", header={"answers": ["00" * 32]}),
        "package_no_receipt": of("mismatch", "It answers none.", header={"answers": []}),
        "package_hardening": of("mismatch", "Another hardening.", header={"stamp": stamp("plain", LENGTH).hex()}),
        "package_length": of("mismatch", "Another length.", header={"stamp": stamp("standard", 4096).hex()}),
        "package_length_none": of("format", "A length of no set.", header={"stamp": stamp("standard", 512).hex()}),
        "package_set": of("format", "A set that nobody knows.", header={"stamp": stamp("soft", LENGTH).hex()}),
        "package_encodings": of("format", "Two encodings a row.", header={"stamp": stamp("plain", 64, 2).hex()}),
        "package_key": of("mismatch", "Another linkage key.", header={"stamp": (STAMP[:-16] + bytes(16)).hex()}),
        "package_root": of("forged", "Another root than was committed to.", header={"root": "00" * 32}),
        "package_rows_more": of("forged", "More rows are said than there are.", header={"rows": 7}),
        "package_rows_fewer": of("format", "Fewer rows are said than there are.", header={"rows": 5}),
        "package_rows_none": of("format", "No rows are said.", header={"rows": 0}),
        "package_rows_of_three_segments": of("format", "More rows are said than fit.", header={"rows": 16_000}),
        "package_rows_petabytes": of("format", "Petabytes are said.", header={"rows": 2**53 - 1}),
        "package_row_added": of("forged", "One row more, said so.", rows=7, header={"rows": 7}),
        "package_row_left_out": of("forged", "One row fewer, said so.", rows=5, header={"rows": 5}),
        "package_rows_of_an_outsider": of(
            "forged", "A segment that an outsider sealed, with rows of his own.", rows_by="outsider"
        ),
        "package_other_rows": of(
            "forged",
            "Other rows than were committed to, which its owner signed.",
            rows_by="outsider",
            header={"root": root_of("list", rows_of("list", "outsider")).hex()},
        ),
        "package_rows_read_huge": of("format", "2 to the power of 53 rows were read.", header={"rows_read": 2**53}),
        "package_rows_read_most": of("success", "One less.", header={"rows_read": 2**53 - 1}),
        "package_rows_read_negative": of("format", "Fewer than no rows were read.", header={"rows_read": -1}),
        "package_decoys_negative": of("format", "Fewer than no decoys.", "registry", header={"decoys": -1}),
        "package_decoys_text": of("format", "Decoys that are no number.", "registry", header={"decoys": "3"}),
        "package_registry_of_an_outsider": of("forged", "The same in a registry.", "registry", rows_by="outsider"),
        "package_behind_rows": of("format", "A byte behind the rows.", behind_rows="01"),
        "package_at_end": of("format", "The very last byte.", at_end="80"),
        "package_spliced": of("forged", "Segments of another package of the same owner.", of_package=other),
        "package_reordered": of("forged", "Two segments change places.", order=[2, 1]),
        "package_repeated": of("forged", "The first segment in place of the second.", order=[1, 1]),
        "package_last_twice": of("forged", "The second in place of the first.", order=[2, 2]),
        "package_last_not_said": of("forged", "The last segment was not sealed as the last.", lasts=[False, False]),
        "package_first_said_last": of("forged", "The first was sealed as the last.", lasts=[True, True]),
        "package_registry_not_last": of("forged", "The only one was not.", "registry", lasts=[False]),
        "match_good": of("success", "The linkage unit compares.", step="match"),
        "match_list_too_long": of("refused", "More rows than were agreed.", step="match", header={"rows": 10_321}),
        "match_registry_too_long": of("refused", "The same.", "registry", step="match", header={"rows": 101}),
        "match_list_too_short": of("refused", "Fewer than were agreed.", step="match", header={"rows": 1}),
        "match_registry_too_short": of("refused", "The same.", "registry", step="match", header={"rows": 19}),
        "match_rows_of_an_outsider": of(
            "forged",
            "A result that is made before the root is known does not get out.",
            "registry",
            "match",
            rows_by="outsider",
        ),
    }


AFTER = ", ".join(
    ["unit-3-query.pprl, registry-5-acknowledgement.pprl, list-6-reveal.pprl"]
    + [f"unit-4-result-for-the-{owner}.pprl" for owner in ("list", "registry")]
)


def endings() -> VECTOR:
    """Statements after the scores, as whoever reads a folder looks at them."""
    files = {
        "acknowledgement": ("registry-5-acknowledgement.pprl", "pprl-ack", "registry", [TABLE], b"", {}),
        "query": ("unit-3-query.pprl", "pprl-ask", "unit", [TABLE], IDS, {}),
        "reveal": ("list-6-reveal.pprl", "pprl-rev", "list", JUDGED[:2], b"".join(LABELS) + PLANTED, SAID),
        "answers": ("list-6-reveal.pprl", "pprl-ans", "list", [QUERY], TAGS, {}),
        "result": (
            "unit-4-result-for-the-list.pprl",
            "pprl-res",
            "unit",
            JUDGED,
            REPORT,
            {"evidence_and_audit": HIDDEN},
        ),
        "release": ("unit-4-result-for-the-list.pprl", "pprl-rel", "unit", [RESULT], made_up("no release", 200), {}),
        "evidence": ("evidence.pprl", "pprl-evi", "unit", [RESULT], evidence_of(), {"nonce": EVIDENCE_NONCE.hex()}),
    }
    before = {
        "acknowledgement": [],
        "query": [],
        "reveal": ["acknowledgement"],
        "answers": ["query"],
        "result": ["query", "acknowledgement", "reveal", "answers"],
        "release": ["query", "acknowledgement", "reveal", "answers", "result"],
        "evidence": ["query", "acknowledgement", "reveal", "answers", "result"],
    }
    good = {"query": QUERY, "acknowledgement": ACKNOWLEDGEMENT, "reveal": REVEAL, "answers": ANSWERS, "result": RESULT}
    told = {}
    for what, (file, kind, role, upon, attachment, more) in files.items():
        there = b"".join(good[each] for each in before[what])

        def of(expect: str, comment: str, data: bytes, *, there: bytes = there, file: str = file) -> bytes:
            return vector(expect, "ended", comment, there + data, folder="unit", file=file, without=AFTER)

        def made(*, kind: str = kind, role: str = role, upon: list = upon, attachment: bytes = attachment,
                 more: dict = more, **changed: object) -> bytes:  # fmt: skip
            return later(kind, role, upon, attachment, **{**more, **changed})

        whole = made()
        other = REGISTRY if role != "registry" else LIST
        told |= {
            f"{what}_good": of("success", "As it should be.", whole),
            f"{what}_twice_the_same": of("success", "Once more.", whole + whole),
            f"{what}_extra_key": of("format", "A key too many.", made(note="x")),
            f"{what}_answers_text": of("format", "Text in place of a list.", made(answers="x")),
            f"{what}_answers_nothing": of("mismatch", "It answers nothing.", made(answers=[])),
            f"{what}_answers_other": of("mismatch", "It answers others.", made(answers=["00" * 32] * len(upon))),
            f"{what}_of_another_agreement": of("mismatch", "Another agreement.", made(agreement="00" * 32)),
            f"{what}_of_another_role": of("mismatch", "Another role.", made(signer=PARTIES[role], role="auditor")),
            f"{what}_signed_by_another": of("forged", "Another party signs.", made(signer=other)),
            f"{what}_signed_by_outsider": of("forged", "An outsider signs.", made(signer=OUTSIDER)),
            f"{what}_signed_as_receipt": of("forged", "Signed as a receipt.", statement(
                kind, body_of(whole), PARTIES[role], attachment, said="pprl-rcp")),
            f"{what}_cut": of("format", "Cut by a byte.", whole[:-1]),
        }  # fmt: skip
        if kind == "pprl-ack":
            told[f"{what}_attachment"] = of("format", "It has an attachment.", made(attachment=b"more"))
            continue
        named = next(key for key in body_of(whole) if body_of(whole)[key] == sha(attachment).hex())
        told |= {
            f"{what}_detached": of("success", "Without what is attached, which its hash names.", detached(whole)),
            f"{what}_attachment_bit": of("forged", "A bit of what is attached.", whole[:-1] + bytes([whole[-1] ^ 1])),
            f"{what}_hash_short": of("format", "A hash of 31 bytes.", detached(made(**{named: "00" * 31}))),
            f"{what}_hash_capitals": of("format", "A hash in capitals.", detached(made(**{named: "AB" * 32}))),
            f"{what}_two": of("forged", "Two that differ.", whole + detached(made(**{named: "00" * 32}))),
        }
    early = later("pprl-rev", "list", [TABLE], b"".join(LABELS), **SAID)
    told["reveal_before_acknowledgement"] = vector(
        "mismatch", "ended", "It answers scores alone.", early, folder="unit", file="list-6-reveal.pprl", without=AFTER
    )  # fmt: skip
    told["reveal_rows_text"] = vector(
        "format", "ended", "Text in place of a number.",
        ACKNOWLEDGEMENT + later("pprl-rev", "list", JUDGED[:2], b"", rows_read="3", fallbacks=0),
        folder="unit", file="list-6-reveal.pprl", without=AFTER,
    )  # fmt: skip
    return told


def opened() -> VECTOR:
    """Labels against the roots. ``labels`` of all rows are in the vector; what was committed to is made of
    them where ``committed`` says so, so that it is the labels themselves that are wrong."""

    def of(expect: str, comment: str, labels: list[bytes], committed: bool = False, planted: bytes = PLANTED) -> bytes:
        rows = rows_of("list", labels=labels) if committed else rows_of("list")
        leaves = [leaf("list", row) for row in rows]
        real = [one for one, each in zip(leaves, labels if committed else LABELS, strict=True) if each[16] in (0, 3, 4)]
        halves = b"".join(sha(row[:-32]) for row in rows)
        told = {"attachment": (b"".join(labels) + planted).hex(), "halves": halves.hex(), "planted": sha(PLANTED).hex()}
        told |= {"list_root": root(sorted(real)).hex(), "package_root": root(leaves).hex()}
        return vector(expect, "open", comment, text_of(told) + b"\n")

    def one(expect: str, comment: str, at: int = 0, committed: bool = True, **changed: object) -> bytes:
        return of(expect, comment, [*LABELS[:at], label(at, **changed), *LABELS[at + 1 :]], committed)

    def spelled(expect: str, comment: str, of_person: int = 0, made_up: tuple[int, int] = (5, 3)) -> bytes:
        """Two people of whom the first has a second name, his decoy with one, and a relative of the second."""
        kind, place = made_up
        second = label(2, kind=4, person=of_person), label(3, person=0), label(4, kind=kind, person=place)
        return of(expect, comment, [*LABELS[:2], *second, label(5, person=1)], True)

    return {
        "open_good": of("success", "Labels as committed to.", LABELS),
        "open_good_committed": of("success", "The same, the roots made again.", LABELS, True),
        "open_one_less": of("format", "One label too few.", LABELS[:-1], planted=b""),
        "open_one_more": of("forged", "One label too many.", [*LABELS, LABELS[0]]),
        "open_other_planted": of("forged", "A planted decoy is more similar.", LABELS, planted=PLANTED[:-1] + b"\1"),
        "open_no_planted": of("forged", "No planted decoys.", LABELS, planted=b""),
        "open_more_planted": of("forged", "A byte behind the planted decoys.", LABELS, planted=PLANTED + b"\0"),
        "open_swapped": of("forged", "Two labels change places.", [LABELS[1], LABELS[0], *LABELS[2:]]),
        "open_real_as_decoy": one("forged", "A person is called a decoy.", committed=False, kind=1),
        "open_decoy_as_real": one("forged", "A decoy is called a person.", 3, committed=False, kind=0),
        "open_other_stratum": one("forged", "Another stratum than committed to.", committed=False, stratum=1),
        "open_other_nonce": of("forged", "A bit of a nonce.", [bytes([LABELS[0][0] ^ 1]) + LABELS[0][1:], *LABELS[1:]]),
        "open_kind_6": one("format", "A kind that there is not.", 4, kind=6),
        "open_spelling": spelled("success", "A second name of a person, and one of his decoy."),
        "open_spelling_of_nobody": spelled("format", "One of a person that there is not.", of_person=2),
        "open_spelling_untried": spelled("format", "His decoy has none.", made_up=(1, 1)),
        "open_spelling_of_a_person": spelled("format", "What is made up is said to be of a person.", made_up=(5, 0)),
        "open_spelling_of_another": spelled("format", "The relative of another has it.", made_up=(5, 5)),
        "open_spelling_nowhere": spelled("format", "A place behind the last row.", made_up=(5, 6)),
        "open_completeness_9": one("format", "A class that there is not.", completeness=9),
        "open_eligible_3": one("format", "Neither yes nor no nor unknown.", eligible=3),
        "open_person_3": one("format", "A person that there is not.", 3, person=3),
        "open_person_twice": one("format", "One person twice and another not at all.", person=1),
        "open_stratum_3": one("format", "A place behind the end of its list.", stratum=3),
        "open_stratum_minus_2": one("format", "A place before other.", stratum=-2),
        "open_filled_3": one("format", "A digit that says nothing.", filled="223"),
        "open_filled_letter": one("format", "A letter for a digit.", filled="22x"),
        "open_stratum_2": one("success", "The last place of its list.", stratum=2),
        "open_eligible_2": one("success", "Nobody who could be there.", eligible=2),
        "open_control": one("success", "A control beside two decoys.", 5, kind=3, person=0),
        "open_one_person": of(
            "refused",
            "Fewer people than were agreed.",
            [LABELS[0], *(label(at, kind=1, person=0) for at in range(1, 6))],
            True,
        ),
    }  # fmt: skip


def evidence() -> VECTOR:
    def of(expect: str, comment: str, data: bytes) -> bytes:
        return vector(expect, "evidence", comment, data)

    def head(comment: str, expect: str = "format", **changed: object) -> bytes:
        return of(expect, comment, evidence_of(changed))

    whole = evidence_of()
    return {
        "evidence_form_good": of("success", "As it should be.", whole),
        "evidence_form_empty": of("format", "Nothing.", b""),
        "evidence_form_cut": of("format", "Cut by a byte.", whole[:-1]),
        "evidence_form_cut_in_size": of("format", "Cut within the size.", whole[:7]),
        "evidence_form_trailing": of("format", "A byte behind the end.", evidence_of(more=b"x")),
        "evidence_form_size_huge": of("format", "A head without end.", b"\xff" * 8 + whole[8:]),
        "evidence_form_spaces": of("format", "A head not in its one form.", evidence_of(text=b'{"rows": 6}')),
        "evidence_form_no_head": of("format", "A head of nothing.", evidence_of(text=b"{}")),
        "evidence_form_rows_huge": head("Rows without number.", rows=2**53 - 1),
        "evidence_form_product_wraps": head("Numbers whose product is 0 in 64 bits.", rows=2**52, fields=2**12),
        "evidence_form_rows_text": head("Text in place of a number.", rows="6"),
        "evidence_form_looks_two": head("Two numbers where there are three.", looks=[0, 0]),
        "evidence_form_near_list": head("A list in place of a table.", near=[["list", 0, 3]]),
        "evidence_form_near_one": head("How many, and not of how many.", near={"list": [0]}),
        "evidence_form_filled_short": head("A name of 15 bytes.", filled=[["00" * 15, "222"]]),
        "evidence_form_filled_text": head("A name alone.", filled=["00" * 16]),
        "evidence_form_best_5": of("format", "A sixth of five ids.", evidence_of(best=bytes([0, 1, 2, 3, 4, 5]))),
        "evidence_form_best_254": of("format", "Nearly none.", evidence_of(best=bytes([0, 1, 2, 3, 4, 254]))),
    }


def releases() -> VECTOR:
    def of(expect: str, comment: str, data: bytes) -> bytes:
        return vector(expect, "release", comment, RESULT + data, folder="list", file="unit-4-result-for-the-list.pprl")

    return {
        "release_opens": of("success", "It opens for the list owner.", RELEASE),
        "release_not_sealed": of("forged", "Nothing was sealed.", release("")),
        "release_for_another": of("forged", "Sealed for the other.", release("release to registry", to=REGISTRY)),
        "release_of_another_result": of(
            "forged", "Sealed beside another result.", release("release of another", of=ACKNOWLEDGEMENT)
        ),
        "release_other_row": of(
            "forged", "A row that is not of the list.",
            release("release of no row", text_of({"pairs": [["00" * 16, "00" * 16]]})),
        ),
        "release_no_pairs": of("forged", "No pairs in it.", release("release of nothing", text_of({}))),
        "release_name_of_a_formula": of(
            "forged",
            "A pair is called by a formula.",
            release("release of a formula", text_of({"pairs": [[rows_of("list")[0][:16].hex(), "=1+1"]]})),
        ),
        "release_name_too_short": of(
            "forged",
            "A pair is called by 31 digits.",
            release("release of a short name", text_of({"pairs": [[rows_of("list")[0][:16].hex(), "0" * 31]]})),
        ),
        "release_pair_of_three": of(
            "forged", "A pair of three.", release("release of three", text_of({"pairs": [["00" * 16, "", ""]]}))
        ),
        "release_spaces": of("format", "Not in its one form.", release("release with spaces", b'{"pairs": []}')),
        "release_missing": of("order", "There is none.", b""),
    }  # fmt: skip


def transcripts() -> VECTOR:
    """An auditor's folder up to the openings: what is behind them follows from the code that makes the report."""
    names = ["01-cards", "02-agreement", "03-commitments", "04-packages", "05-scores", "06-labels", "07-result"]
    headers = [package_start(side)[1] for side in ("list", "registry")]
    parts = [
        list(CARDS.values()),
        [detached(PROPOSAL), detached(ACCEPTANCE)],
        [LIST_ROWS, REGISTRY_ROWS, LIST_PACKAGE, RECEIPT],
        headers,
        [TABLE, QUERY],
        [ACKNOWLEDGEMENT, REVEAL, ANSWERS],
        [RESULT],
        [EVIDENCE],
    ]
    files = {f"{name}.pprl": each for name, each in zip([*names, "08-evidence"], parts, strict=True)}

    def of(expect: str, comment: str, file: str = "", told: list[bytes] | None = None) -> bytes:
        held = {**files, **({file: told or []} if file else {})}
        data = {name: b"".join(each).hex() for name, each in held.items()} | {"audit.json": AUDIT.hex()}
        return vector(expect, "auditor", comment, text_of(data | {"report.json": REPORT.hex()}) + b"\n")

    def less(file: str, at: int) -> list[bytes]:
        return [each for number, each in enumerate(files[file]) if number != at]

    other = package_start("list", header={"rows": 5})[1]
    return {
        "auditor_good": of("success", "A whole folder."),
        "auditor_no_auditors_card": of("format", "No card of the unit.", "01-cards.pprl", less("01-cards.pprl", 2)),
        "auditor_two_cards": of("forged", "Two of a role.", "01-cards.pprl", [*parts[0], card("unit", OUTSIDER)]),
        "auditor_statement_among_cards": of("format", "A receipt.", "01-cards.pprl", [*parts[0], RECEIPT]),
        "auditor_no_acceptance": of("format", "The proposal alone.", "02-agreement.pprl", less("02-agreement.pprl", 1)),
        "auditor_no_receipt": of("format", "No receipt.", "03-commitments.pprl", less("03-commitments.pprl", 3)),
        "auditor_one_header": of("format", "One header.", "04-packages.pprl", headers[:1]),
        "auditor_headers_swapped": of("mismatch", "In the other order.", "04-packages.pprl", headers[::-1]),
        "auditor_other_header": of("mismatch", "Not the one scored.", "04-packages.pprl", [other, headers[1]]),
        "auditor_header_forged": of(
            "forged",
            "An outsider signs.",
            "04-packages.pprl",
            [package_start("list", signer="outsider")[1], headers[1]],
        ),
        "auditor_no_scores": of("format", "Without scores.", "05-scores.pprl", [detached(TABLE), QUERY]),
        "auditor_no_query": of("format", "No query.", "05-scores.pprl", [TABLE]),
        "auditor_no_ids": of("format", "A query without its ids.", "05-scores.pprl", [TABLE, detached(QUERY)]),
        "auditor_no_labels": of("format", "No labels.", "06-labels.pprl", [ACKNOWLEDGEMENT, detached(REVEAL), ANSWERS]),
        "auditor_no_tags": of("format", "No answers in it.", "06-labels.pprl", [*parts[5][:2], detached(ANSWERS)]),
        "auditor_no_acknowledgement": of("format", "Not acknowledged.", "06-labels.pprl", [REVEAL, ANSWERS]),
        "auditor_other_order": of("format", "Another order.", "06-labels.pprl", [REVEAL, ACKNOWLEDGEMENT, ANSWERS]),
        "auditor_two_results": of("format", "The result twice.", "07-result.pprl", [RESULT, RESULT]),
        "auditor_no_report": of("format", "Without its report.", "07-result.pprl", [detached(RESULT)]),
        "auditor_no_evidence": of("format", "Without evidence.", "08-evidence.pprl", [detached(EVIDENCE)]),
        "auditor_release": of("format", "A release beside the evidence.", "08-evidence.pprl", [EVIDENCE, RELEASE]),
    }


def sealed_files() -> VECTOR:
    """A file from the list owner to the linkage unit."""

    def of(expect: str, comment: str, role: str = "unit", data: bytes | None = None, **changed: object) -> bytes:
        made = sealed_file("list", "unit", b"statements", **{"seal": "a sealed file", **changed})
        return vector(expect, "sealed", comment, made if data is None else data, role=role)

    good = sealed_file("list", "unit", b"statements", seal="a sealed file")

    def changed(at: int) -> bytes:
        return put(good, at, bytes([good[at] ^ 1]))

    return {
        "sealed_for_its_reader": of("success", "As the linkage unit opens it."),
        "sealed_by_its_maker": of("success", "As the list owner opens their own copy.", "list"),
        "sealed_for_others": of("mismatch", "The registry owner is neither.", "registry"),
        "sealed_in_another_exchange": of("forged", "Of another exchange.", exchange="lugovo-2021", seal="elsewhere"),
        "sealed_renamed": of("forged", "Said to be from the registry owner.", named=(1, 2)),
        "sealed_turned_round": of("forged", "Said to be from the reader to the maker.", named=(2, 0)),
        "sealed_for_itself": of("format", "Maker and reader are one.", named=(2, 2)),
        "sealed_for_a_fifth": of("format", "A role that there is not.", named=(0, 4)),
        "sealed_too_long": of("format", "128 KiB and one byte.", length=(1 << 17) + 1),
        "sealed_cut": of("format", "The last byte is missing.", data=good[:-1]),
        "sealed_start": of("format", "Nothing but its preamble.", data=good[:10]),
        "sealed_key_bit": of("forged", "A bit of the key for the reader.", data=changed(1_300)),
        "sealed_nonce_bit": of("forged", "A bit of the nonce.", data=changed(2_350)),
        "sealed_last_bit": of("forged", "A bit of the end.", data=changed(len(good) - 1)),
        "sealed_more_inside": of("format", "Longer statements than there are bytes.", size=1 << 40),
        "sealed_behind": of("format", "Something behind the statements.", behind=b"x"),
        "sealed_version": of("format", "Another version.", data=put(good, 8, b"\1")),
    }


def vectors() -> VECTOR:
    told: VECTOR = {}
    parts = (files_of_statements, cards, sets_of_cards, words_heard, proposals, acceptances, commitments, receipts)
    for part in (*parts, keystores, packages, endings, opened, evidence, releases, transcripts, sealed_files):
        made = part()
        assert not told.keys() & made.keys()
        told |= made
    return told


def build() -> dict[Path, bytes]:
    """The path of each file and its bytes."""
    told = {MATTER / name: data for name, data in matter().items()}
    told |= {VECTORS / name: data for name, data in vectors().items()}
    return told | {MATTER / "seals.json": (json.dumps(seals(), indent=1, sort_keys=True) + "\n").encode()}


if __name__ == "__main__":
    built = build()
    for folder in (MATTER, VECTORS):
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            if path not in built:
                path.unlink()
    for path, data in built.items():
        path.write_bytes(data)
