"""The linkage schema of clkhash, version 3: which column becomes which tokens, and how many bits each.

All of it is read, more strictly where clkhash would fail later or do something other than it says; all faults are
reported at once, by their path in the document. What clkhash does is described as observed in version 0.18.3.
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
    """A value that the format does not allow; the message says what is expected, never the value."""


@dataclass(frozen=True, kw_only=True)
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
                raise UnfitError("expected text that matches the schema's pattern")
            return value
        if self.case != "mixed" and value != getattr(value, self.case)():
            raise UnfitError(f"expected {self.case} case")
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            raise UnfitError(
                f"expected {self.least} to {self.most if self.most is not None else 'any number of'} characters"
            )
        return value


@dataclass(frozen=True)
class Integer:
    least: int | None = None
    most: int | None = None
    encoding = "utf-8"

    def canonical(self, value: str) -> str:
        """In base 10 without leading zeros, plus sign or spaces."""
        try:
            number = int(value, base=10)
        except ValueError:
            raise UnfitError("expected an integer") from None
        if (self.least is not None and number < self.least) or (self.most is not None and number > self.most):
            raise UnfitError("expected an integer within the schema's bounds")
        return str(number)


@dataclass(frozen=True)
class Date:
    format: str
    encoding = "utf-8"

    def canonical(self, value: str) -> str:
        """YYYYMMDD; years before 1000 without leading zeros, as strftime writes them where clkhash runs on Linux.

        Spelled out here, since later versions of Python pad them.
        """
        found = self.plain and self.plain.fullmatch(value)
        try:
            day = (
                date(*map(int, found.group("year", "month", "day"))) if found else datetime.strptime(value, self.format)
            )
        except ValueError:
            raise UnfitError(f"expected a date as {self.format}") from None
        return f"{day.year}{day.month:02}{day.day:02}"

    @cached_property
    def plain(self) -> re.Pattern[str] | None:
        """Four digits, two and two, if the format has a year, a month and a day: then there is one way to read them,
        and strptime, which takes ten times as long, is not needed."""
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
            raise UnfitError("expected one of the schema's values")
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
        windows = [padded[start : start + self.n] for start in range(len(padded) - self.n + 1)]
        return [f"{number} {window}" for number, window in enumerate(windows, 1)] if self.positional else windows


@dataclass(frozen=True)
class Exact:
    def tokens(self, value: str) -> list[str]:
        return [value] if value else []


@dataclass(frozen=True)
class Numeric:
    """Numbers less than a distance apart share tokens, more if they are closer; ``step`` is that distance as an integer
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
                # Half the step is a float, as in clkhash: beyond 2^53 it is rounded and differs from an exact half.
                number += -over if over < self.step / 2 else self.step - over
            return [str(number + index * self.step) for index in range(-self.resolution, self.resolution + 1)]
        except (ValueError, OverflowError):  # not a number, not finite, or more digits than Python writes
            raise UnfitError("expected a finite number") from None

    def _scaled(self, value: str) -> int:
        try:
            return int(value) * int(10**self.precision)
        except ValueError:
            number = float(value)
            return round(number * 10**self.precision) if self.precision else int(number)


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A column: ``per_token`` bits for each token, or ``per_feature`` bits shared among the tokens of a value."""

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
        """Every text is a value and is its own canonical form."""
        return self.format == Text() and self.sentinel is None

    def canonical(self, value: str) -> str:
        """UnfitError: the format does not allow the value, or its encoding cannot represent what is hashed."""
        if value != self.sentinel:
            value = self.format.canonical(value)
        elif self.replacement is not None:
            value = self.replacement
        try:
            value.encode(self.format.encoding)
        except UnicodeEncodeError:
            raise UnfitError(f"expected text that {self.format.encoding} can represent") from None
        return value

    def tokens(self, value: str) -> list[tuple[str, int]]:
        """The tokens of a canonical value, and how many bits each sets before collisions."""
        tokens = self.comparison.tokens(value)
        return list(zip(tokens, self.bits(len(tokens)), strict=True))

    def bits(self, count: int) -> list[int]:
        """How many bits each of ``count`` tokens of one value sets; the first ones get the remainder."""
        if self.per_token is not None or not count:
            return [self.per_token or 0] * count
        fewer, extra = divmod(self.per_feature or 0, count)
        return [fewer + 1] * extra + [fewer] * (count - extra)


@dataclass(frozen=True, kw_only=True)
class LinkageSchema:
    """``features`` are the columns in order, None for an ignored one; ``length`` is that of the folded filter."""

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

    def warnings(self) -> list[str]:
        """What is insecure about filters by this schema, and what to do instead."""
        warnings = ["clkhash does not harden: plain filters fall to a handful of known pairs (`pprl risk` shows it)"]
        if any(feature and feature.double_hash for feature in self.features):
            warnings.append("doubleHash has few bit patterns and falls to frequency attacks: use blakeHash")
        return warnings


def parse_linkage_schema(text: str) -> LinkageSchema:
    """SchemaError: every fault of the document, each with its path."""
    try:
        data = json.loads(text, object_pairs_hook=_no_repetition)
    except (ValueError, RecursionError) as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        why = str(error) if isinstance(error, _RepeatedKeyError) else "not JSON"
        raise SchemaError(f"the linkage schema is {why}{where}", hint="export it again from clkhash") from None
    if not isinstance(data, dict):
        raise SchemaError("the linkage schema is not a JSON object", hint="name a linkage schema of clkhash, version 3")
    if data.get("version") in (1, 2):
        raise SchemaError(
            f"this linkage schema has version {data['version']:g}, and pprl reads version 3",
            hint="convert it with clkhash.schema.convert_to_latest_version",
        )
    return _Reader(data).schema()


class _RepeatedKeyError(ValueError):
    pass


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise _RepeatedKeyError(f"ambiguous: {json.dumps(twice[0])} occurs twice in one object")
    return dict(pairs)


class _Reader:
    """Takes values out of the document and collects its faults."""

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
                "clkhash's documentation has this key, but clkhash ignores it: its filters are not folded. Delete the "
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
        features = [self.feature(column, f"features[{number}]") for number, column in enumerate(columns)]
        blake = [number for number, (_, feature) in enumerate(features) if feature and not feature.double_hash]
        unfolded = length << folds
        if unfolded > MAX_LENGTH:
            self.wrong("clkConfig.l", f"at most {MAX_LENGTH:,} bits before folding")
        if blake and unfolded & (unfolded - 1):
            self.wrong("clkConfig.l", f"a power of two is needed for blakeHash (features[{blake[0]}])")
        if blake and key_bytes > 64:
            self.wrong("clkConfig.kdf.keySize", "at most 64 for blakeHash")
        if 2 * len(features) * key_bytes > MAX_DERIVED * HASH_BYTES[hashed]:
            self.wrong("clkConfig.kdf.keySize", "HKDF cannot derive that many bytes for that many features")
        if self._faults:
            raise SchemaError(
                "\n".join(self._faults), hint="nothing was encoded; docs/interop.md lists what pprl reads"
            )
        return LinkageSchema(
            length=length,
            folds=folds,
            kdf_hash="SHA512" if hashed == "SHA512" else "SHA256",
            salt=salt,
            info=info,
            key_bytes=key_bytes,
            identifiers=tuple(identifier for identifier, _ in features),
            features=tuple(feature for _, feature in features),
            unknown=tuple(self._unknown),
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
        hashing, below = self.object(column, "hashing", path), f"{path}.hashing"
        self.known(hashing, below, ("comparison", "strategy", "hash", "missingValue"))
        hashed = self.object(hashing, "hash", below, default={"type": "blakeHash"})
        kind = self.word(hashed, "type", f"{below}.hash", ("blakeHash", "doubleHash"))
        self.known(hashed, f"{below}.hash", ("type", "prevent_singularity"), strict=False)
        singular = self.flag(hashed, "prevent_singularity", f"{below}.hash")
        if kind == "blakeHash" and "prevent_singularity" in hashed:
            self.wrong(f"{below}.hash.prevent_singularity", "works with doubleHash only")
        strategy = self.object(hashing, "strategy", below)
        self.known(strategy, f"{below}.strategy", ("bitsPerToken", "bitsPerFeature"))
        if len(strategy) != 1:
            self.wrong(f"{below}.strategy", "either bitsPerToken or bitsPerFeature is needed")
        bits = {
            name: self.integer(strategy, name, f"{below}.strategy", least=1)
            for name in ("bitsPerToken", "bitsPerFeature")
            if name in strategy
        }
        missing = self.object(hashing, "missingValue", below, default={})
        self.known(missing, f"{below}.missingValue", ("sentinel", "replaceWith"), strict=False)
        if missing or "missingValue" in hashing:
            self.text(missing, "sentinel", f"{below}.missingValue")
        feature = Feature(
            identifier=identifier,
            format=self.format(self.object(column, "format", path), f"{path}.format"),
            comparison=self.comparison(self.object(hashing, "comparison", below), f"{below}.comparison"),
            per_token=bits.get("bitsPerToken"),
            per_feature=bits.get("bitsPerFeature"),
            double_hash=kind == "doubleHash",
            prevent_singularity=singular,
            sentinel=missing.get("sentinel"),
            replacement=self.text(missing, "replaceWith", f"{below}.missingValue")
            if "replaceWith" in missing
            else None,
        )
        return identifier, None if ignored else feature

    def format(self, data: dict[str, Any], path: str) -> Text | Integer | Date | Enum:
        kind = self.word(data, "type", path, ("string", "integer", "date", "enum"))
        common = ("type", "description")
        if "description" in data:
            self.text(data, "description", path)
        match kind:
            case "integer":
                self.known(data, path, (*common, "minimum", "maximum"))
                bounds = (self.integer(data, name, path) if name in data else None for name in ("minimum", "maximum"))
                return Integer(*bounds)
            case "date":
                self.known(data, path, (*common, "format"))
                form = self.text(data, "format", path)
                try:
                    sample = datetime(2001, 2, 3, tzinfo=UTC).strftime(form)  # with a zone, for %z and %Z
                    datetime.strptime(sample, form)
                except ValueError:
                    self.wrong(f"{path}.format", "not a date format of Python's strptime")
                return Date(form)
            case "enum":
                self.known(data, path, (*common, "values"))
                values = data.get("values")
                if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                    self.wrong(f"{path}.values", "a list of strings is needed")
                    values = []
                return Enum(tuple(values))
            case _:
                encoding = self.word(data, "encoding", path, ENCODINGS, default="utf-8")
                if "pattern" in data:
                    self.known(data, path, (*common, "encoding", "pattern"))
                    return Text(encoding=encoding, pattern=self.pattern(data, path))
                self.known(data, path, (*common, "encoding", "case", "minLength", "maxLength"))
                case = self.word(data, "case", path, ("upper", "lower", "mixed"), default="mixed")
                least = self.integer(data, "minLength", path, least=0, default=0)
                most = self.integer(data, "maxLength", path, least=1) if "maxLength" in data else None
                return Text(encoding=encoding, case=case, least=least, most=most)  # type: ignore[arg-type]

    def pattern(self, data: dict[str, Any], path: str) -> str:
        pattern = self.text(data, "pattern", path)
        try:
            re.compile(pattern)
        except (re.error, RecursionError):
            self.wrong(f"{path}.pattern", "not a regular expression of Python")
            return ""
        return pattern

    def comparison(self, data: dict[str, Any], path: str) -> Ngram | Exact | Numeric:
        kind = self.word(data, "type", path, ("ngram", "exact", "numeric"))
        match kind:
            case "ngram":
                self.known(data, path, ("type", "n", "positional"), strict=False)
                return Ngram(self.integer(data, "n", path, least=1), self.flag(data, "positional", path))
            case "numeric":
                keys = ("type", "thresholdDistance", "resolution", "fractional_precision")
                self.known(data, path, keys, strict=False)
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
        """Keys that clkhash refuses are faults; those it ignores are only reported."""
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
            self.wrong(f"{path}.{name}", "a string is needed")
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
        text = "".join(self.text(data, name, path).split())  # a line end is not a fault; clkhash drops more than that
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
    for start in range(0, len(derived), 2 * size):
        yield derived[start : start + size], derived[start + size : start + 2 * size]
