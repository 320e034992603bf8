# SPDX-License-Identifier: Apache-2.0
"""A citizen's page, "what was my genome used for", and the data steward's for people who come to the contact point.

Both call the node's `/own` routes in process. A steward's page takes the individual's id in a form and never in an
address, which proxies and histories keep.
"""

from typing import Any, NamedTuple

import msgspec
from litestar import Response, Router, get, post
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Invalid, NotEntitled, NotFound, Unauthenticated
from megagenome.kernel.ledger import Kind
from megagenome.portal.client import Reader, Sent, ask_own_app, read_reply, reader_of, send_own_app
from megagenome.portal.commands import text_of, texts_of
from megagenome.portal.moments import day, month_name
from megagenome.portal.node_home import node_error_pages
from megagenome.portal.pages import html, render
from megagenome.portal.site import to_sign_in
from megagenome.standards.own_genome import Effect, OwnGenome, Said
from megagenome.standards.problem import status_of
from megagenome.web import Http

Page = Response[str] | Redirect

USES = {
    "aggregates": ("Numbers for everybody", "You are counted in what anybody may ask; small counts are never told."),
    "research": ("Research", "Scientists with a permit read your record, without your name, to find something out."),
    "policy": ("Policy", "Authorities with a permit read it to plan health services."),
    "quality": ("Quality", "Hospitals and authorities with a permit read it to see how well care works."),
    "healthcare": ("Care of others", "Doctors with a permit read it to help another patient."),
}
"""Kinds of use: name, and what it means for the person."""

ACTS = {
    "withdraw": ("Withdraw my consent", "from the uses that you tick; from all where you tick none"),
    "object": ("Object", "to research, policy and quality, for reasons of your own situation"),
    "opt-out": ("Opt out", "of all secondary use: numbers for everybody, research, policy, quality"),
    "renew": ("Give my consent again", "to the uses that you tick; to all where you tick none"),
}
"""What can be said: the button, and what it is about."""

MONTHS = {
    Kind.READ: "Individual records read by permit",
    Kind.SLICE: "Slices of files handed out by permit",
    Kind.FILE: "Whole files handed out by permit",
    Kind.STUDY: "Sums sent to federated studies by permit",
    Kind.EGRESS: "Results that left a closed environment",
    Kind.GRANT: "Permits granted for it",
    Kind.DECISION: "Other decisions on it",
    Kind.REVOCATION: "Permits for it stopped, paused or resumed",
    Kind.WITHDRAWAL: "People in it who withdrew or changed a consent",
    Kind.PUBLICATION: "Times that it was approved, published or withdrawn",
    Kind.ERASURE: "Names of people that were erased on their request",
    Kind.AGGREGATE: "Answers with numbers for the public",
}
_ROOT = "/own"


class _Own(NamedTuple):
    """The node's routes as functions, for one person; each raises the condition that was answered with."""

    reader: Reader
    path: str

    async def genome(self) -> OwnGenome:
        return read_reply(await ask_own_app(self.reader, self.path, {}), self.path, OwnGenome)

    async def say(self, act: str, uses: tuple[str, ...]) -> Said:
        sent = Sent(msgspec.json.encode({"act": act, "uses": uses}))
        path = f"{self.path}/consent"
        return read_reply(await send_own_app(self.reader, path, {}, sent), path, Said)


def own_genome_page(found: OwnGenome, *, said: str = "", problem: str = "", for_steward: bool = False) -> str:
    """What the genome is used for, what its person consents to, and what they can say."""
    return render(
        "own_genome.html",
        found=found,
        uses={use: USES.get(use, (use, "")) for use in found.uses},
        acts=ACTS,
        months=_by_month(found),
        effects=_effects(found.effects),
        said=said,
        problem=problem,
        for_steward=for_steward,
        act_of=lambda act: ACTS.get(act, (act, ""))[0],
        use_of=lambda use: USES.get(use, (use, ""))[0],
    )


def steward_page(*, problem: str = "") -> str:
    """The steward's page before a person is named."""
    return render("steward.html", problem=problem)


def told(said: Said) -> str:
    """What an act did, in words."""
    holds = ", ".join(USES.get(use, (use, ""))[0].lower() for use in said.holds) or "nothing"
    parts = [f"Done. Consent holds now for: {holds}.", "Readings by permit follow at once."]
    if said.public_until:
        until = f", on {day(said.leaves_by)} at the latest" if said.leaves_by else ""
        parts.append(f"The public numbers follow with the next release{until}, so that no difference shows one person.")
    return " ".join(parts)


def _by_month(found: OwnGenome) -> list[tuple[str, list[str]]]:
    months: dict[str, list[str]] = {}
    words = {kind.value: text for kind, text in MONTHS.items()}
    for each in found.months:
        months.setdefault(each.month, []).append(f"{words.get(each.kind, each.kind)}: {each.count:,}")
    return [(month_name(month), lines) for month, lines in months.items()]


def _effects(effects: tuple[Effect, ...]) -> list[Effect]:
    return [each for each in effects if each.does != "stays"]


@get("/my-genome")
async def mine(request: Http) -> Page:
    """One's own."""
    own = _Own(_signed_in(request), f"{_ROOT}/genome")
    try:
        return html(own_genome_page(await own.genome()))
    except (NotFound, NotEntitled) as error:
        return html(render("own_genome_unknown.html", reason=str(error)), status_of(error))


@post("/my-genome", status_code=200)
async def say_mine(request: Http) -> Page:
    """What one says of one's own."""
    own = _Own(_signed_in(request), f"{_ROOT}/genome")
    return await _say(own, await request.form(), for_steward=False)


@get("/consent")
async def steward(request: Http) -> Page:
    """The steward's form."""
    _signed_in(request)
    return html(steward_page())


@post("/consent", status_code=200)
async def say_theirs(request: Http) -> Page:
    """A person's page for the steward, and what they say there."""
    reader, posted = _signed_in(request), await request.form()
    individual = text_of(posted, "individual")
    if not individual or "/" in individual or len(individual) > 200:
        return html(steward_page(problem="Write the holder's id of the person."), 400)
    own = _Own(reader, f"{_ROOT}/genomes/{individual}")
    if text_of(posted, "act"):
        return await _say(own, posted, for_steward=True)
    try:
        return html(own_genome_page(await own.genome(), for_steward=True))
    except NotFound as error:
        return html(steward_page(problem=f"{error}."), status_of(error))


async def _say(own: _Own, posted: Any, *, for_steward: bool) -> Page:
    try:
        words = told(await own.say(text_of(posted, "act"), texts_of(posted, "use")))
        problem, status = "", 200
    except Invalid as error:
        words, problem, status = "", f"Nothing was changed: {error}.", 400
    page = own_genome_page(await own.genome(), said=words, problem=problem, for_steward=for_steward)
    return html(page, status)


def own_genome_page_router() -> Router:
    """The pages, for a node that has the `/own` routes mounted."""
    return Router(
        "/",
        route_handlers=[mine, say_mine, steward, say_theirs],
        exception_handlers={**node_error_pages, Unauthenticated: to_sign_in},
        include_in_schema=False,
        request_max_body_size=20_000,
    )


def _signed_in(request: Http) -> Reader:
    VISIT.get().caller.require_subject()
    return reader_of(request)
