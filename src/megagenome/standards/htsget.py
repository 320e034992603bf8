# SPDX-License-Identifier: Apache-2.0
"""htsget 1.3.0: what may be asked of a server of reads or variants, and its tickets (hts-specs `htsget.md`).

Positions are 0-based, half-open, of 32 bits without a sign. Whatever breaks a rule is refused by the error's own name;
`fields`, `tags` and `notags` are checked and have no effect, which the standard allows: more may be told than is asked.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from megagenome.kernel.errors import (
    Invalid,
    MegagenomeError,
    NotEntitled,
    NotFound,
    TooLarge,
    Unauthenticated,
)
from megagenome.standards.service_info import ServiceInfo

VERSION = "1.3.0"
PREFIX = "/ga4gh/htsget/v1"
KEY_FIELD = "Htsget-Context-Public-Key"
"""The recipient's key file in base64, as htsget-rs and others take it."""
MEDIA_TYPE = "application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8"
MOST_REGIONS = 10_000
ENCRYPTION = "C4GH"
UNPLACED = "*"
PREFLIGHT_MAX_AGE_S = 2_592_000

_LARGEST_POSITION = (1 << 32) - 1
_FIELDS = frozenset(("QNAME", "FLAG", "RNAME", "POS", "MAPQ", "CIGAR", "RNEXT", "PNEXT", "TLEN", "SEQ", "QUAL"))


class Kind(StrEnum):
    """Which of the two services."""

    READS = "reads"
    VARIANTS = "variants"


class Format(StrEnum):
    """Formats of records; the first of each kind is its default."""

    BAM = "BAM"
    CRAM = "CRAM"
    VCF = "VCF"
    BCF = "BCF"


FORMATS: Mapping[Kind, tuple[Format, ...]] = {
    Kind.READS: (Format.BAM, Format.CRAM),
    Kind.VARIANTS: (Format.VCF, Format.BCF),
}


class UnsupportedFormat(Invalid):
    """A format that the service does not have."""


class InvalidRange(Invalid):
    """A region that ends before it begins."""


class Slice(NamedTuple):
    """A part of one reference, or all of it. `reference` `*` is what has no place; `end` None is its end."""

    reference: str
    start: int = 0
    end: int | None = None


class SliceRequest(NamedTuple):
    """What was asked for.

    format       one of the kind's
    header_only  the file's header and no record
    slices       none overlapping another, sorted within each reference; None for the whole file
    sealed       as Crypt4GH (`encryptionScheme=C4GH`, which servers and clients have beside the standard)
    """

    format: Format
    header_only: bool
    slices: tuple[Slice, ...] | None
    sealed: bool = False


class _Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    reference_name: str
    start: int | None = None
    end: int | None = None


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    format: str | None = None
    class_: str | None = msgspec.field(name="class", default=None)
    fields: list[str] | None = None
    tags: list[str] | None = None
    notags: list[str] | None = None
    regions: list[_Region] | None = None
    encryption_scheme: str | None = None


class TicketUrl(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of the answer. `headers` are to be sent with the request for it."""

    url: str
    headers: dict[str, str] = {}
    class_: str = msgspec.field(name="class", default="")


class Ticket(msgspec.Struct, frozen=True):
    """Where the file is that was asked for: the parts, one after the other, are it."""

    format: Format
    urls: list[TicketUrl]


class _Error(msgspec.Struct, frozen=True):
    error: str
    message: str


class _Envelope(msgspec.Struct, frozen=True):
    htsget: Ticket | _Error


class HtsgetParameters(msgspec.Struct, frozen=True, rename="camel"):
    """What a service has, in its service-info."""

    datatype: Kind
    formats: tuple[Format, ...]
    fields_parameter_effective: bool = False
    tags_parameters_effective: bool = False


class HtsgetServiceInfo(ServiceInfo, frozen=True, kw_only=True):
    """Answer of `/reads/service-info` and `/variants/service-info`."""

    htsget: HtsgetParameters


def from_query(kind: Kind, parameters: Iterable[tuple[str, str]]) -> SliceRequest:
    """What a GET asks for. Parameters of other standards are passed over. Raises `Invalid` or a kind of it."""
    given: dict[str, str] = {}
    for name, value in parameters:
        if name in given:
            raise Invalid(f"{name} is given twice")
        given[name] = value
    _check_filters(*(_listed(given.get(each)) for each in ("fields", "tags", "notags")))
    start, end = _position(given.get("start"), "start"), _position(given.get("end"), "end")
    reference = given.get("referenceName")
    _check_class(given.get("class"), _OTHERS.intersection(given))
    if reference in (None, UNPLACED) and (start is not None or end is not None):
        raise Invalid("start and end need a referenceName, and none of '*'")
    if start is not None and end is not None and start > end:
        raise InvalidRange(f"start {start} is greater than end {end}")
    slices = None if reference is None else [_slice(kind, reference, start, end)]
    asked = _request(kind, given.get("format"), "class" in given, slices)
    return asked._replace(sealed=_is_sealed(given.get("encryptionScheme")))


def from_body(kind: Kind, content: bytes) -> SliceRequest:
    """What a POST asks for. Raises `Invalid` or a kind of it, `TooLarge` for too many regions."""
    try:
        body = msgspec.json.decode(content, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the body is no htsget request: {error}") from None
    _check_filters(body.fields, body.tags, body.notags)
    others = {each for each in ("fields", "tags", "notags", "regions") if getattr(body, each) is not None}
    _check_class(body.class_, others)
    if body.regions is not None and not body.regions:
        raise Invalid("regions is empty; leave it out for the whole file")
    if body.regions and len(body.regions) > MOST_REGIONS:
        raise TooLarge(f"{len(body.regions):,} regions; at most {MOST_REGIONS:,} at once")
    slices = None if body.regions is None else [_of_region(kind, each) for each in body.regions]
    asked = _request(kind, body.format, body.class_ is not None, slices)
    return asked._replace(sealed=_is_sealed(body.encryption_scheme))


_OTHERS = frozenset(("referenceName", "start", "end", "fields", "tags", "notags"))


def _request(kind: Kind, given: str | None, header_only: bool, slices: list[Slice] | None) -> SliceRequest:
    formats = FORMATS[kind]
    wanted = formats[0] if given is None else next((each for each in formats if each == given.upper()), None)
    if wanted is None:
        raise UnsupportedFormat(f"format {given!r} is not one of {kind}: {', '.join(formats)}")
    return SliceRequest(wanted, header_only, None if slices is None else merged(slices))


def _of_region(kind: Kind, region: _Region) -> Slice:
    for name, position in (("start", region.start), ("end", region.end)):
        if position is not None and not 0 <= position <= _LARGEST_POSITION:
            raise Invalid(f"{name} {position} is not a number from 0 to {_LARGEST_POSITION}")
        if position is not None and region.reference_name == UNPLACED:
            raise Invalid("start and end need a referenceName, and none of '*'")
    if region.end is not None and (region.start or 0) >= region.end:
        raise InvalidRange(f"start {region.start or 0} is not less than end {region.end}")
    return _slice(kind, region.reference_name, region.start, region.end)


def _slice(kind: Kind, reference: str, start: int | None, end: int | None) -> Slice:
    if reference == UNPLACED and kind is Kind.VARIANTS:
        raise Invalid("only reads can be without a place")
    if not reference:
        raise Invalid("referenceName is empty")
    return Slice(reference, start or 0, end)


def merged(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """Slices of which none overlaps or touches another; of each reference sorted, references as they first came."""
    of: dict[str, list[Slice]] = {}
    for each in slices:
        of.setdefault(each.reference, []).append(each)
    out: list[Slice] = []
    for reference, some in of.items():
        some.sort(key=lambda each: each.start)
        last = some[0]
        for each in some[1:]:
            if last.end is not None and each.start > last.end:
                out.append(last)
                last = each
            else:
                ends = None if last.end is None or each.end is None else max(last.end, each.end)
                last = Slice(reference, last.start, ends)
        out.append(last)
    return tuple(out)


def _check_class(given: str | None, others: Iterable[str]) -> None:
    if given is None:
        return
    if given != "header":
        raise Invalid(f"class {given!r}: only 'header' can be asked for")
    if found := sorted(others):
        raise Invalid(f"class=header goes with format alone, not with {', '.join(found)}")


def _check_filters(fields: list[str] | None, tags: list[str] | None, notags: list[str] | None) -> None:
    if unknown := sorted(set(fields or ()) - _FIELDS - {""}):
        raise Invalid(f"fields: {unknown[0]!r} is no field; there are {', '.join(sorted(_FIELDS))}")
    if both := sorted((set(tags or ()) & set(notags or ())) - {""}):
        raise Invalid(f"{both[0]!r} is in tags and in notags")


def _is_sealed(given: str | None) -> bool:
    if given is not None and given.upper() != ENCRYPTION:
        raise Invalid(f"encryptionScheme {given[:30]!r}: only {ENCRYPTION} is known")
    return given is not None


def _listed(given: str | None) -> list[str] | None:
    return None if given is None else given.split(",")


def _position(given: str | None, name: str) -> int | None:
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > 10 or int(given) > _LARGEST_POSITION:
        raise Invalid(f"{name} {given[:30]!r} is not a number from 0 to {_LARGEST_POSITION}")
    return int(given)


def ticket(format: Format, urls: list[TicketUrl]) -> bytes:  # noqa: A002 - the standard's name
    """An answer, as JSON."""
    return msgspec.json.encode(_Envelope(Ticket(format, urls)))


def error(condition: Exception) -> bytes:
    """A refusal, as JSON; its HTTP status is the house's own for the condition, which is the standard's, too."""
    message = str(condition) if isinstance(condition, MegagenomeError) else "something failed here; try again later"
    return msgspec.json.encode(_Envelope(_Error(_name(condition), message)))


_NAMES: dict[type[MegagenomeError], str] = {
    UnsupportedFormat: "UnsupportedFormat",
    InvalidRange: "InvalidRange",
    Invalid: "InvalidInput",
    Unauthenticated: "InvalidAuthentication",
    NotEntitled: "PermissionDenied",
    NotFound: "NotFound",
    TooLarge: "PayloadTooLarge",
}


def _name(condition: Exception) -> str:
    return next((_NAMES[kind] for kind in type(condition).__mro__ if kind in _NAMES), "InternalError")
