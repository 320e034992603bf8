# SPDX-License-Identifier: Apache-2.0
"""A store on a real server of S3, and what may go wrong between it and us."""

import itertools
import socket
import threading
from collections.abc import Callable  # noqa: TC003 - of one annotation
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import msgspec
import obstore
import pytest

from megagenome.kernel import clock, s3_store
from megagenome.kernel.blob_settings import BlobSettings
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.errors import Conflict, Corrupt, Unavailable
from megagenome.kernel.open_store import open_store
from megagenome.kernel.s3_store import S3Store
from megagenome.kernel.secret import Secret
from megagenome.testing.blob_store import LARGE_BYTES, BlobStoreSuite, get, make_bytes, put
from tests.faults.dying import run_child
from tests.kernel.object_store import BUCKET, settings_for

PREFIXES = itertools.count()

pytestmark = pytest.mark.s3


def new_store(address: str) -> S3Store:
    store = open_store(f"s3://{BUCKET}/test/{next(PREFIXES)}", settings_for(address))
    assert isinstance(store, S3Store)
    return store


class TestS3Store(BlobStoreSuite):
    @pytest.fixture
    def store(self, object_store: str) -> BlobStore:
        return new_store(object_store)


@pytest.fixture
def store(object_store: str) -> S3Store:
    return new_store(object_store)


def objects(store: S3Store) -> list[str]:
    return [each["path"] for some in obstore.list(store._store) for each in some]


CHILD = """
import os, signal, sys
import obstore
from megagenome.testing.blob_store import make_bytes
from tests.kernel.object_store import settings_for
from megagenome.kernel.open_store import open_store

store = open_store(sys.argv[1], settings_for(sys.argv[2]))
steps = int(sys.argv[3])
put, delete = obstore.put, obstore.delete

def dying(act):
    def run(*arguments, **more):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **more)
    return run

obstore.put, obstore.delete = dying(put), dying(delete)
if sys.argv[4] == "create":
    with store.create("a/b") as blob:
        blob.write(make_bytes(20_000_003))
else:
    store.delete("a/b")
"""


def much_later() -> "patch[object]":
    now = clock.now() + timedelta(hours=2)
    return patch("megagenome.kernel.clock.now", lambda: now)


@pytest.mark.parametrize("act", ["create", "delete"])
def test_killed_before_each_step_it_is_whole_or_absent(object_store: str, act: str) -> None:
    content = make_bytes(LARGE_BYTES)
    outcomes = []
    for step in range(1, 9):
        store = new_store(object_store)
        if act == "delete":
            put(store, "a/b", content)
        url = f"s3://{BUCKET}/test/{next(PREFIXES) - 1}"
        next(PREFIXES)
        code = run_child(CHILD, url, object_store, step, act).returncode
        there = store.exists("a/b")
        outcomes.append((code, there))
        assert not there or get(store, "a/b") == content
        assert store.sweep(0) == 0  # whoever writes may only be slow
        with much_later():
            store.sweep(0)
        assert len(objects(store)) == (3 if there else 0)
        assert not there or get(store, "a/b") == content
        if code == 0:
            break
    assert outcomes[-1] == (0, act == "create")
    assert (-9, act == "delete") in outcomes


def test_an_answer_that_is_lost_makes_no_conflict(store: S3Store) -> None:
    real = obstore.put

    def twice(where: object, path: str, *rest: object, **more: object) -> object:
        real(where, path, *rest, **more)
        return real(where, path, *rest, **more)

    with patch.object(obstore, "put", twice):
        put(store, "a", b"12345")
    assert get(store, "a") == b"12345"


def test_parts_stay_where_nobody_knows_whether_they_are_the_blob(store: S3Store) -> None:
    real = obstore.put

    def silent(where: object, path: str, *rest: object, **more: object) -> object:
        result = real(where, path, *rest, **more)
        if path.startswith("blobs/"):
            raise obstore.exceptions.GenericError("timed out")
        return result

    with patch.object(obstore, "put", silent), pytest.raises(Unavailable):
        put(store, "a", b"12345")
    assert get(store, "a") == b"12345"
    with pytest.raises(Conflict):
        put(store, "a", b"12345")


def test_a_writer_that_was_silent_for_long_gives_up(store: S3Store) -> None:
    def be_slow() -> None:
        with store.create("a") as blob:
            blob.write(make_bytes(LARGE_BYTES))
            with patch.object(s3_store, "_LONGEST_SILENCE_S", -1):
                blob.write(make_bytes(LARGE_BYTES))

    with pytest.raises(Unavailable, match="silent for too long"):
        be_slow()
    assert objects(store) == []


def test_a_part_that_is_gone_or_short_is_told(store: S3Store) -> None:
    put(store, "a", make_bytes(LARGE_BYTES))
    [second] = [path for path in objects(store) if path.endswith("/00000001")]
    obstore.put(store._store, second, b"short")
    with pytest.raises(Corrupt, match="bytes of part 1"):
        get(store, "a")
    obstore.delete(store._store, second)
    with pytest.raises(Corrupt, match="lacks part 1"):
        get(store, "a")


def test_a_commit_that_is_not_ours_is_told(store: S3Store) -> None:
    for content in (b"", b"{}", b"[1]", b"\xff", b'{"size_bytes": 1, "part_bytes": 2, "writer": "x", "more": 1}'):
        obstore.put(store._store, "blobs/a", content)
        with pytest.raises(Corrupt, match="not one of ours"):
            store.size("a")


SLOW_DOWN = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("answer", [b"", SLOW_DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_a_store_that_does_not_answer_as_it_should_is_unavailable(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        ending = threading.Event()

        def hang_up() -> None:
            while not ending.is_set():
                with server.accept()[0] as asking:
                    if answer:
                        asking.recv(1 << 16)
                        asking.sendall(answer)

        threading.Thread(target=hang_up, daemon=True).start()
        store = S3Store("bucket", "", settings_for(address))
        acts: list[Callable[[], object]] = [lambda: store.size("a"), lambda: list(store.keys())]
        for act in acts:
            with pytest.raises(Unavailable, match="the object store failed") as caught:
                act()
            assert "secret" not in str(caught.value)
        ending.set()
        socket.create_connection(server.getsockname()).close()


def test_no_secret_is_shown(object_store: str, tmp_path: Path) -> None:
    settings = BlobSettings(secret_access_key=Secret("hidden"))
    assert "hidden" not in repr(settings)
    with pytest.raises(TypeError):
        msgspec.json.encode(settings)
    assert "secret" not in repr(new_store(object_store)._store)
