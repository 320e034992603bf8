# SPDX-License-Identifier: Apache-2.0
"""Ranges of whole files from a real node, of every odd kind."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.standards.crypt4gh_keys import write_public_key
from megagenome.standards.crypt4gh_segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES
from megagenome.standards.crypt4gh_stream import unseal
from tests.delivery.world import World, paths
from tests.journeys.delivering import Reader, nobody, place_of
from tests.journeys.network import Served


class Asked(NamedTuple):
    """A file that is fetched whole.

    ticket  a new one for it, each time
    edges   where the parts of which it is put together meet
    """

    ticket: Callable[[], tuple[str, dict[str, str]]]
    edges: tuple[int, int]


BY_PERMIT = (232, 232 + SEALED_SEGMENT_BYTES)
"""A header with two keys, first segments of another file key."""


@pytest.fixture(params=["BAM by permit", "CRAM by permit", "open, plain", "open, sealed"])
def asked(delivering: Served, delivery_world: tuple[Path, World], request: pytest.FixtureRequest) -> Asked:
    """A file of each of the kinds that are sent differently."""
    kind, _, how = request.param.partition(" ")
    world = delivery_world[1]
    if how == "by permit":
        reader = Reader(delivering)
        return Asked(lambda: reader.ticket(f"reads/{world.mine[kind]}", format=kind), BY_PERMIT)
    place, key = f"reads/{world.opened['BAM']}", X25519PrivateKey.generate()
    archived = (paths(delivery_world[0]) / "reads.bam").read_bytes()
    if how == "plain":
        url, fields = nobody(delivering).ticket(place)
        assert delivering.client.get(url, headers=fields).content == archived
        return Asked(lambda: nobody(delivering).ticket(place), (SEGMENT_BYTES, 4 * SEGMENT_BYTES))
    field = base64.b64encode(write_public_key(key.public_key()).encode()).decode()

    def sealed() -> tuple[str, dict[str, str]]:
        return place_of(nobody(delivering).ask(place, {"Htsget-Context-Public-Key": field}))

    url, fields = sealed()
    assert b"".join(unseal([delivering.client.get(url, headers=fields).content], [key])) == archived
    return Asked(sealed, (124, 124 + SEALED_SEGMENT_BYTES))


def test_every_range_is_that_of_the_file(delivering: Served, asked: Asked) -> None:
    url, headers = asked.ticket()
    whole = delivering.client.get(url, headers=headers)
    content, etag, size = whole.content, whole.headers["etag"], len(whole.content)
    assert (whole.headers["accept-ranges"], whole.headers["content-length"]) == ("bytes", str(size))
    head = delivering.client.head(url, headers=headers)
    assert head.content == b""
    ignored = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in whole.headers.items() if k not in ignored
    }
    again = asked.ticket()[1]
    edges = (0, 1, *(edge + by for edge in asked.edges for by in (-1, 0, 1)), size - 1)
    assert sorted(set(edges)) == list(edges), "the file is long enough"
    for start in edges:
        for end in (*edges, size, size + 100):
            if start <= end:
                answer = delivering.client.get(url, headers=again | {"range": f"bytes={start}-{end}", "if-range": etag})
                assert answer.status_code == 206
                assert answer.headers["content-range"] == f"bytes {start}-{min(end, size - 1)}/{size}"
                assert answer.content == content[start : end + 1]
    for field, expected in (
        ("bytes=-5", content[-5:]),
        (f"bytes={size - 3}-", content[-3:]),
        ("bytes=-999999999", content),
    ):
        assert delivering.client.get(url, headers=headers | {"range": field}).content == expected
    for field in (f"bytes={size}-", "bytes=-0", f"bytes={size + 5}-{size + 9}"):
        answer = delivering.client.get(url, headers=headers | {"range": field})
        assert (answer.status_code, answer.headers["content-range"], answer.content) == (416, f"bytes */{size}", b"")
    huge = "9" * 30_000
    for field, end in ((f"bytes={size - 2}-{huge}", content[-2:]), (f"bytes=-{huge}", content)):
        answer = delivering.client.get(url, headers=headers | {"range": field})
        assert (answer.status_code, answer.content) == (206, end)
    assert delivering.client.get(url, headers=headers | {"range": f"bytes={huge}-"}).status_code == 416


@pytest.mark.parametrize(
    "field",
    ["bytes=5-2", "bytes=a-b", "bytes=-5--2", "bytes=-", "bytes", "", "items=0-1", "bytes=0-1,5-6", "bytes=0-9,5-6,-1"],
)
def test_a_range_that_is_none_or_several_brings_the_whole(delivering: Served, asked: Asked, field: str) -> None:
    url, headers = asked.ticket()
    answer = delivering.client.get(url, headers=headers | {"range": field})
    assert answer.status_code == 200
    assert "content-range" not in answer.headers
    assert len(answer.content) == int(answer.headers["content-length"])


def test_a_range_counts_only_for_the_file_that_it_is_of(delivering: Served, asked: Asked) -> None:
    """`If-Range` compares strongly, and a field that was sent twice is neither of the two."""
    url, headers = asked.ticket()
    whole = delivering.client.get(url, headers=headers)
    etag, fields = whole.headers["etag"], [*headers.items(), ("range", "bytes=0-1")]
    for condition, status in (
        (etag, 206),
        ('"another"', 200),
        (f"W/{etag}", 200),
        (etag.strip('"'), 200),
        (f'{etag}, "another"', 200),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 200),
    ):
        assert delivering.client.get(url, headers=[*fields, ("if-range", condition)]).status_code == status, condition
    for twice in ([("range", "bytes=2-3")], [("if-range", etag), ("if-range", '"another"')]):
        answer = delivering.client.get(url, headers=[*fields, *twice])
        assert (answer.status_code, answer.content) == (200, whole.content)
    assert delivering.client.head(url, headers=fields).status_code == 200, "a range is of what is sent"
    for method in ("POST", "PUT", "DELETE"):
        assert delivering.client.request(method, url, headers=headers).status_code == 405


def test_conditions_on_what_the_asker_has(delivering: Served, asked: Asked) -> None:
    """In the order of RFC 9110, 13.2.2: `If-Match`, `If-None-Match`, and only then `Range`, by `If-Range`."""
    url, headers = asked.ticket()
    whole = delivering.client.get(url, headers=headers)
    etag = whole.headers["etag"]
    for fields, status in (
        ({"if-match": etag}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": f'"another", {etag}'}, 200),
        ({"if-match": '"another"'}, 412),
        ({"if-match": f"W/{etag}"}, 412),
        ({"if-match": etag, "range": "bytes=0-1"}, 206),
        ({"if-match": '"another"', "range": "bytes=0-1", "if-range": etag}, 412),
        ({"if-match": '"another"', "range": "bytes=999999999-"}, 412),
        ({"if-none-match": etag}, 304),
        ({"if-none-match": f'"another", W/{etag}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"another"'}, 200),
        ({"if-none-match": etag, "range": "bytes=0-1"}, 304),
        ({"if-none-match": '"another"', "range": "bytes=0-1"}, 206),
        ({"if-match": '"another"', "if-none-match": etag}, 412),
        ({"if-match": etag, "if-none-match": etag}, 304),
    ):
        answer = delivering.client.get(url, headers=headers | fields)
        assert (answer.status_code, answer.headers["etag"]) == (status, etag), fields
        assert answer.content == {200: whole.content, 206: whole.content[:2]}.get(status, b""), fields
        if status == 304:
            assert "content-length" not in answer.headers, "which would be that of the file"
        if "range" not in fields:
            head = delivering.client.head(url, headers=headers | fields)
            assert (head.status_code, head.content) == (status, b"")
    twice = [*headers.items(), ("if-match", '"another"'), ("if-match", etag)]
    assert delivering.client.get(url, headers=twice).status_code == 200, "both are one list"
    assert delivering.client.get(url, headers={"if-none-match": "*"}).status_code == 401


def test_thirty_ranges_at_once_are_the_file(delivering: Served, asked: Asked) -> None:
    url, headers = asked.ticket()
    size = int(delivering.client.head(url, headers=headers).headers["content-length"])
    step = -(-size // 30)

    def part(start: int) -> bytes:
        fields = headers | {"range": f"bytes={start}-{start + step - 1}"}
        return httpx.get(url, headers=fields, trust_env=False, timeout=60).content

    with ThreadPoolExecutor(30) as pool:
        got = b"".join(pool.map(part, range(0, size, step)))
    assert got == delivering.client.get(url, headers=headers).content
