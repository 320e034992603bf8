# SPDX-License-Identifier: Apache-2.0
"""What every blob store must do, as tests.

Subclass `BlobStoreSuite` in a module of tests and give it a fixture `store`, an empty store for each test:

    class TestMyStore(BlobStoreSuite):
        @pytest.fixture
        def store(self) -> BlobStore:
            return MyStore(...)

What is held here:

- **Absence**: what was never written, was deleted, or is being written is absent in every way: `NotFound` from
  `read`, `size` and `path`, False from `exists`, no key in `keys`.
- **Atomicity**: a blob appears at once with all its bytes, or never; a writer that fails leaves nothing; of many
  writers to one key one succeeds, and all others learn `Conflict`.
- **Ranges**: half-open, clipped to the blob, empty where nothing is left; the pieces joined are the range.
- **Write once**: nothing changes a blob; deleted, its key may be used for another one.
"""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from megagenome.kernel.blob_store import CHUNK_BYTES, BlobStore
from megagenome.kernel.errors import Conflict, Invalid, NotFound

LARGE_BYTES = 20_000_003
"""More than a part of any store here, and no multiple of anything."""

_BAD_PLACES = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a..b", ".a", "a/.b", "a" * 201]
_BAD_SIGNS = ["A", "a b", "a\n", "a\\b", "é", "a\0", "%61"]
OTHER_KEYS = _BAD_PLACES + _BAD_SIGNS
"""What is no key."""


def make_bytes(size: int, seed: str = "") -> bytes:
    """Bytes of which no two pieces are the same, the same ones for the same seed."""
    return hashlib.shake_128(seed.encode()).digest(size)


def put(store: BlobStore, key: str, content: bytes) -> None:
    """Write a blob at once."""
    with store.create(key) as blob:
        blob.write(content)


def get(store: BlobStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    """A range of a blob, whose pieces are as they must be."""
    pieces = list(store.read(key, start, end))
    assert all(0 < len(piece) <= CHUNK_BYTES for piece in pieces)
    return b"".join(pieces)


class BlobStoreSuite:
    """Runs against the store of the fixture `store`, which a subclass gives."""

    @pytest.fixture
    def store(self) -> Iterator[BlobStore]:
        """An empty store."""
        raise NotImplementedError("give the suite a fixture `store`")

    def assert_absent(self, store: BlobStore, key: str) -> None:
        """There is no such blob, whichever way one looks."""
        assert not store.exists(key)
        assert key not in list(store.keys())
        for look in (store.size, store.read, store.path):
            with pytest.raises(NotFound, match=key):
                look(key)

    @pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, LARGE_BYTES])
    def test_what_is_written_is_read(self, store: BlobStore, size: int) -> None:
        """Of every size, and however it was cut when it was written."""
        content = make_bytes(size)
        with store.create("a/b.c4b") as blob:
            for at in range(0, size, 700_001):
                blob.write(memoryview(content)[at : at + 700_001])
        assert get(store, "a/b.c4b") == content
        assert store.size("a/b.c4b") == size
        assert store.exists("a/b.c4b")
        assert list(store.keys()) == ["a/b.c4b"]
        path = store.path("a/b.c4b")
        assert path is None or path.read_bytes() == content

    def test_ranges_are_half_open_and_clipped(self, store: BlobStore) -> None:
        """At the edges of the blob, of pieces and of parts."""
        content = make_bytes(LARGE_BYTES)
        put(store, "a", content)
        edges = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 16 << 20, (16 << 20) + 1, LARGE_BYTES - 1, LARGE_BYTES]
        for start in edges:
            for end in (*edges, LARGE_BYTES + 1, 1 << 62, None):
                assert get(store, "a", start, end) == content[start:end], (start, end)
        assert get(store, "a", LARGE_BYTES + 1) == get(store, "a", 1 << 62, None) == b""

    def test_no_place_is_negative(self, store: BlobStore) -> None:
        """Counting from the end would be guessed wrongly by whoever computed it wrongly."""
        put(store, "a", b"12345")
        for start, end in ((-1, None), (0, -1), (-3, -2)):
            with pytest.raises(Invalid, match="no range"):
                store.read("a", start, end)

    def test_what_was_never_written_is_absent(self, store: BlobStore) -> None:
        """Also beside, above and below what is there."""
        put(store, "a/b/c", b"12345")
        for key in ("x", "a", "a/b", "a/b/c/d", "a/b/cc", "a/b/", "a/b"):
            if not key.endswith("/"):
                self.assert_absent(store, key)
                store.delete(key)
        assert get(store, "a/b/c") == b"12345"

    def test_nothing_is_seen_before_it_is_whole(self, store: BlobStore) -> None:
        """However much of it was written, and a sweep leaves it alone."""
        with store.create("a/b") as blob:
            blob.write(make_bytes(LARGE_BYTES))
            self.assert_absent(store, "a/b")
            assert store.sweep(0) == 0
            blob.write(b"end")
        assert store.size("a/b") == LARGE_BYTES + 3

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_a_writer_that_fails_leaves_nothing(self, store: BlobStore, error: type[BaseException]) -> None:
        """And the key is free for the next one."""

        def fail() -> None:
            with store.create("a") as blob:
                blob.write(make_bytes(LARGE_BYTES))
                raise error

        with pytest.raises(error):
            fail()
        self.assert_absent(store, "a")
        put(store, "a", b"again")
        assert get(store, "a") == b"again"

    def test_a_blob_never_changes(self, store: BlobStore) -> None:
        """Nobody writes over it, not even with the same bytes."""
        put(store, "a", b"first")
        with pytest.raises(Conflict, match="blob a is there"):
            put(store, "a", b"first")
        assert get(store, "a") == b"first"

    def test_of_two_who_began_before_either_ended_one_succeeds(self, store: BlobStore) -> None:
        """The one that ends first."""
        with contextlib.ExitStack() as outer:
            slow = outer.enter_context(pytest.raises(Conflict))
            outer.enter_context(store.create("a")).write(b"slow")
            put(store, "a", b"quick")
        assert "blob a is there" in str(slow.value)
        assert get(store, "a") == b"quick"

    def test_of_many_who_write_one_key_one_succeeds(self, store: BlobStore) -> None:
        """And whoever looks meanwhile sees it whole or not at all."""
        contents = [make_bytes(CHUNK_BYTES + number, str(number)) for number in range(6)]
        together = threading.Barrier(len(contents))

        def write(content: bytes) -> bool:
            try:
                with store.create("a") as blob:
                    blob.write(content)
                    together.wait(60)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(len(contents)) as pool:
            succeeded = list(pool.map(write, contents))
        assert succeeded.count(True) == 1
        assert get(store, "a") == contents[succeeded.index(True)]

    def test_what_is_deleted_is_absent_and_may_be_written_again(self, store: BlobStore) -> None:
        """Deleting twice is the same as once."""
        put(store, "a/b", make_bytes(LARGE_BYTES))
        for _ in range(2):
            store.delete("a/b")
            self.assert_absent(store, "a/b")
        put(store, "a/b", b"other")
        assert get(store, "a/b") == b"other"

    def test_a_reading_of_what_is_deleted_ends_whole_or_says_so(self, store: BlobStore) -> None:
        """It never ends early as if that were all."""
        content = make_bytes(LARGE_BYTES)
        put(store, "a", content)
        pieces = store.read("a")
        got = next(pieces)
        store.delete("a")
        try:
            got += b"".join(pieces)
        except NotFound:
            return
        assert got == content

    def test_keys_are_those_with_the_prefix_in_their_order(self, store: BlobStore) -> None:
        """The order is that of bytes, in which - and . come before / and / before digits and letters."""
        keys = ["a-b", "a.b", "a/b", "a/b0", "a/c/d", "a0", "ab/c", "b"]
        assert keys == sorted(keys)
        for key in reversed(keys):
            put(store, key, b"")
        for prefix in ("", "a", "a/", "a/b", "a/c", "a/c/", "a/c/d", "a/c/d/", "ab", "b", "c", "c/d"):
            assert list(store.keys(prefix)) == [key for key in keys if key.startswith(prefix)], prefix

    @pytest.mark.parametrize("key", OTHER_KEYS)
    def test_other_keys_are_refused(self, store: BlobStore, key: str) -> None:
        """Before anything is touched."""
        for use in (store.size, store.exists, store.delete, store.path, store.read):
            with pytest.raises(Invalid, match="no key"):
                use(key)
        with pytest.raises(Invalid, match="no key"), store.create(key):
            pass

    def test_the_longest_key_may_be_used(self, store: BlobStore) -> None:
        """As one name, and as many."""
        keys = ["a" * 200, "b/" * 99 + "cc"]
        for key in keys:
            put(store, key, key.encode())
        assert list(store.keys()) == keys
        assert [get(store, key) for key in keys] == [key.encode() for key in keys]

    def test_what_is_free_is_a_number_or_unknown(self, store: BlobStore) -> None:
        """A store without bounds knows none."""
        free = store.free_bytes()
        assert free is None or free > 0
