# SPDX-License-Identifier: Apache-2.0
"""`megagenome send` used wrongly, and nodes that do not answer as they must: each ends at once, in one line that says
what to do, before a file is read."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.cli.main import main
from megagenome.reception import folder as folder_
from megagenome.reception.folder import STATE
from megagenome.reception.inbox_client import RECIPIENT_PATH
from megagenome.standards.crypt4gh_keys import write_public_key
from megagenome.standards.problem import problem
from megagenome.standards.submission import MAY_SEND, ROOT, FileShown, Manifest, State, Submission, Submissions
from tests.reception.handing_in import DATASET
from tests.reception.receptions import files_of

TOKEN = "mgt_0123456789"
WHEN = "2026-03-01T10:00:00Z"


class FakeNode:
    """Answers from a table; `refuses` a method with a status and its reason."""

    def __init__(self, url: str) -> None:
        self.url, self.asked = url, list[str]()
        self.refuses: dict[str, tuple[int, str]] = {}
        self.begun: Submission | None = None
        self.may_send = (204, "")

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append(f"{method} {path}")
        if method in self.refuses:
            status, says = self.refuses[method]
            return status, msgspec.json.encode(problem(status, says))
        if path == RECIPIENT_PATH:
            return 200, write_public_key(X25519PrivateKey.generate().public_key()).encode()
        if not path.startswith(ROOT):
            return 404, b""
        if token != f"Bearer {TOKEN}":
            return 401, msgspec.json.encode(problem(401, "who are you?"))
        if path.startswith(MAY_SEND):
            status, says = self.may_send
            return status, b"" if status == 204 else msgspec.json.encode(problem(status, says))
        if method == "POST":
            manifest = msgspec.json.decode(body, type=Manifest)
            files = tuple(FileShown(k) for k in range(len(manifest.files)))
            self.begun = Submission("MGS-AAAAAAAAAAAAAAAA", State.OPEN, manifest, files, WHEN, WHEN)
            return 201, msgspec.json.encode(self.begun)
        return 200, msgspec.json.encode(Submissions(()) if path == ROOT else self.begun)


@pytest.fixture
def node() -> Iterator[FakeNode]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            token = self.headers.get("authorization", "")
            status, content = fake.answer(self.command, self.path, token, body)
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            if status == 301:
                self.send_header("location", "https://elsewhere.example/")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = respond  # noqa: N815 - as http.server calls them

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakeNode(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield fake
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEGAGENOME_TOKEN", TOKEN)
    files_of(tmp_path / "files")
    return tmp_path / "files"


def unread(*_: object) -> None:
    pytest.fail("a file was read before the rest was looked at")


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str]]:
    code = main(["send", *map(str, arguments)])
    out, lines = capsys.readouterr()
    assert out == ""
    return code, lines.splitlines()


LAID_WRONG = {
    "nothing": ("is not there: give the folder", ()),
    "a file": ("is no folder: give the folder", ()),
    "empty": ("there is no file to be sent in", ("--dataset", DATASET)),
    "no dataset": ("say by --dataset what the files are for", ()),
    "bad dataset": ("dataset id", ("--dataset", "a b")),
    "no assembly": ("say --assembly GRCh37", ("--dataset", DATASET)),
    "unknown assembly": ("unknown assembly 'hg99'", ("--dataset", DATASET, "--assembly", "hg99")),
    "unknown format": ("notes.docx is of no known format", ("--dataset", DATASET)),
    "bad manifest": ("manifest.json: not a manifest", ()),
    "path traversal": ("manifest.json: '../people.tsv': a path stays below its folder", ()),
}
STEALING = f"""{{"dataset": "{DATASET}", "assembly": "", "people": ["../people.tsv"], "files": [
    {{"path": "../people.tsv", "size_bytes": 1, "sha256": "{"0" * 64}", "format": "people-table"}}]}}"""


def lay_wrong(folder: Path, what: str) -> Path:
    match what:
        case "nothing":
            return folder / "nowhere"
        case "a file":
            return folder / "people.tsv"
        case "empty":
            shutil.rmtree(folder)
            folder.mkdir()
        case "unknown format":
            (folder / "notes.docx").write_text("x")
        case "bad manifest":
            (folder / "manifest.json").write_text("{}")
        case "path traversal":
            (folder / "manifest.json").write_text(STEALING)
    return folder


@pytest.mark.parametrize("what", LAID_WRONG)
def test_what_is_wrong_in_the_folder_is_said_before_a_node_is_asked(
    node: FakeNode, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(folder_, "_hashed", unread)
    says, more = LAID_WRONG[what]
    code, [line] = said(capsys, lay_wrong(folder, what), "--to", node.url, *more)
    assert code == 2
    assert says in line
    assert node.asked == []
    assert not (folder / STATE).exists()


WRONG_NODES = {
    "not there": (2, "is not the address of a node"),
    "a page that leads elsewhere": (2, "leads to https://elsewhere.example/: give the address"),
    "it does not answer": (1, "does not answer"),
    "it fails": (1, "answers 503"),
    "an unknown token": (3, "who are you?: make a token on the page of your account at http://127.0.0.1"),
    "no token": (3, "without a token the node does not know who you are: make a token"),
    "no role": (3, "you are no data provider for"),
    "too many open": (3, "you have 3 open submissions here"),
    "another key": (3, "and not abc: ask its operator"),
}


@pytest.mark.parametrize("what", WRONG_NODES)
def test_a_wrong_node_or_token_is_said_at_once(
    node: FakeNode, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(folder_, "_hashed", unread)
    url, more = node.url, list[str]()
    match what:
        case "not there":
            url = f"{node.url}/inbox"
        case "a page that leads elsewhere":
            node.refuses["GET"] = (301, "")
        case "it does not answer":
            url = "http://127.0.0.1:1"
        case "it fails":
            node.refuses["GET"] = (503, "")
        case "an unknown token":
            monkeypatch.setenv("MEGAGENOME_TOKEN", "mgt_other")
        case "no token":
            monkeypatch.delenv("MEGAGENOME_TOKEN")
        case "no role":
            node.may_send = (403, f"you are no data provider for {DATASET} here")
        case "too many open":
            node.may_send = (409, "you have 3 open submissions here: finish or cancel one")
        case "another key":
            more = ["--recipient", "abc"]
    where = ["--to", url, "--dataset", DATASET, "--assembly", "GRCh37", *more]
    code, [line] = said(capsys, folder, *where)
    assert (code, WRONG_NODES[what][1] in line) == (WRONG_NODES[what][0], True), line
    assert not (folder / STATE).exists()


@pytest.mark.parametrize("status", [204, 404])  # nodes of before say so only when a submission begins
def test_whether_one_may_send_is_asked_of_the_dataset_before_anything_begins(
    node: FakeNode, folder: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    node.may_send = (status, "there is no such page")
    node.refuses["POST"] = (507, "the node has no room for this now")
    code, lines = said(capsys, folder, "--to", node.url, "--dataset", DATASET, "--assembly", "GRCh37")
    assert (code, lines[-1]) == (1, "megagenome: the node has no room for this now")
    assert node.asked.index(f"GET {MAY_SEND}/{DATASET}") < node.asked.index(f"POST {ROOT}")


def test_no_room_is_said_and_that_the_same_command_goes_on(
    node: FakeNode, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [folder, "--to", node.url, "--dataset", DATASET, "--assembly", "GRCh37"]
    node.refuses["POST"] = (507, "the node has no room for this now")
    code, lines = said(capsys, *where)
    assert (code, lines[-1]) == (1, "megagenome: the node has no room for this now")
    assert not (folder / STATE).exists()
    del node.refuses["POST"]
    node.refuses["PUT"] = (507, "the node has no room for this now")
    code, lines = said(capsys, *where)
    assert code == 1
    assert lines[-1] == (
        "megagenome: the node has no room for this now. What the node has stays there: the same command goes on"
    )
    assert (folder / STATE).exists()
    assert [each.split()[0] for each in node.asked].count("PUT") == 1  # room is not made by asking again
