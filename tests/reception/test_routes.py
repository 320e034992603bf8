# SPDX-License-Identifier: Apache-2.0
"""The wire of reception: what each route takes and answers, and how refusals look."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import NoRoom
from megagenome.reception.routes import reception_router
from megagenome.standards.problem import MEDIA_TYPE
from megagenome.standards.submission import (
    LARGEST_PART_BYTES,
    MAY_SEND,
    ROOT,
    State,
    Submission,
    Submissions,
    content_digest,
)
from tests.reception.handing_in import DATASET
from tests.reception.receptions import OTHER, PROVIDER, PUBLIC, STEWARD, House, files_of, manifest_of

JSON = {"content-type": "application/json"}


class Asker:
    """Somebody who asks over the wire."""

    def __init__(self, house: House) -> None:
        self.caller = PROVIDER

        def middleware(app: ASGIApp) -> ASGIApp:
            async def run(scope: Scope, receive: Receive, send: Send) -> None:
                scope["caller"] = self.caller
                await app(scope, receive, send)

            return run

        self.app = Litestar([reception_router(house.reception)], middleware=[middleware], openapi_config=None)
        self.client = TestClient(self.app)

    def ask(self, method: str, path: str, caller: Caller = PROVIDER, **more: Any) -> Any:
        self.caller = caller
        return self.client.request(method, path, **more)


@pytest.fixture
def asker(house: House) -> Iterator[Asker]:
    found = Asker(house)
    with found.client:
        yield found


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    return files_of(tmp_path / "files")


def put(asker: Asker, path: str, content: bytes) -> Any:
    digest = {"content-digest": content_digest(hashlib.sha256(content).digest())}
    return asker.ask("PUT", path, content=content, headers=digest)


def test_a_submission_goes_its_way_by_the_wire_alone(house: House, asker: Asker, files: dict[str, bytes]) -> None:
    begun = asker.ask("POST", ROOT, content=msgspec.json.encode(manifest_of(files)), headers=JSON)
    assert begun.status_code == 201
    ident = msgspec.json.decode(begun.content, type=Submission).id
    for number, content in enumerate(files.values()):
        path = f"{ROOT}/{ident}/files/{number}/parts/0"
        sealed = house.sealed(content)
        assert [put(asker, path, sealed).status_code for _ in range(2)] == [201, 200]
        assert put(asker, path, sealed + b"x").status_code == 409
    done = asker.ask("POST", f"{ROOT}/{ident}/complete", content=b'{"parts":[1,1]}', headers=JSON)
    assert msgspec.json.decode(done.content, type=Submission).state is State.PROCESSING
    for name in ("report", "receipt"):
        assert asker.ask("GET", f"{ROOT}/{ident}/{name}").status_code == 409
    house.do_jobs()
    assert asker.ask("GET", f"{ROOT}/{ident}/report").json()["result"] == "passed"
    receipt = asker.ask("GET", f"{ROOT}/{ident}/receipt")
    assert receipt.headers["content-type"].startswith("application/jwt")
    assert receipt.text == house.reception.receipt(PROVIDER, ident)
    assert asker.ask("GET", f"{ROOT}/{ident}/preview", STEWARD).json()["people"] == 30
    no = b'{"accept":false,"reasons":"no"}'
    decided = asker.ask("POST", f"{ROOT}/{ident}/decision", STEWARD, content=no, headers=JSON)
    assert msgspec.json.decode(decided.content, type=Submission).state is State.REJECTED
    listed = asker.ask("GET", ROOT)
    assert [each.id for each in msgspec.json.decode(listed.content, type=Submissions).submissions] == [ident]
    assert listed.headers["cache-control"] == "no-store"


def test_who_may_send_for_a_dataset_learns_it_before_a_file_is_read(
    house: House, asker: Asker, files: dict[str, bytes]
) -> None:
    def may(caller: Caller, dataset: str = DATASET) -> int:
        return asker.ask("GET", f"{MAY_SEND}/{dataset}", caller).status_code  # type: ignore[no-any-return]  # of an untyped client

    assert [may(each) for each in (PROVIDER, OTHER, PUBLIC)] == [204, 403, 401]
    assert (may(PROVIDER, "OTHER-1"), may(PROVIDER, "a%20b")) == (403, 400)
    for _ in range(house.parts.settings.most_open):
        house.reception.begin(PROVIDER, manifest_of(files))
    refused = asker.ask("GET", f"{MAY_SEND}/{DATASET}")
    assert (refused.status_code, "open submissions here" in refused.json()["detail"]) == (409, True)


def test_it_is_cancelled_by_either_way(asker: Asker, files: dict[str, bytes]) -> None:
    content = msgspec.json.encode(manifest_of(files))
    for method, ending in (("DELETE", ""), ("POST", "/cancel")):
        ident = asker.ask("POST", ROOT, content=content, headers=JSON).json()["id"]
        assert asker.ask(method, f"{ROOT}/{ident}{ending}").status_code == 204
        assert asker.ask("GET", f"{ROOT}/{ident}").json()["state"] == "cancelled"


def test_no_room_is_507(house: House, asker: Asker, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    content = msgspec.json.encode(manifest_of(files))
    ident = asker.ask("POST", ROOT, content=content, headers=JSON).json()["id"]

    def full(_size_bytes: int = 0) -> None:
        raise NoRoom("the archive has no room")

    monkeypatch.setattr(house.archive, "require_room", full)
    refused = [
        asker.ask("POST", ROOT, content=content, headers=JSON),
        put(asker, f"{ROOT}/{ident}/files/0/parts/0", house.sealed(b"x")),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["title"]) == (507, "No room")
        assert "send it again later" in answer.json()["detail"]
    assert asker.ask("GET", f"{ROOT}/{ident}").json()["files"][0] == {"number": 0}


def test_no_byte_is_read_of_what_is_not_wanted(house: House, asker: Asker, files: dict[str, bytes]) -> None:
    manifest = manifest_of(files)
    open_, over = (house.reception.begin(PROVIDER, manifest).id for _ in range(2))
    house.reception.cancel(PROVIDER, over)
    part = f"{ROOT}/{open_}/files/0/parts/0"
    assert put_unread(asker, PUBLIC, part) == 401
    assert put_unread(asker, OTHER, part) == 404
    assert put_unread(asker, PROVIDER, f"{ROOT}/{over}/files/0/parts/0") == 409
    for elsewhere in ("2/parts/0", "0/parts/1000000"):
        assert put_unread(asker, PROVIDER, f"{ROOT}/{open_}/files/{elsewhere}") == 400
    assert put_unread(asker, PROVIDER, part) == 400  # without its digest
    assert put_unread(asker, PUBLIC, ROOT, "POST") == 401


def put_unread(
    asker: Asker, caller: Caller, path: str, method: str = "PUT", *, size: int = LARGEST_PART_BYTES, **more: str
) -> int:
    """The status of the answer to a request whose body never comes; `more` are headers."""
    asker.caller = caller
    named = {"content-length": str(size)} | {name.replace("_", "-"): value for name, value in more.items()}
    scope: Any = {
        "type": "http",
        "http_version": "1.1",
        "app": asker.app,
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "query_string": b"",
    }
    told: list[int] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        told.append(message.get("status", 0))

    asyncio.run(asker.app(scope, receive, send))
    return told[0]


def test_a_part_that_says_that_it_is_a_form_is_none(
    house: House, asker: Asker, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = f"{ROOT}/{house.reception.begin(PROVIDER, manifest_of(files)).id}/files/0/parts/0"
    form = "multipart/form-data; boundary=b"
    digest = content_digest(bytes(32))
    assert put_unread(asker, PROVIDER, part, "POST", size=20 << 20, content_type=form, content_digest=digest) == 413

    def spool(*_: Any, **__: Any) -> None:
        raise AssertionError("a form was taken apart")

    monkeypatch.setattr("litestar.datastructures.upload_file.SpooledTemporaryFile", spool)
    sealed = house.sealed(b"x")
    headers = {"content-type": form, "content-digest": content_digest(hashlib.sha256(sealed).digest())}
    assert asker.ask("POST", part, content=sealed, headers=headers).status_code == 201  # it is its bytes


def test_refusals_are_problems_with_their_status(asker: Asker, files: dict[str, bytes]) -> None:
    content = msgspec.json.encode(manifest_of(files))
    ident = asker.ask("POST", ROOT, content=content, headers=JSON).json()["id"]
    one = f"{ROOT}/{ident}"
    part = f"{one}/files/0/parts/0"
    digest = {"content-digest": content_digest(bytes(32))}
    asked: list[tuple[int, str, str, Caller, dict[str, Any]]] = [
        (401, "GET", ROOT, PUBLIC, {}),
        (401, "GET", one, PUBLIC, {}),
        (404, "GET", one, OTHER, {}),
        (404, "GET", f"{ROOT}/MGS-x", PROVIDER, {}),
        (403, "POST", ROOT, OTHER, {"content": content, "headers": JSON}),
        (403, "POST", f"{one}/decision", PROVIDER, {"content": b'{"accept":true}', "headers": JSON}),
        (409, "POST", f"{one}/decision", STEWARD, {"content": b'{"accept":true}', "headers": JSON}),
        (400, "POST", f"{one}/decision", STEWARD, {"content": b'{"accept":1}', "headers": JSON}),
        (400, "POST", f"{one}/complete", PROVIDER, {"content": b'{"parts":[1,1]}'}),  # a form can send that
        (400, "POST", ROOT, PROVIDER, {"content": b"{", "headers": JSON}),
        (400, "PUT", part, PROVIDER, {"content": b"x"}),
        (400, "PUT", part, PROVIDER, {"content": b"x", "headers": digest}),
        (413, "PUT", part, PROVIDER, {"content": bytes(LARGEST_PART_BYTES + 1), "headers": digest}),
        (413, "POST", f"{one}/complete", PROVIDER, {"content": bytes(200_000), "headers": JSON}),
        (404, "PUT", f"{one}/files/x/parts/0", PROVIDER, {"content": b"x"}),
    ]
    for status, method, path, caller, more in asked:
        answer = asker.ask(method, path, caller, **more)
        assert (answer.status_code, method, path) == (status, method, path), answer.text
        if status != 404 or "files/x" not in path:
            assert answer.headers["content-type"] == MEDIA_TYPE
