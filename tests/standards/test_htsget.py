# SPDX-License-Identifier: Apache-2.0
"""What htsget 1.3.0 lets a client ask, and by which name it refuses the rest."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import (
    Corrupt,
    Invalid,
    MegagenomeError,
    NotEntitled,
    NotFound,
    TooLarge,
    Unauthenticated,
)
from megagenome.standards.htsget import (
    Format,
    InvalidRange,
    Kind,
    Slice,
    SliceRequest,
    TicketUrl,
    UnsupportedFormat,
    error,
    from_body,
    from_query,
    merged,
    ticket,
)
from megagenome.standards.problem import status_of

READS, VARIANTS = Kind.READS, Kind.VARIANTS


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_only_one_encryption_is_known() -> None:
    for scheme in ("rot13", "", "C4GH "):
        with pytest.raises(Invalid, match="encryptionScheme"):
            from_query(READS, [("encryptionScheme", scheme)])
        with pytest.raises(Invalid, match="encryptionScheme"):
            from_body(READS, body(encryptionScheme=scheme))
    assert from_body(READS, body(encryptionScheme="c4GH")).sealed


@pytest.mark.parametrize(
    ("kind", "query", "found"),
    [
        (READS, {}, SliceRequest(Format.BAM, False, None)),
        (VARIANTS, {}, SliceRequest(Format.VCF, False, None)),
        (READS, {"format": "cram", "class": "header"}, SliceRequest(Format.CRAM, True, None)),
        (READS, {"referenceName": "*"}, SliceRequest(Format.BAM, False, (Slice("*"),))),
        (READS, {"referenceName": "1"}, SliceRequest(Format.BAM, False, (Slice("1"),))),
        (READS, {"referenceName": "1", "start": "7"}, SliceRequest(Format.BAM, False, (Slice("1", 7),))),
        (VARIANTS, {"referenceName": "1", "end": "0"}, SliceRequest(Format.VCF, False, (Slice("1", 0, 0),))),
        (
            VARIANTS,
            {"format": "BCF", "referenceName": "1", "start": "5", "end": "4294967295", "encryptionScheme": "c4gh"},
            SliceRequest(Format.BCF, False, (Slice("1", 5, 4294967295),), True),
        ),
        (READS, {"fields": "QNAME,POS", "tags": "", "notags": "NM"}, SliceRequest(Format.BAM, False, None)),
    ],
)
def test_what_a_get_asks(kind: Kind, query: dict[str, str], found: SliceRequest) -> None:
    assert from_query(kind, query.items()) == found


@pytest.mark.parametrize(
    ("kind", "query", "condition"),
    [
        (READS, {"format": "VCF"}, UnsupportedFormat),
        (VARIANTS, {"format": "BAM"}, UnsupportedFormat),
        (READS, {"format": ""}, UnsupportedFormat),
        (READS, {"class": "body"}, Invalid),
        (READS, {"class": "header", "referenceName": "1"}, Invalid),
        (READS, {"class": "header", "tags": ""}, Invalid),
        (READS, {"start": "1"}, Invalid),
        (READS, {"end": "1"}, Invalid),
        (READS, {"referenceName": "*", "start": "1"}, Invalid),
        (VARIANTS, {"referenceName": "*"}, Invalid),
        (READS, {"referenceName": ""}, Invalid),
        (READS, {"referenceName": "1", "start": "2", "end": "1"}, InvalidRange),
        (READS, {"referenceName": "1", "start": "-1"}, Invalid),
        (READS, {"referenceName": "1", "start": "1.5"}, Invalid),
        (READS, {"referenceName": "1", "start": "٣"}, Invalid),
        (READS, {"referenceName": "1", "end": "4294967296"}, Invalid),
        (READS, {"tags": "NM,MD", "notags": "MD"}, Invalid),
        (READS, {"fields": "QNAME,NAME"}, Invalid),
    ],
)
def test_what_a_get_may_not_ask(kind: Kind, query: dict[str, str], condition: type[MegagenomeError]) -> None:
    with pytest.raises(condition) as raised:
        from_query(kind, query.items())
    assert type(raised.value) is condition
    assert "\n" not in str(raised.value)


def test_a_parameter_is_given_once() -> None:
    with pytest.raises(Invalid, match="twice"):
        from_query(READS, [("format", "BAM"), ("format", "CRAM")])


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        (b"", Invalid),
        (b"[]", Invalid),
        (b"[" * 100_000, Invalid),
        (b'{"format": "\xff"}', Invalid),
        (body(format="SAM"), UnsupportedFormat),
        (body(regions=[]), Invalid),
        (body(regions=[{}]), Invalid),
        (body(regions=[{"referenceName": "1", "begin": 1}]), Invalid),
        (body(regions=[{"referenceName": "1", "start": 5, "end": 5}]), InvalidRange),
        (body(regions=[{"referenceName": "1", "start": 5, "end": 4}]), InvalidRange),
        (body(regions=[{"referenceName": "1", "end": 0}]), InvalidRange),
        (body(regions=[{"referenceName": "1", "start": -1}]), Invalid),
        (body(regions=[{"referenceName": "1", "start": 2**32}]), Invalid),
        (body(regions=[{"referenceName": "*", "start": 1}]), Invalid),
        (body(regions=[{"referenceName": "1"}] * 10_001), TooLarge),
        (body(**{"class": "header"}, regions=[{"referenceName": "1"}]), Invalid),
        (body(tags=["NM"], notags=["NM"]), Invalid),
        (body(fields=["NAME"]), Invalid),
    ],
)
def test_what_a_post_may_not_ask(content: bytes, condition: type[MegagenomeError]) -> None:
    with pytest.raises(condition) as raised:
        from_body(READS, content)
    assert type(raised.value) is condition


def test_what_a_post_asks() -> None:
    regions = [{"referenceName": "2"}, {"referenceName": "1", "start": 9, "end": 20}, {"referenceName": "1", "end": 9}]
    found = from_body(VARIANTS, body(format="bcf", regions=regions, tags=[]))
    assert found == SliceRequest(Format.BCF, False, (Slice("2"), Slice("1", 0, 20)))
    assert from_body(READS, b"{}") == SliceRequest(Format.BAM, False, None)
    assert from_body(READS, body(**{"class": "header"}, format="CRAM")).header_only


places = st.integers(0, 30)
slices = st.lists(
    st.tuples(st.sampled_from("12"), places, st.none() | places).map(
        lambda drawn: Slice(drawn[0], drawn[1], None if drawn[2] is None else drawn[1] + drawn[2] + 1)
    ),
    min_size=1,
    max_size=8,
)


@given(slices)
def test_merged_slices_hold_the_same_places_each_once(given_: list[Slice]) -> None:
    def covered(some: tuple[Slice, ...] | list[Slice]) -> list[tuple[str, int]]:
        return sorted((each.reference, at) for each in some for at in range(each.start, each.end or 100))

    found = merged(given_)
    assert covered(found) == sorted(set(covered(given_)))
    assert [(each.reference, each.start) for each in found] == sorted(
        ((each.reference, each.start) for each in found),
        key=lambda place: ([each.reference for each in given_].index(place[0]), place[1]),
    )


def test_a_ticket_is_as_the_standard_shows_it() -> None:
    urls = [TicketUrl("data:;base64,QkFN", class_="header"), TicketUrl("https://n/b", {"Range": "bytes=1-2"}, "body")]
    assert msgspec.json.decode(ticket(Format.BAM, urls)) == {
        "htsget": {
            "format": "BAM",
            "urls": [
                {"url": "data:;base64,QkFN", "class": "header"},
                {"url": "https://n/b", "headers": {"Range": "bytes=1-2"}, "class": "body"},
            ],
        }
    }


@pytest.mark.parametrize(
    ("condition", "name", "status"),
    [
        (Unauthenticated("x"), "InvalidAuthentication", 401),
        (NotEntitled("x"), "PermissionDenied", 403),
        (NotFound("x"), "NotFound", 404),
        (TooLarge("x"), "PayloadTooLarge", 413),
        (UnsupportedFormat("x"), "UnsupportedFormat", 400),
        (Invalid("x"), "InvalidInput", 400),
        (InvalidRange("x"), "InvalidRange", 400),
        (Corrupt("x"), "InternalError", 500),
    ],
)
def test_errors_have_the_names_and_the_status_of_the_standard(
    condition: MegagenomeError, name: str, status: int
) -> None:
    assert msgspec.json.decode(error(condition)) == {"htsget": {"error": name, "message": "x"}}
    assert status_of(condition) == status


def test_an_error_of_ours_tells_nothing() -> None:
    assert b"secret" not in error(RuntimeError("secret"))
