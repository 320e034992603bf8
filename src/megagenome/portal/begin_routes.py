# SPDX-License-Identifier: Apache-2.0
"""Beginning an application over HTTP: from a saved cohort to the datasets, from these to the draft."""

from litestar import Response, get, post
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, TooLarge
from megagenome.portal.application_client import Access
from megagenome.portal.begin import FORM, begin_page, chosen
from megagenome.portal.client import Hub, ask_own_app, reader_of
from megagenome.portal.cohort_client import ask_again
from megagenome.portal.commands import text_of, texts_of
from megagenome.portal.pages import address, html
from megagenome.portal.saved_cohort_routes import cohorts_of
from megagenome.standards.problem import status_of
from megagenome.web import Http

Page = Response[str] | Redirect


@get("/applications/new")
async def choose(request: Http) -> Page:
    """The datasets to choose from, for the saved cohort that the address names; `dataset` is ticked already."""
    query = request.query_params
    cohort, dataset = query.get("cohort", ""), query.get("dataset", "")
    if not cohort:
        return Redirect(address("/cohorts", dataset=dataset), status_code=303)
    return html(await _choices(request, cohort, picked=frozenset({dataset} if dataset else ())))


@post("/applications", status_code=200)
async def begin(request: Http) -> Page:
    """Begin the draft, and go to its first page."""
    cohorts_of(request)
    posted = await request.form()
    cohort, wanted = text_of(posted, "cohort"), texts_of(posted, "dataset")
    try:
        made = await Access(reader_of(request)).create(text_of(posted, "order"), cohort, chosen(wanted), FORM)
    except (Invalid, Conflict, NotEntitled, TooLarge) as error:
        problem = f"No application was begun: {error}."
        return html(await _choices(request, cohort, picked=frozenset(wanted), problem=problem), status_of(error))
    return Redirect(f"/applications/{made.application}", status_code=303)


BEGIN_ROUTES = [choose, begin]


async def _choices(request: Http, cohort: str, *, picked: frozenset[str] = frozenset(), problem: str = "") -> str:
    hub, saved = Hub(ask_own_app, reader_of(request)), await cohorts_of(request).one(cohort)
    answer = await ask_again(hub, saved)
    nodes = (await hub.nodes()).nodes
    registered = VISIT.get().caller.registered
    return begin_page(saved, answer, nodes, is_registered=registered, picked=picked, problem=problem)
