# SPDX-License-Identifier: Apache-2.0
"""A country's desk on the pages of its own node: what waits, one proposed permit, and deciding dataset by dataset.

It calls the node's `/access/desk` in process, as the person who reads it, and shows no more than that tells.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, NotFound, Unauthenticated
from megagenome.portal.answers import Posted
from megagenome.portal.client import Reader, Sent, ask_own_app, read_reply, reader_of, send_own_app
from megagenome.portal.cohort_words import definition_words
from megagenome.portal.commands import text_of
from megagenome.portal.node_home import node_error_pages
from megagenome.portal.numbers import plural
from megagenome.portal.pages import html, render
from megagenome.portal.site import to_sign_in
from megagenome.standards.application import PartState
from megagenome.standards.desk import DeskItem, DeskPage, DeskPart, DeskPermit
from megagenome.standards.permit import DatasetDecision, PermitState, Verdict
from megagenome.standards.problem import status_of
from megagenome.web import Http

Page = Response[str] | Redirect

_ROOT = "/access/desk"
_PAGE = 50
CHOICES = {
    PartState.REQUESTED: (Verdict.APPROVED, Verdict.REFUSED),
    PartState.APPROVED: (Verdict.REVOKED,),
}
"""What can be decided on a dataset in a state; in all others nothing."""
TOLD = {
    PermitState.ACTIVE: "The hub lets it work wherever a country granted it.",
    PermitState.SUSPENDED: "The hub suspended it: it works nowhere now, whatever you grant.",
    PermitState.REVOKED: "The hub ended it: it works nowhere any more, and there is nothing to decide.",
}


class Asked(NamedTuple):
    """One dataset on the page, with what was typed for it."""

    part: DeskPart
    choices: tuple[Verdict, ...]
    chosen: str
    reasons: str


class _Desk(NamedTuple):
    """The node's desk as functions; each raises the condition that the API answered with."""

    reader: Reader

    async def page(self, skip: int) -> DeskPage:
        query = {"skip": str(skip), "limit": str(_PAGE)}
        return read_reply(await ask_own_app(self.reader, _ROOT, query), _ROOT, DeskPage)

    async def permit(self, permit: str) -> DeskPermit:
        path = _at(permit)
        return read_reply(await ask_own_app(self.reader, path, {}), path, DeskPermit)

    async def decide(self, permit: str, decisions: tuple[DatasetDecision, ...]) -> DeskItem:
        path = f"{_at(permit)}/decision"
        sent = Sent(msgspec.json.encode({"decisions": decisions}))
        return read_reply(await send_own_app(self.reader, path, {}, sent), path, DeskItem)


def desk_page(page: DeskPage) -> str:
    """All proposals, what waits first."""
    return render("node_desk.html", page=page, now=clock.now(), left={i.permit: time_left(i) for i in page.items})


def proposal_page(
    found: DeskPermit, *, problem: str = "", typed: Mapping[str, tuple[str, str]] | None = None, told: str = ""
) -> str:
    """One proposed permit. `typed` is by dataset the verdict and reasons that could not be sent."""
    given = typed or {}
    asked = []
    for part in found.item.parts:
        chosen, reasons = given.get(part.dataset, ("", ""))
        choices = CHOICES.get(part.state, ()) if found.item.told is not PermitState.REVOKED else ()
        asked.append(Asked(part, choices, chosen, reasons))
    return render(
        "node_proposal.html",
        item=found.item,
        permit=found.document,
        decisions=list(reversed(found.decisions)),
        environments=found.environments,
        asked=asked,
        can_decide=any(each.choices for each in asked),
        words=definition_words(found.document.definition),
        left=time_left(found.item),
        told=TOLD[found.item.told],
        problem=problem,
        done=told,
    )


def time_left(item: DeskItem) -> str:
    """How long the country can still answer, in its working days, as the applicant reads it at the hub."""
    if not item.waits:
        return ""
    return f"{plural(item.left, 'working day')} left" if item.left else "ends today"


@get("/desk")
async def desk(request: Http) -> Page:
    """What was proposed to this country."""
    text = request.query_params.get("skip", "0")
    skip = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    return html(desk_page(await _desk(request).page(skip)))


@get("/desk/{permit:str}")
async def proposal(request: Http, permit: FromPath[str]) -> Page:
    """One proposed permit."""
    told = "Your decision is signed and on its way to the hub." if "done" in request.query_params else ""
    return html(proposal_page(await _desk(request).permit(permit), told=told))


@post("/desk/{permit:str}", status_code=200)
async def decide(request: Http, permit: FromPath[str]) -> Page:
    """Decide on the datasets for which something was chosen."""
    access, posted = _desk(request), await request.form()
    found = await access.permit(permit)
    typed = {part.dataset: _typed(posted, part.dataset) for part in found.item.parts}
    try:
        decisions = _decisions(typed)
        await access.decide(permit, decisions)
    except (Invalid, Conflict, NotEntitled) as error:
        problem = f"Nothing was decided: {error}."
        return html(proposal_page(await access.permit(permit), problem=problem, typed=typed), status_of(error))
    return Redirect(f"/desk/{permit}?done=1", status_code=303)


def node_desk_router() -> Router:
    """The desk's pages, for a node that has `/access/desk` mounted."""
    return Router(
        "/",
        route_handlers=[desk, proposal, decide],
        exception_handlers={**node_error_pages, Unauthenticated: to_sign_in},
        include_in_schema=False,
        request_max_body_size=1_000_000,
    )


def _desk(request: Http) -> _Desk:
    VISIT.get().caller.require_subject()
    return _Desk(reader_of(request))


def _at(permit: str) -> str:
    if not (permit.isascii() and permit.isalnum() and len(permit) <= 100):
        raise NotFound("there is no such proposal here")
    return f"{_ROOT}/{permit}"


def _typed(posted: Posted, dataset: str) -> tuple[str, str]:
    return text_of(posted, f"verdict:{dataset}"), text_of(posted, f"reasons:{dataset}")


def _decisions(typed: Mapping[str, tuple[str, str]]) -> tuple[DatasetDecision, ...]:
    found = []
    for dataset, (verdict, reasons) in typed.items():
        if not verdict:
            continue
        if verdict not in list(Verdict):
            raise Invalid(f"{dataset}: choose one of the answers")
        if verdict != Verdict.APPROVED and not reasons:
            raise Invalid(f"{dataset}: write the reasons; a no without reasons is none")
        found.append(DatasetDecision(dataset, Verdict(verdict), reasons))
    if not found:
        raise Invalid("choose an answer for at least one dataset")
    return tuple(found)
