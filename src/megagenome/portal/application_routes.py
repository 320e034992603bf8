# SPDX-License-Identifier: Apache-2.0
"""The pages of the application process over HTTP. Each calls `/access` in process, as the person who reads it.

A form that could not be carried out is shown again as it was typed, with the process's own words. Whoever is not
signed in is led to the sign-in and back.
"""

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import (
    Conflict,
    Invalid,
    MegagenomeError,
    NotEntitled,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from megagenome.portal import application_pages as pages
from megagenome.portal.answers import Posted
from megagenome.portal.application_client import Access, Ordered
from megagenome.portal.begin_routes import BEGIN_ROUTES
from megagenome.portal.client import Hub, ask_own_app, reader_of
from megagenome.portal.cohort_client import Cohorts
from megagenome.portal.commands import read_command, text_of, typed
from megagenome.portal.for_you import for_you
from megagenome.portal.form_routes import FORM_ROUTES
from megagenome.portal.pages import html
from megagenome.portal.permit_page import permit_page
from megagenome.portal.saved_cohort_routes import SAVED_COHORT_ROUTES
from megagenome.portal.site import error_pages, to_sign_in
from megagenome.standards.application import ApplicationShown, Criterion, PartState, Scope, State, Verb
from megagenome.standards.application_form import Form
from megagenome.standards.problem import status_of
from megagenome.standards.saved_cohort import SavedCohort
from megagenome.web import Http

Page = Response[str] | Redirect
REFUSALS = (Invalid, Conflict, NotEntitled, TooLarge)
"""What the process says no with; its words are shown beside the form."""
LARGEST_FORM_BYTES = 1_000_000


def access_of(request: Http) -> Access:
    """The process as who reads the page. Raises `Unauthenticated`."""
    VISIT.get().caller.require_subject()
    return Access(reader_of(request))


async def read_one(access: Access, application: str) -> tuple[ApplicationShown, Form]:
    """An application with its form."""
    shown = await access.application(application)
    return shown, await access.form(shown.form)


def ordered(posted: Posted) -> Ordered:
    """What the form says of its command; a version that is none makes a conflict, as an old one does."""
    version = text_of(posted, "version")
    return Ordered(text_of(posted, "order"), int(version) if version.isascii() and version.isdigit() else 0)


@get("/applications")
async def mine(request: Http) -> Page:
    """One's own."""
    return html(pages.applications_page(await access_of(request).list(Scope.MINE, skip=_skip(request))))


@get("/desk")
async def desk(request: Http) -> Page:
    """What waits for the reader, or came to them at any time."""
    show, state = request.query_params.get("show", "desk"), request.query_params.get("state", "")
    scope = Scope.ALL if show == "all" else Scope.DESK
    states = [state] if state in list(State) else []
    page = await access_of(request).list(scope, states, _skip(request))
    return html(pages.desk_page(page, scope.value, state if states else ""))


@get("/applications/{application:str}")
async def one(request: Http, application: FromPath[str]) -> Page:
    """One application."""
    shown, form = await read_one(access_of(request), application)
    saved = await _saved(request, shown)
    return html(pages.application_page(shown, form, saved=saved))


@get("/applications/{application:str}/people")
async def people(request: Http, application: FromPath[str]) -> Page:
    """Who takes part."""
    shown, form = await read_one(access_of(request), application)
    return html(pages.people_page(shown, form, _own_address(request)))


@get("/applications/{application:str}/review")
async def review(request: Http, application: FromPath[str]) -> Page:
    """What would be submitted."""
    shown, form = await read_one(access_of(request), application)
    return html(pages.review_page(shown, form))


@get("/applications/{application:str}/permit")
async def permit(request: Http, application: FromPath[str]) -> Page:
    """The permit, or as what it is proposed."""
    access = access_of(request)
    shown, form = await read_one(access, application)
    try:
        document = await access.permit(application)
    except NotEntitled:
        document = None  # an auditor sees that it is and where it works, and not whom it names
    granted = document and any(part.state is PartState.APPROVED for part in shown.parts)
    try:
        nodes = (await Hub(ask_own_app, reader_of(request)).nodes()).nodes if granted and pages.is_own(shown) else ()
    except Unavailable:
        nodes = ()  # the permit is the same when the network cannot be asked
    return html(permit_page(shown, form, document, nodes))


@get("/applications/{application:str}/invitation")
async def invitation(request: Http, application: FromPath[str]) -> Page:
    """The way in for who was invited."""
    access_of(request)
    return html(pages.join_page(application, request.query_params.get("secret", "")))


@post("/applications/{application:str}/{verb:str}", status_code=200)
async def command(request: Http, application: FromPath[str], verb: FromPath[str]) -> Page:
    """One command; afterwards to the page that shows what it did."""
    access, posted = access_of(request), await request.form()
    if verb not in list(Verb):
        raise NotFound("there is nothing like this that a page could do")
    wanted = Verb(verb)
    try:
        if wanted is Verb.VOTE:
            await _vote(access, application, ordered(posted), posted)
        else:
            await access.do(application, ordered(posted), wanted, read_command(wanted, posted))
    except REFUSALS as error:
        return await _again(request, access, application, wanted, posted, error)
    return Redirect(_afterwards(application, wanted), status_code=303)


async def _vote(access: Access, application: str, order: Ordered, posted: Posted) -> None:
    """Each vote that differs from what the member cast before is one command."""
    shown = await access.application(application)
    before = {vote.criterion: (vote.vote, vote.note) for vote in shown.votes if vote.is_mine}
    version = order.version
    for criterion in Criterion:
        vote, note = text_of(posted, criterion.value), text_of(posted, f"note:{criterion.value}")
        if vote and before.get(criterion.value) != (vote, note):
            fields = {"criterion": criterion.value, "vote": vote, "note": note}
            done = await access.do(application, Ordered(f"{order.id}.{criterion.value}", version), Verb.VOTE, fields)
            version = done.version


async def _again(
    request: Http, access: Access, application: str, verb: Verb, posted: Posted, error: MegagenomeError
) -> Page:
    """The page from which the command came, with what was typed and why it was not done."""
    problem = f"This was not done: {error}."
    if isinstance(error, Conflict):
        problem += " The page below shows how it is now."
    if verb is Verb.JOIN:
        return html(pages.join_page(application, text_of(posted, "secret"), problem=problem), status_of(error))
    shown, form = await read_one(access, application)
    again = typed(verb, posted)
    if verb in (Verb.INVITE, Verb.UNINVITE, Verb.REMOVE):
        page = pages.people_page(shown, form, _own_address(request), problem=problem, typed=again)
    elif verb is Verb.SUBMIT:
        page = pages.review_page(shown, form, problem=problem)
    else:
        page = pages.application_page(shown, form, saved=await _saved(request, shown), problem=problem, typed=again)
    return html(page, status_of(error))


async def _saved(request: Http, shown: ApplicationShown) -> SavedCohort | None:
    """Its cohort as one of the reader's own; None where they have not saved it, or deleted it."""
    return await Cohorts(reader_of(request)).find(shown.cohort.id) if pages.is_own(shown) else None


def _afterwards(application: str, verb: Verb) -> str:
    if verb in (Verb.INVITE, Verb.UNINVITE, Verb.REMOVE):
        return f"/applications/{application}/people"
    if verb is Verb.LEAVE:
        return "/applications"
    return f"/applications/{application}" + ("#criteria-heading" if verb is Verb.VOTE else "")


def _skip(request: Http) -> int:
    text = request.query_params.get("skip", "0")
    return min(int(text), 1_000_000) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _own_address(request: Http) -> str:
    return str(request.base_url).rstrip("/")


def application_router() -> Router:
    """All of them, for a hub that has `/access` mounted."""
    return Router(
        "/",
        route_handlers=[
            for_you,
            mine,
            desk,
            one,
            people,
            review,
            permit,
            invitation,
            command,
            *SAVED_COHORT_ROUTES,
            *BEGIN_ROUTES,
            *FORM_ROUTES,
        ],
        exception_handlers={**error_pages, Unauthenticated: to_sign_in},
        include_in_schema=False,
        request_max_body_size=LARGEST_FORM_BYTES,
    )
