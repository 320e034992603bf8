# SPDX-License-Identifier: Apache-2.0
"""Submissions on a node's pages: how to send, what is here, what validation found, what would become public, and the
data steward's decision.

They call the node's `/inbox` in process, as the person who reads them, and show no more than that tells.
"""

from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import (
    Conflict,
    Invalid,
    NoRoom,
    NotEntitled,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
)
from megagenome.portal.client import reader_of
from megagenome.portal.commands import text_of
from megagenome.portal.node_home import node_error_pages
from megagenome.portal.pages import html, render
from megagenome.portal.quality_plots import SEX_STYLES, quality_plots
from megagenome.portal.site import to_sign_in
from megagenome.portal.submission_client import InboxOf
from megagenome.standards.crypt4gh import MAGIC
from megagenome.standards.crypt4gh_segments import sealed_size
from megagenome.standards.problem import status_of
from megagenome.standards.submission import (
    KEPT_DAYS,
    LONGEST_REASONS,
    OVER,
    Decision,
    Preview,
    State,
    Submission,
    Submissions,
)
from megagenome.standards.validation_report import Level, Message, Report
from megagenome.web import Http

Page = Response[str] | Redirect

LARGEST_FORM_BYTES = 1 << 20
"""What is longer would be put down in a temporary file before anybody could look at it, and may be a plain one that was
chosen by mistake. Longer files go by `megagenome send`."""
_REFUSALS = (Invalid, Conflict, NotEntitled, TooLarge, RateLimited, NoRoom)
_PLACE = "/submissions"
_MOST_FINDINGS = 200
_GRAVEST = (Level.ERROR, Level.WARNING, Level.INFO)
_FORGOTTEN = f"its list of files and its report stay for {KEPT_DAYS} days"

STATES = {
    State.OPEN: ("being sent", "act", "The node waits for files."),
    State.PROCESSING: (
        "being checked",
        "open",
        "Every file is validated, compared with its checksums, and archived.",
    ),
    State.REFUSED: ("refused", "bad", f"It is not what it should be. No file of it was kept; {_FORGOTTEN}."),
    State.REPORTED: (
        "waits for a steward",
        "act",
        "All of it is archived. A data steward looks at it and decides.",
    ),
    State.LOADING: ("being loaded", "open", "A data steward accepted it. It is being loaded into the dataset."),
    State.ACCEPTED: ("accepted", "good", "It is in the dataset."),
    State.REJECTED: ("rejected", "bad", f"A data steward rejected it. No file of it was kept; {_FORGOTTEN}."),
    State.CANCELLED: ("cancelled", "over", f"It was cancelled. No file of it was kept; {_FORGOTTEN}."),
}
"""Of each state its name, its badge's tone, and what it means."""


def submissions_page(found: Submissions, recipient: str, url: str, *, is_provider: bool, problem: str = "") -> str:
    """All that one may see, and how to send."""
    return render(
        "submissions.html",
        found=found.submissions,
        states=STATES,
        recipient=recipient,
        url=url,
        is_provider=is_provider,
        problem=problem,
    )


def submission_page(
    shown: Submission,
    report: Report | None,
    preview: Preview | None,
    *,
    may_send: bool,
    may_decide: bool,
    has_receipt: bool,
    problem: str = "",
    reasons: str = "",
) -> str:
    """One submission."""
    quality = report.qc if report is not None else None
    return render(
        "submission.html",
        shown=shown,
        state=STATES[shown.state],
        files=[_file(shown, number) for number in range(len(shown.manifest.files))],
        report=report,
        by_name={} if report is None else {each.name: each for each in report.files},
        findings=[] if report is None else _gravest_first(report),
        most_findings=_MOST_FINDINGS,
        quality=quality,
        sex_styles=SEX_STYLES,
        plots=[] if quality is None else quality_plots(quality),
        preview=preview,
        may_send=may_send and shown.state is State.OPEN,
        may_cancel=may_send and shown.state not in OVER and shown.state is not State.LOADING,
        may_decide=may_decide and shown.state is State.REPORTED,
        may_publish=may_decide and shown.state is State.ACCEPTED,
        is_kept=shown.state not in OVER or shown.state is State.ACCEPTED,
        has_receipt=has_receipt,
        problem=problem,
        reasons=reasons,
        longest_reasons=LONGEST_REASONS,
        most_mb=LARGEST_FORM_BYTES >> 20,
    )


def _gravest_first(report: Report) -> list[tuple[str, Message]]:
    """Each message with the file that it is about; "" of all together."""
    found = [(each.name, message) for each in report.files for message in each.messages]
    found += [("", message) for message in report.messages]
    return sorted(found, key=lambda each: _GRAVEST.index(each[1].level))


def _file(shown: Submission, number: int) -> tuple[Any, int, int]:
    """A file, how many bytes of it are here, and how many there will be, about."""
    stated = shown.manifest.files[number]
    here = sum(part.size_bytes for part in shown.files[number].parts)
    return stated, here, sealed_size(stated.size_bytes)


@get(_PLACE)
async def submissions(request: Http) -> Page:
    """All."""
    return html(await _all(request, _inbox(request)))


@post(_PLACE, status_code=200)
async def begin(request: Http) -> Page:
    """A new one, of a manifest."""
    inbox, posted = _inbox(request), await request.form()
    try:
        begun = await inbox.begin(await _content(posted.get("manifest"), "choose a manifest, a JSON file"))
    except _REFUSALS as error:
        return html(await _all(request, inbox, f"Nothing was begun: {error}."), status_of(error))
    return Redirect(f"{_PLACE}/{begun.id}", status_code=303)


@get(_PLACE + "/{submission:str}")
async def submission(request: Http, submission: FromPath[str]) -> Page:
    """One."""
    return html(await _one(_inbox(request), submission))


@post(_PLACE + "/{submission:str}/files/{file:int}", status_code=200)
async def send_file(request: Http, submission: FromPath[str], file: FromPath[int]) -> Page:
    """One sealed file."""
    inbox, posted = _inbox(request), await request.form()

    async def act() -> None:
        content = await _content(posted.get("sealed"), "choose the file, sealed as Crypt4GH")
        if not content.startswith(MAGIC):
            raise Invalid(
                "this is no Crypt4GH file: seal it first (`megagenome crypt4gh seal`), and nothing of it "
                "lies anywhere as it is"
            )
        await inbox.send(submission, file, content)

    return await _done(inbox, submission, act)


@post(_PLACE + "/{submission:str}/complete", status_code=200)
async def complete(request: Http, submission: FromPath[str]) -> Page:
    """All was sent."""
    inbox = _inbox(request)
    return await _done(inbox, submission, lambda: inbox.complete(submission))


@post(_PLACE + "/{submission:str}/cancel", status_code=200)
async def cancel(request: Http, submission: FromPath[str]) -> Page:
    """The provider ends it."""
    inbox = _inbox(request)
    return await _done(inbox, submission, lambda: inbox.cancel(submission))


@post(_PLACE + "/{submission:str}/decision", status_code=200)
async def decide(request: Http, submission: FromPath[str]) -> Page:
    """The data steward's yes or no."""
    inbox, posted = _inbox(request), await request.form()
    reasons = text_of(posted, "reasons")
    verdict = text_of(posted, "verdict")

    async def act() -> None:
        if verdict not in ("accept", "reject"):
            raise Invalid("choose whether it is accepted or rejected")
        await inbox.decide(submission, Decision(verdict == "accept", reasons))

    return await _done(inbox, submission, act, reasons)


def submission_router() -> Router:
    """The pages, for a node that has `/inbox` mounted."""
    return Router(
        "/",
        route_handlers=[submissions, begin, submission, send_file, complete, cancel, decide],
        exception_handlers={**node_error_pages, Unauthenticated: to_sign_in},
        include_in_schema=False,
        request_max_body_size=LARGEST_FORM_BYTES,
    )


async def _all(request: Http, inbox: InboxOf, problem: str = "") -> str:
    roles = VISIT.get().caller.roles
    found = await inbox.all()
    url = str(request.base_url).rstrip("/")
    key = await inbox.recipient()
    return submissions_page(found, key, url, is_provider=Role.DATA_PROVIDER in roles, problem=problem)


async def _one(inbox: InboxOf, submission: str, problem: str = "", reasons: str = "") -> str:
    shown = await inbox.show(submission)
    roles = VISIT.get().caller.roles
    return submission_page(
        shown,
        await inbox.report(submission),
        await inbox.preview(submission),
        may_send=Role.DATA_PROVIDER in roles,
        may_decide=Role.DATA_STEWARD in roles,
        has_receipt=await inbox.has_receipt(submission),
        problem=problem,
        reasons=reasons,
    )


async def _done(inbox: InboxOf, submission: str, act: Any, reasons: str = "") -> Page:
    try:
        await act()
    except NotFound:
        raise
    except _REFUSALS as error:
        page = await _one(inbox, submission, f"Nothing was changed: {error}.", reasons)
        return html(page, status_of(error))
    return Redirect(f"{_PLACE}/{submission}", status_code=303)


async def _content(posted: Any, says: str) -> bytes:
    if not isinstance(posted, UploadFile) or not posted.filename:
        raise Invalid(says)
    return await posted.read()


def _inbox(request: Http) -> InboxOf:
    VISIT.get().caller.require_subject()
    return InboxOf(reader_of(request))
