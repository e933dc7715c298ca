"""The linkage schema of clkhash, version 3: which column becomes which tokens, and how many bits each.

Read completely, and more strictly where clkhash would fail later or would do something else than it says; every fault
is named at once, by its place in the document. What clkhash does is described as it was seen to do it, version 0.18.3.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Literal

from pprl.core.errors import SchemaError

MAX_LENGTH = 1 << 20  # bits of a filter before folding
MAX_DERIVED = 255  # blocks of HKDF (RFC 5869 §2.3)
HASH_BYTES = {"SHA256": 32, "SHA512": 64}
ENCODINGS = ("ascii", "utf-8", "utf-16", "utf-32")


class UnfitError(ValueError):
    """A value that the format does not allow; the message says what is wanted, and never the value."""


@dataclass(frozen=True)
class Text:
    encoding: str = "utf-8"
    case: Literal["upper", "lower", "mixed"] = "mixed"
    least: int = 0
    most: int | None = None
    pattern: str | None = None

    def canonical(self, value: str) -> str:
        """The value as it is; the format only says which values are allowed."""
        if self.pattern is not None:
            if re.fullmatch(self.pattern, value) is None:
                raise UnfitError("text of the schema's pattern is wanted")
            return value
        if self.case != "mixed" and value != getattr(value, self.case)():
            raise UnfitError(f"{self.case} case is wanted")
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            raise UnfitError(
                f"{self.least} to {self.most if self.most is not None else 'any number of'} letters wanted"
            )
        return value


@dataclass(frozen=True)
class Integer:
    least: int | None = None
    most: int | None = None
    encoding = "utf-8"

    def canonical(self, value: str) -> str:
        """In base 10 without leading zeros, sign of plus, or spaces."""
        try:
            number = int(value, base=10)
        except ValueError:
            raise UnfitError("an integer is wanted") from None
        if (self.least is not None and number < self.least) or (self.most is not None and number > self.most):
            raise UnfitError("an integer within the schema's bounds is wanted")
        return str(number)


@dataclass(frozen=True)
class Date:
    format: str
    encoding = "utf-8"

    def canonical(self, value: str) -> str:
        """YYYYMMDD; years before 1000 without zeros, as strftime leaves them where clkhash runs on Linux.

        Spelled out, since later versions of Python pad them.
        """
        found = self.plain and self.plain.fullmatch(value)
        try:
            day = (
                date(*map(int, found.group("year", "month", "day"))) if found else datetime.strptime(value, self.format)
            )
        except ValueError:
            raise UnfitError(f"a date as {self.format} is wanted") from None
        return f"{day.year}{day.month:02}{day.day:02}"

    @cached_property
    def plain(self) -> re.Pattern[str] | None:
        """Four digits, two and two, if the format is of a year, a month and a day: then they can be read in one way
        only, and strptime, which takes ten times as long, is spared."""
        pieces = re.split("(%.)", self.format)
        if sorted(pieces[1::2]) != ["%Y", "%d", "%m"]:
            return None
        digits = {"%Y": "(?P<year>[0-9]{4})", "%m": "(?P<month>[0-9]{2})", "%d": "(?P<day>[0-9]{2})"}
        return re.compile("".join(digits.get(piece) or re.escape(piece) for piece in pieces))


@dataclass(frozen=True)
class Enum:
    values: tuple[str, ...]
    encoding = "utf-8"

    def canonical(self, value: str) -> str:
        if value not in self.values:
            raise UnfitError("one of the schema's values is wanted")
        return value


@dataclass(frozen=True)
class Ngram:
    n: int
    positional: bool = False

    def tokens(self, value: str) -> list[str]:
        """All windows of n letters of the value between n − 1 spaces; repeated ones count again."""
        if not value:
            return []
        padding = " " * (self.n - 1)
        padded = f"{padding}{value}{padding}"
        windows = [padded[at : at + self.n] for at in range(len(padded) - self.n + 1)]
        return [f"{at} {window}" for at, window in enumerate(windows, 1)] if self.positional else windows


@dataclass(frozen=True)
class Exact:
    def tokens(self, value: str) -> list[str]:
        return [value] if value else []


@dataclass(frozen=True)
class Numeric:
    """Numbers less than ``distance`` apart share tokens, the more the nearer; ``step`` is that distance as an integer
    after ``precision`` decimals."""

    step: int
    resolution: int
    precision: int = 0

    def tokens(self, value: str) -> list[str]:
        """2 · resolution + 1 multiples of the step, around the value times 2 · resolution."""
        if not value:
            return []
        try:
            number = self._scaled(value) * 2 * self.resolution
            if over := number % self.step:
                # Half the step is a float, as it is there: beyond 2^53 it is rounded, and an exact one is another.
                number += -over if over < self.step / 2 else self.step - over
            return [str(number + at * self.step) for at in range(-self.resolution, self.resolution + 1)]
        except (ValueError, OverflowError):  # no number, not a finite one, or more digits than Python writes
            raise UnfitError("a finite number is wanted") from None

    def _scaled(self, value: str) -> int:
        try:
            return int(value) * int(10**self.precision)
        except ValueError:
            number = float(value)
            return round(number * 10**self.precision) if self.precision else int(number)


@dataclass(frozen=True)
class Feature:
    """A column. ``per_token`` bits for each token, or ``per_feature`` bits shared among the tokens of a value."""

    identifier: str
    format: Text | Integer | Date | Enum
    comparison: Ngram | Exact | Numeric
    per_token: int | None
    per_feature: int | None
    double_hash: bool = False
    prevent_singularity: bool = False
    sentinel: str | None = None
    replacement: str | None = None

    @property
    def allows_everything(self) -> bool:
        """Every text is a value, and stands for itself."""
        return self.format == Text() and self.sentinel is None

    def canonical(self, value: str) -> str:
        """UnfitError: the format does not allow the value, or its encoding cannot hold what is hashed."""
        if value != self.sentinel:
            value = self.format.canonical(value)
        elif self.replacement is not None:
            value = self.replacement
        try:
            value.encode(self.format.encoding)
        except UnicodeEncodeError:
            raise UnfitError(f"text in {self.format.encoding} is wanted") from None
        return value

    def tokens(self, value: str) -> list[tuple[str, int]]:
        """The tokens of a canonical value, and how many bits each sets before collisions."""
        found = self.comparison.tokens(value)
        return list(zip(found, self.bits(len(found)), strict=True))

    def bits(self, count: int) -> list[int]:
        """How many bits each of so many tokens of one value sets; the first ones get what is left over."""
        if self.per_token is not None or not count:
            return [self.per_token or 0] * count
        each, rest = divmod(self.per_feature or 0, count)
        return [each + 1] * rest + [each] * (count - rest)


@dataclass(frozen=True)
class LinkageSchema:
    """``features`` are the columns in their order, None for an ignored one; ``length`` is that of the folded filter."""

    length: int
    folds: int
    kdf_hash: Literal["SHA256", "SHA512"]
    salt: bytes | None
    info: bytes | None
    key_bytes: int
    identifiers: tuple[str, ...]
    features: tuple[Feature | None, ...]
    unknown: tuple[str, ...] = ()

    @property
    def unfolded(self) -> int:
        return self.length << self.folds

    def habits(self) -> list[str]:
        """What is insecure in what the schema asks for, and what to do instead."""
        said = ["clkhash hardens nothing: plain filters fall to a handful of known pairs (`pprl risk` shows it)"]
        if any(feature and feature.double_hash for feature in self.features):
            said.append("doubleHash has few patterns of bits and falls to frequency attacks: take blakeHash")
        return said


def parse_linkage_schema(text: str) -> LinkageSchema:
    """SchemaError: every fault of the document, each with its place."""
    try:
        data = json.loads(text, object_pairs_hook=_no_repetition)
    except (ValueError, RecursionError) as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        why = str(error) if isinstance(error, _RepeatedKeyError) else "no JSON"
        raise SchemaError(f"the linkage schema is {why}{where}", hint="export it again from clkhash") from None
    if not isinstance(data, dict):
        raise SchemaError(
            "the linkage schema is no JSON object", hint="a linkage schema of clkhash, version 3, is needed"
        )
    if data.get("version") in (1, 2):
        raise SchemaError(
            f"this is a linkage schema of version {data['version']:g}, and version 3 is read here",
            hint="let clkhash rewrite it: clkhash.schema.convert_to_latest_version",
        )
    return _Reader(data).schema()


class _RepeatedKeyError(ValueError):
    pass


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise _RepeatedKeyError(f"ambiguous: {json.dumps(twice[0])} stands twice in one object")
    return dict(pairs)


class _Reader:
    """Takes values out of the document and remembers what is wrong with them."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._faults: list[str] = []
        self._unknown: list[str] = []

    def schema(self) -> LinkageSchema:
        data = self._data
        self.known(data, "", ("version", "clkConfig", "features"), strict=False)
        if data.get("version") != 3 or isinstance(data.get("version"), bool):
            self.wrong("version", "3 is needed")
        config = self.object(data, "clkConfig", "")
        self.known(config, "clkConfig", ("l", "kdf", "xor_folds", "xorFolds"), strict=False)
        length = self.integer(config, "l", "clkConfig", least=1, most=MAX_LENGTH)
        if "xorFolds" in config and not (type(config["xorFolds"]) is int and config["xorFolds"] == 0):
            self.wrong(
                "clkConfig.xorFolds",
                "clkhash's documents have this key, and clkhash itself ignores it: its filters are not folded. "
                "Delete the "
                "key for what clkhash really makes, or write xor_folds, which clkhash reads, for folded filters",
            )
        folds = self.integer(config, "xor_folds", "clkConfig", least=0, most=20, default=0)
        kdf = self.object(config, "kdf", "clkConfig")
        self.known(kdf, "clkConfig.kdf", ("type", "hash", "salt", "info", "keySize"), strict=False)
        self.word(kdf, "type", "clkConfig.kdf", ("HKDF",))
        hashed = self.word(kdf, "hash", "clkConfig.kdf", tuple(HASH_BYTES), default="SHA256")
        salt, info = (self.base64(kdf, name, "clkConfig.kdf") for name in ("salt", "info"))
        key_bytes = self.integer(kdf, "keySize", "clkConfig.kdf", least=1, default=64)
        columns = data.get("features")
        if not isinstance(columns, list):
            self.wrong("features", "a list is needed")
            columns = []
        elif not columns:
            self.wrong("features", "at least one column is needed")
        features = [self.feature(column, f"features[{at}]") for at, column in enumerate(columns)]
        blake = [at for at, (_, feature) in enumerate(features) if feature and not feature.double_hash]
        unfolded = length << folds
        if unfolded > MAX_LENGTH:
            self.wrong("clkConfig.l", f"at most {MAX_LENGTH:,} bits before folding")
        if blake and unfolded & (unfolded - 1):
            self.wrong("clkConfig.l", f"a power of two is needed for blakeHash (features[{blake[0]}])")
        if blake and key_bytes > 64:
            self.wrong("clkConfig.kdf.keySize", "at most 64 for blakeHash")
        if 2 * len(features) * key_bytes > MAX_DERIVED * HASH_BYTES[hashed]:
            self.wrong("clkConfig.kdf.keySize", "HKDF cannot derive so many bytes for so many features")
        if self._faults:
            raise SchemaError("\n".join(self._faults), hint="nothing was encoded; docs/interop.md says what is read")
        return LinkageSchema(
            length,
            folds,
            "SHA512" if hashed == "SHA512" else "SHA256",
            salt,
            info,
            key_bytes,
            tuple(identifier for identifier, _ in features),
            tuple(feature for _, feature in features),
            tuple(self._unknown),
        )

    def feature(self, column: Any, path: str) -> tuple[str, Feature | None]:
        if not isinstance(column, dict):
            self.wrong(path, "an object is needed")
            return "", None
        identifier, ignored = self.text(column, "identifier", path), self.flag(column, "ignored", path)
        if "description" in column:
            self.text(column, "description", path)
        if ignored and not {"format", "hashing"} & column.keys():
            self.known(column, path, ("identifier", "ignored", "description"))
            return identifier, None
        self.known(column, path, ("identifier", "ignored", "description", "format", "hashing"), strict=False)
        hashing, at = self.object(column, "hashing", path), f"{path}.hashing"
        self.known(hashing, at, ("comparison", "strategy", "hash", "missingValue"))
        hashed = self.object(hashing, "hash", at, default={"type": "blakeHash"})
        kind = self.word(hashed, "type", f"{at}.hash", ("blakeHash", "doubleHash"))
        self.known(hashed, f"{at}.hash", ("type", "prevent_singularity"), strict=False)
        singular = self.flag(hashed, "prevent_singularity", f"{at}.hash")
        if kind == "blakeHash" and "prevent_singularity" in hashed:
            self.wrong(f"{at}.hash.prevent_singularity", "goes with doubleHash only")
        strategy = self.object(hashing, "strategy", at)
        self.known(strategy, f"{at}.strategy", ("bitsPerToken", "bitsPerFeature"))
        if len(strategy) != 1:
            self.wrong(f"{at}.strategy", "either bitsPerToken or bitsPerFeature is needed")
        bits = {
            name: self.integer(strategy, name, f"{at}.strategy", least=1)
            for name in ("bitsPerToken", "bitsPerFeature")
            if name in strategy
        }
        missing = self.object(hashing, "missingValue", at, default={})
        self.known(missing, f"{at}.missingValue", ("sentinel", "replaceWith"), strict=False)
        if missing or "missingValue" in hashing:
            self.text(missing, "sentinel", f"{at}.missingValue")
        feature = Feature(
            identifier,
            self.format(self.object(column, "format", path), f"{path}.format"),
            self.comparison(self.object(hashing, "comparison", at), f"{at}.comparison"),
            bits.get("bitsPerToken"),
            bits.get("bitsPerFeature"),
            kind == "doubleHash",
            singular,
            missing.get("sentinel"),
            self.text(missing, "replaceWith", f"{at}.missingValue") if "replaceWith" in missing else None,
        )
        return identifier, None if ignored else feature

    def format(self, data: dict[str, Any], path: str) -> Text | Integer | Date | Enum:
        kind = self.word(data, "type", path, ("string", "integer", "date", "enum"))
        usual = ("type", "description")
        if "description" in data:
            self.text(data, "description", path)
        match kind:
            case "integer":
                self.known(data, path, (*usual, "minimum", "maximum"))
                bounds = (self.integer(data, name, path) if name in data else None for name in ("minimum", "maximum"))
                return Integer(*bounds)
            case "date":
                self.known(data, path, (*usual, "format"))
                form = self.text(data, "format", path)
                try:
                    sample = datetime(2001, 2, 3, tzinfo=UTC).strftime(form)  # with a zone, for %z and %Z
                    datetime.strptime(sample, form)
                except ValueError:
                    self.wrong(f"{path}.format", "no format of dates that Python's strptime knows")
                return Date(form)
            case "enum":
                self.known(data, path, (*usual, "values"))
                values = data.get("values")
                if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                    self.wrong(f"{path}.values", "a list of texts is needed")
                    values = []
                return Enum(tuple(values))
            case _:
                encoding = self.word(data, "encoding", path, ENCODINGS, default="utf-8")
                if "pattern" in data:
                    self.known(data, path, (*usual, "encoding", "pattern"))
                    return Text(encoding, pattern=self.pattern(data, path))
                self.known(data, path, (*usual, "encoding", "case", "minLength", "maxLength"))
                case = self.word(data, "case", path, ("upper", "lower", "mixed"), default="mixed")
                least = self.integer(data, "minLength", path, least=0, default=0)
                most = self.integer(data, "maxLength", path, least=1) if "maxLength" in data else None
                return Text(encoding, case, least, most)  # type: ignore[arg-type]

    def pattern(self, data: dict[str, Any], path: str) -> str:
        pattern = self.text(data, "pattern", path)
        try:
            re.compile(pattern)
        except (re.error, RecursionError):
            self.wrong(f"{path}.pattern", "no regular expression that Python reads")
            return ""
        return pattern

    def comparison(self, data: dict[str, Any], path: str) -> Ngram | Exact | Numeric:
        kind = self.word(data, "type", path, ("ngram", "exact", "numeric"))
        match kind:
            case "ngram":
                self.known(data, path, ("type", "n", "positional"), strict=False)
                return Ngram(self.integer(data, "n", path, least=1), self.flag(data, "positional", path))
            case "numeric":
                own = ("type", "thresholdDistance", "resolution", "fractional_precision")
                self.known(data, path, own, strict=False)
                distance = data.get("thresholdDistance")
                precision = self.integer(data, "fractional_precision", path, least=0, most=300, default=0)
                resolution = self.integer(data, "resolution", path, least=1, most=10_000)
                if isinstance(distance, bool) or not isinstance(distance, int | float) or not 0 < distance < math.inf:
                    self.wrong(f"{path}.thresholdDistance", "a number above 0 is needed")
                    return Numeric(1, 1)
                try:
                    step = round(distance * 10**precision)
                except OverflowError:
                    self.wrong(f"{path}.thresholdDistance", "too large for its fractional_precision")
                    return Numeric(1, 1)
                if step == 0:
                    self.wrong(f"{path}.thresholdDistance", "0 after rounding: raise fractional_precision")
                return Numeric(step or 1, resolution, precision)
            case _:
                return Exact()

    # -- single values ---------------------------------------------------------------------------------------------

    def wrong(self, path: str, why: str) -> None:
        self._faults.append(f"linkage schema, {path}: {why}")

    def known(self, data: dict[str, Any], path: str, names: Sequence[str], *, strict: bool = True) -> None:
        """Keys that clkhash refuses are faults; those that it ignores are only told."""
        for name in data:
            if name not in names:
                full = f"{path}.{name}" if path else name
                if strict:
                    close = difflib.get_close_matches(name, names, 1)
                    self.wrong(full, f"unknown key; did you mean '{close[0]}'?" if close else "unknown key")
                else:
                    self._unknown.append(full)

    def object(
        self, data: dict[str, Any], name: str, path: str, default: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        value = data.get(name, default)
        if not isinstance(value, dict):
            self.wrong(f"{path}.{name}" if path else name, "an object is needed")
            return {}
        return value

    def text(self, data: dict[str, Any], name: str, path: str) -> str:
        value = data.get(name)
        if not isinstance(value, str):
            self.wrong(f"{path}.{name}", "a text is needed")
            return ""
        return value

    def flag(self, data: dict[str, Any], name: str, path: str) -> bool:
        value = data.get(name, False)
        if not isinstance(value, bool):
            self.wrong(f"{path}.{name}", "true or false is needed")
        return value is True

    def word(self, data: dict[str, Any], name: str, path: str, words: Sequence[str], default: str | None = None) -> str:
        value = data.get(name, default)
        if value not in words:
            self.wrong(f"{path}.{name}", f"one of {', '.join(words)} is needed")
            return words[0]
        return str(value)

    def integer(
        self,
        data: dict[str, Any],
        name: str,
        path: str,
        *,
        least: int | None = None,
        most: int | None = None,
        default: int | None = None,
    ) -> int:
        value = data.get(name, default)
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
        if number is not None and (least is None or number >= least) and (most is None or number <= most):
            return number
        bounds = "" if least is None else f" of at least {least}" + (f" and at most {most:,}" if most else "")
        self.wrong(f"{path}.{name}", f"a whole number{bounds} is needed")
        return max(1, least or 1)

    def base64(self, data: dict[str, Any], name: str, path: str) -> bytes | None:
        if name not in data:
            return None
        text = "".join(self.text(data, name, path).split())  # a line end is no fault; clkhash drops more than that
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self.wrong(f"{path}.{name}", "base64 is needed")
            return None


def derived_keys(schema: LinkageSchema, secret: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Two keys for each column, ignored ones included: one call of HKDF (RFC 5869) with the secret as key material."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    size, count = schema.key_bytes, len(schema.features)
    if not count:
        return
    algorithm = hashes.SHA512() if schema.kdf_hash == "SHA512" else hashes.SHA256()
    derived = HKDF(algorithm, length=2 * count * size, salt=schema.salt, info=schema.info).derive(secret)
    for at in range(0, len(derived), 2 * size):
        yield derived[at : at + size], derived[at + size : at + 2 * size]
