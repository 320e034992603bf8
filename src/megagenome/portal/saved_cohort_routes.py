# SPDX-License-Identifier: Apache-2.0
"""Saved cohorts over HTTP: saving the one that was counted, the reader's list, asking again, renaming, deleting."""

import contextlib
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from megagenome.portal import saved_cohort_pages as pages
from megagenome.portal.application_client import Access
from megagenome.portal.client import Hub, ask_own_app, reader_of
from megagenome.portal.cohort_client import Cohorts, ask_again
from megagenome.portal.cohort_page import default_title, look_up
from megagenome.portal.commands import text_of
from megagenome.portal.pages import address, html
from megagenome.portal.question import CohortForm, faults, in_words, question_text
from megagenome.portal.saved_cohort_pages import Naming
from megagenome.standards.problem import status_of
from megagenome.standards.saved_cohort import RecountCohort, RenameCohort, SaveCohort, SavedCohort, node_counts
from megagenome.web import Http

Page = Response[str] | Redirect
_FORMS = ("rename", "delete")
_LONGEST_DATASET = 400


def cohorts_of(request: Http) -> Cohorts:
    """The saved cohorts of who reads the page. Raises `Unauthenticated`."""
    VISIT.get().caller.require_subject()
    return Cohorts(reader_of(request))


@get("/cohorts")
async def mine(request: Http) -> Page:
    """One's own."""
    text = request.query_params.get("skip", "0")
    skip = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    query = request.query_params
    found = await cohorts_of(request).list(skip)
    return html(pages.my_cohorts_page(found, deleted="deleted" in query, dataset=_dataset(request)))


@post("/cohorts", status_code=200)
async def save(request: Http) -> Page:
    """Save the cohort of the form that was counted; the nodes are asked, so that what is kept is what they told."""
    cohorts, hub, posted = cohorts_of(request), Hub(ask_own_app, reader_of(request)), await request.form()
    question = text_of(posted, "question")
    terms = await look_up(hub, CohortForm.parse(question))
    if terms.choices or faults(terms.form):
        raise Invalid("count the cohort first, then save it from the page of its counts")
    answer = await hub.cohort(question_text(terms.form))
    words = in_words(terms.form, terms.labels)
    typed = Naming(text_of(posted, "title") or default_title(words), text_of(posted, "note"))
    order = SaveCohort(answer.cohort, answer.definition, answer.query, *typed, node_counts(answer.nodes))
    try:
        saved = await cohorts.save(order)
    except (Invalid, TooLarge, Conflict) as error:
        page = pages.unsaved_page(words, question, typed, f"This cohort was not saved: {error}.")
        return html(page, status_of(error))
    if text_of(posted, "then") == "apply":
        return Redirect(
            address("/applications/new", cohort=saved.cohort.id, dataset=terms.form.dataset), status_code=303
        )
    return Redirect(address(f"/cohorts/{saved.cohort.id}", dataset=terms.form.dataset), status_code=303)


@get("/cohorts/{cohort:str}")
async def one(request: Http, cohort: FromPath[str]) -> Page:
    """One; with `ask`, beside what the nodes tell now."""
    saved = await cohorts_of(request).one(cohort)
    show = request.query_params.get("show", "")
    hub = Hub(ask_own_app, reader_of(request))
    answer = await ask_again(hub, saved) if "ask" in request.query_params else None
    show = show if show in _FORMS else ""
    return html(await _page(request, saved, answer=answer, show=show, dataset=_dataset(request)))


@post("/cohorts/{cohort:str}/rename", status_code=200)
async def rename(request: Http, cohort: FromPath[str]) -> Page:
    """Change title and note."""
    cohorts, posted = cohorts_of(request), await request.form()
    typed = Naming(text_of(posted, "title"), text_of(posted, "note"))
    try:
        await cohorts.rename(cohort, RenameCohort(*typed))
    except (Invalid, Conflict) as error:
        saved, problem = await cohorts.one(cohort), f"It was not renamed: {error}."
        return html(await _page(request, saved, show="rename", problem=problem, typed=typed), status_of(error))
    return Redirect(f"/cohorts/{cohort}", status_code=303)


@post("/cohorts/{cohort:str}/recount", status_code=200)
async def recount(request: Http, cohort: FromPath[str]) -> Page:
    """Ask the nodes anew, and keep what they tell in place of what they told."""
    cohorts = cohorts_of(request)
    answer = await ask_again(Hub(ask_own_app, reader_of(request)), await cohorts.one(cohort))
    await cohorts.recount(cohort, RecountCohort(node_counts(answer.nodes)))
    return Redirect(f"/cohorts/{cohort}", status_code=303)


@post("/cohorts/{cohort:str}/delete", status_code=200)
async def delete(request: Http, cohort: FromPath[str]) -> Page:
    """Delete it, which its page asked about once more. Sent twice, or for what is not there, it says the same."""
    with contextlib.suppress(NotFound):
        await cohorts_of(request).delete(cohort)
    return Redirect("/cohorts?deleted=1", status_code=303)


SAVED_COHORT_ROUTES = [mine, save, one, rename, recount, delete]


def _dataset(request: Http) -> str:
    """What the reader is on the way to apply for."""
    return request.query_params.get("dataset", "")[:_LONGEST_DATASET]


async def _page(request: Http, saved: SavedCohort, **shown: Any) -> str:
    applications = await Access(reader_of(request)).of_cohort(saved.cohort.id)
    return pages.saved_cohort_page(saved, str(request.base_url).rstrip("/"), applications, **shown)
