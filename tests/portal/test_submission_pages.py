# SPDX-License-Identifier: Apache-2.0
"""The pages of submissions, over an API that answers from a table."""

import hashlib
import tempfile
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from litestar.testing import TestClient

from megagenome.kernel.callers import Caller, Role
from megagenome.portal import submission_client
from megagenome.portal.submission_pages import (
    LARGEST_FORM_BYTES,
    STATES,
    submission_page,
    submission_router,
    submissions_page,
)
from megagenome.standards.problem import MEDIA_TYPE, problem
from megagenome.standards.submission import Part, State, Submissions, read_content_digest
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL
from tests.portal.submitted import ID, preview, report, submission
from tests.portal.test_node_desk import as_caller

PROVIDER = Caller("paula@idp", "Paula", frozenset({Role.DATA_PROVIDER}))
STEWARD = Caller("sofia@idp", "Sofia", frozenset({Role.DATA_STEWARD}))


class Api:
    """The node's inbox: what was sent to it, in which state the one submission is, and what it refuses with."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.state = State.REPORTED
        self.refuses: tuple[int, str] | None = None

    def _answer(self, what: str, body: bytes, answer: Any, status: int = 200) -> Response[bytes]:
        if self.refuses:
            content = msgspec.json.encode(problem(*self.refuses))
            return Response(content, status_code=self.refuses[0], media_type=MEDIA_TYPE)
        self.sent.append((what, body))
        return Response(msgspec.json.encode(answer), status_code=status)

    def handlers(self) -> list[Any]:
        @get("/inbox/submissions")
        async def all_() -> Response[bytes]:
            return Response(msgspec.json.encode(Submissions((submission(),))))

        @get("/.well-known/c4gh-recipient")
        async def recipient() -> Response[str]:
            return Response("-----BEGIN CRYPT4GH PUBLIC KEY-----")

        @get(f"/inbox/submissions/{ID}")
        async def show() -> Response[bytes]:
            return Response(msgspec.json.encode(submission(state=self.state)))

        @get(f"/inbox/submissions/{ID}/report")
        async def reported() -> Response[bytes]:
            return Response(msgspec.json.encode(report()))

        @get(f"/inbox/submissions/{ID}/receipt")
        async def receipt() -> Response[bytes]:
            return Response(b"a.b.c")

        @get(f"/inbox/submissions/{ID}/preview")
        async def previewed() -> Response[bytes]:
            content = msgspec.json.encode(problem(403, "not yours"))
            return Response(content, status_code=403, media_type=MEDIA_TYPE)

        @post("/inbox/submissions")
        async def begin(request: Request[Any, Any, Any]) -> Response[bytes]:
            return self._answer("begin", await request.body(), submission(), 201)

        @post(f"/inbox/submissions/{ID}/{{act:str}}")
        async def act(act: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
            return self._answer(act, await request.body(), submission())

        @post(f"/inbox/submissions/{ID}/files/{{file:int}}/parts/{{part:int}}")
        async def put(file: FromPath[int], part: FromPath[int], request: Request[Any, Any, Any]) -> Response[bytes]:
            body = await request.body()
            assert read_content_digest(request.headers["content-digest"]) == hashlib.sha256(body).hexdigest()
            return self._answer(f"{file}/{part}", body, Part(part, len(body), "0" * 64), 201)

        return [all_, recipient, show, reported, receipt, previewed, begin, act, put]


@pytest.fixture
def api() -> Api:
    return Api()


def browsing(api: Api, caller: Caller) -> Iterator[TestClient[Litestar]]:
    app = Litestar([*api.handlers(), submission_router()], middleware=[as_caller(caller)], openapi_config=None)
    with TestClient(app) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
def provider(api: Api) -> Iterator[TestClient[Litestar]]:
    yield from browsing(api, PROVIDER)


@pytest.fixture
def steward(api: Api) -> Iterator[TestClient[Litestar]]:
    yield from browsing(api, STEWARD)


@pytest.mark.parametrize("state", State)
def test_a_submission_is_whole_in_each_state_and_hostile_text_stays_text(state: State) -> None:
    page = submission_page(
        submission(EVIL, state),
        report(EVIL),
        preview(EVIL, 600),
        may_send=True,
        may_decide=True,
        has_receipt=True,
        problem=EVIL,
        reasons=EVIL,
    )
    found = Document(page)
    found.check()
    assert "<script>window" not in page
    assert STATES[state][2] in found.text
    buttons = [a.get("action", "") for a in found.all("form")]
    assert (f"/submissions/{ID}/decision" in buttons) is (state is State.REPORTED)
    assert (f"/submissions/{ID}/files/2" in buttons) is (state is State.OPEN)


def test_the_list_says_how_to_send_to_providers_alone() -> None:
    shown = Submissions((submission(EVIL),))
    for is_provider in (True, False):
        found = Document(submissions_page(shown, EVIL, "https://node.example", is_provider=is_provider, problem=EVIL))
        found.check()
        assert ("megagenome send FOLDER --to https://node.example" in found.text) is is_provider
    assert "Nothing was sent yet." in Document(submissions_page(Submissions(()), "", "", is_provider=False)).text


def test_the_report_says_which_file_where_and_why() -> None:
    text = Document(
        submission_page(submission(), report(), preview(), may_send=False, may_decide=True, has_receipt=False)
    ).text
    for words in ("cohort.vcf.gz.tbi", "line 4,711", "22:16050075", "the reference base is not the assembly's"):
        assert words in text
    assert "34" in text  # people who would be counted
    assert "no, too few" in text
    assert "how many have a frequency that is told is known when they are loaded" in text


def test_findings_come_gravest_first() -> None:
    found = Document(
        submission_page(submission(), report("odd"), None, may_send=True, may_decide=False, has_receipt=False)
    )
    text = found.text[found.text.index("What validation found") :]
    assert text.index("the reference base") < text.index("warning odd")


@pytest.mark.parametrize(
    ("state", "is_kept"), [(State.REPORTED, True), (State.ACCEPTED, True), (State.REJECTED, False)]
)
def test_what_is_said_to_be_archived_is_kept(state: State, is_kept: bool) -> None:
    page = submission_page(
        submission(state=state), report(), preview(), may_send=False, may_decide=True, has_receipt=True
    )
    assert ('<td class="n">archived' in page) is is_kept
    assert ('href="/datasets/GDI-EE-COHORT-001"' in page) is (state is State.ACCEPTED)


def test_a_manifest_begins_a_submission_and_files_are_sent_in_parts(
    provider: TestClient[Litestar], api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.state = State.OPEN
    begun = provider.post("/submissions", files={"manifest": ("manifest.json", b"{}")})
    assert (begun.status_code, begun.headers["location"]) == (303, f"/submissions/{ID}")
    monkeypatch.setattr(submission_client, "PART_BYTES", 600_000)
    content = b"crypt4gh" + bytes(LARGEST_FORM_BYTES - 10_000)
    sent = provider.post(f"/submissions/{ID}/files/2", files={"sealed": ("people.c4gh", content)})
    assert sent.status_code == 303
    assert provider.post(f"/submissions/{ID}/complete").status_code == 303
    assert [what for what, _ in api.sent] == ["begin", "2/0", "2/1", "complete"]
    assert b"".join(body for what, body in api.sent if "/" in what) == content
    assert msgspec.json.decode(api.sent[-1][1]) == {"parts": [1, 1, 0]}


def test_what_is_not_sealed_is_not_sent(provider: TestClient[Litestar], api: Api) -> None:
    api.state = State.OPEN
    answer = provider.post(f"/submissions/{ID}/files/2", files={"sealed": ("people.tsv", b"individual_id\n")})
    assert answer.status_code == 400
    assert "this is no Crypt4GH file" in Document(answer.text).text
    assert api.sent == []


def test_nothing_that_is_chosen_by_mistake_comes_to_a_disk(
    provider: TestClient[Litestar], api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form's file is put down in a temporary one where it has more than a megabyte."""
    api.state, rolled = State.OPEN, list[int]()
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda _file: rolled.append(1))
    for path, name in ((f"/submissions/{ID}/files/2", "sealed"), ("/submissions", "manifest")):
        for size in (1000, LARGEST_FORM_BYTES - 500, LARGEST_FORM_BYTES, 2 << 20):
            answer = provider.post(path, files={name: ("people.tsv", b"individual_id" + bytes(size))})
            if size >= LARGEST_FORM_BYTES:
                assert answer.status_code == 413
            elif name == "sealed":
                assert "this is no Crypt4GH file" in Document(answer.text).text
    assert rolled == []
    assert [what for what, _ in api.sent] == ["begin", "begin"]


def test_a_steward_accepts_or_rejects_with_reasons(steward: TestClient[Litestar], api: Api) -> None:
    path = f"/submissions/{ID}/decision"
    assert steward.post(path, data={"verdict": "reject", "reasons": "two people are one"}).status_code == 303
    assert msgspec.json.decode(api.sent[0][1]) == {"accept": False, "reasons": "two people are one"}
    assert steward.post(path, data={"verdict": "accept"}).status_code == 303
    assert msgspec.json.decode(api.sent[1][1]) == {"accept": True, "reasons": ""}
    unchosen = steward.post(path, data={"reasons": "typed"})
    assert unchosen.status_code == 400
    assert "typed" in Document(unchosen.text).text


@pytest.mark.parametrize("status", [400, 403, 409, 413, 429, 507])
def test_what_the_node_refuses_is_told_and_nothing_typed_is_lost(
    steward: TestClient[Litestar], api: Api, status: int
) -> None:
    api.refuses = (status, "it does not wait for a decision")
    answer = steward.post(f"/submissions/{ID}/decision", data={"verdict": "accept", "reasons": "typed"})
    assert answer.status_code == status
    text = Document(answer.text).text
    assert "Nothing was changed: it does not wait for a decision." in text
    assert "typed" in text
    begun = steward.post("/submissions", files={"manifest": ("manifest.json", b"{}")})
    assert begun.status_code == status
    assert "Nothing was begun: it does not wait for a decision." in Document(begun.text).text


def test_no_other_address_reaches_the_inbox(provider: TestClient[Litestar], api: Api) -> None:
    for ident in ("..", "MGS-x", f"{ID}x"):
        assert provider.get(f"/submissions/{ident}").status_code == 404
    assert api.sent == []
