# SPDX-License-Identifier: Apache-2.0
"""Ranges of whole files from a real node, of every odd kind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.delivery.world import World
from tests.journeys.delivering import Reader
from tests.journeys.network import Served


@pytest.fixture
def world(delivery_world: tuple[Path, World]) -> World:
    return delivery_world[1]


def test_every_range_is_that_of_the_file(delivering: Served, world: World) -> None:
    reader = Reader(delivering)
    url, headers = reader.ticket(f"reads/{world.mine['BAM']}")
    whole = delivering.client.get(url, headers=headers)
    content, etag, size = whole.content, whole.headers["etag"], len(whole.content)
    assert (whole.headers["accept-ranges"], whole.headers["content-length"]) == ("bytes", str(size))
    head = delivering.client.head(url, headers=headers)
    assert head.content == b""
    ignored = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in whole.headers.items() if k not in ignored
    }
    again = reader.ticket(f"reads/{world.mine['BAM']}")[1]
    edges = (0, 1, 123, 124, 125, 65_687, 65_688, 65_689, size - 1)
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
def test_a_range_that_is_none_or_several_brings_the_whole(delivering: Served, world: World, field: str) -> None:
    url, headers = Reader(delivering).ticket(f"reads/{world.mine['BAM']}")
    answer = delivering.client.get(url, headers=headers | {"range": field})
    assert answer.status_code == 200
    assert "content-range" not in answer.headers
    assert len(answer.content) == int(answer.headers["content-length"])


def test_a_range_counts_only_for_the_file_that_it_is_of(delivering: Served, world: World) -> None:
    """`If-Range` compares strongly, and a field that was sent twice is neither of the two."""
    url, headers = Reader(delivering).ticket(f"reads/{world.mine['BAM']}")
    whole = delivering.client.get(url, headers=headers)
    etag, asked = whole.headers["etag"], [*headers.items(), ("range", "bytes=0-1")]
    for condition, status in (
        (etag, 206),
        ('"another"', 200),
        (f"W/{etag}", 200),
        (etag.strip('"'), 200),
        (f'{etag}, "another"', 200),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 200),
    ):
        assert delivering.client.get(url, headers=[*asked, ("if-range", condition)]).status_code == status, condition
    for twice in ([("range", "bytes=2-3")], [("if-range", etag), ("if-range", '"another"')]):
        answer = delivering.client.get(url, headers=[*asked, *twice])
        assert (answer.status_code, answer.content) == (200, whole.content)
    assert delivering.client.head(url, headers=asked).status_code == 200, "a range is of what is sent"
    for method in ("POST", "PUT", "DELETE"):
        assert delivering.client.request(method, url, headers=headers).status_code == 405


def test_thirty_ranges_at_once_are_the_file(delivering: Served, world: World) -> None:
    url, headers = Reader(delivering).ticket(f"reads/{world.mine['BAM']}")
    size = int(delivering.client.head(url, headers=headers).headers["content-length"])
    step = -(-size // 30)

    def part(start: int) -> bytes:
        asked = headers | {"range": f"bytes={start}-{start + step - 1}"}
        return httpx.get(url, headers=asked, trust_env=False, timeout=60).content

    with ThreadPoolExecutor(30) as pool:
        got = b"".join(pool.map(part, range(0, size, step)))
    assert got == delivering.client.get(url, headers=headers).content
