# SPDX-License-Identifier: Apache-2.0
"""`Range` fields of every odd kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.standards.byte_range import ByteRange, Unsatisfiable, read_range


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=10-", (10, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=90-1000", (90, 100)),
        ("Bytes = 5-6", (5, 7)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=1-2,5-6", None),
        ("bytes=+1-2", None),
        ("bytes=1.0-2", None),
        ("bytes=٣-٤", None),
        ("pages=1-2", None),
        ("bytes=1-99999999999999999999999999", (1, 100)),
        ("bytes=1-" + "9" * 60_000, (1, 100)),
        ("bytes=-" + "9" * 60_000, (0, 100)),
        ("bytes=" + "0" * 60_000 + "7-8", (7, 9)),
        ("bytes=0-50,40-60", None),
        ("bytes=-5,-10", None),
        ("bytes=0-0,", None),
        ("bytes=" + ",".join(f"{k}-{k}" for k in range(5000)), None),
        ("bytes=--5", None),
        ("bytes=-5-", None),
        ("bytes=-5-10", None),
        ("bytes=0x1-0x5", None),
        ("bytes=1 - 5", None),
        ("bytes 1-5", None),
        ("", None),
        ("=1-5", None),
        ("seconds=1-5", None),
        ("none", None),
        ("bytes=1-5, bytes=7-8", None),
    ],
)
def test_one_range_is_read_and_all_else_is_passed_over(field: str | None, found: tuple[int, int] | None) -> None:
    assert read_range(field, 100) == found


@pytest.mark.parametrize("field", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 60_000 + "-"])
def test_a_range_without_a_byte_cannot_be_served(field: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(field, 100)
    with pytest.raises(Unsatisfiable):
        read_range("bytes=0-", 0)


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(1, 10**15))
def test_what_is_served_is_what_python_would_cut(start: int, last: int, size: int) -> None:
    try:
        found = read_range(f"bytes={start}-{last}", size)
    except Unsatisfiable:
        assert start >= size
        return
    if last < start:
        assert found is None
    else:
        assert found == ByteRange(start, min(size, last + 1))
        assert found.content_range(size) == f"bytes {start}-{min(size - 1, last)}/{size}"
