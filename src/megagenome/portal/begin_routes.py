# SPDX-License-Identifier: Apache-2.0
"""Beginning an application over HTTP: from the counts to the datasets, from these to the draft."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, TooLarge, Unauthenticated
from megagenome.portal.application_client import Access
from megagenome.portal.begin import FORM, begin_page, chosen
from megagenome.portal.client import Hub, ask_own_app, reader_of
from megagenome.portal.cohort_page import look_up
from megagenome.portal.commands import text_of, texts_of
from megagenome.portal.pages import address, html
from megagenome.portal.question import CohortForm, faults, in_words, question_text
from megagenome.standards.problem import status_of

Http = Request[Any, Any, Any]
Page = Response[str] | Redirect


@get("/applications/new")
async def choose(request: Http) -> Page:
    """The datasets to choose from, for the cohort in the address."""
    form = CohortForm.read(request.query_params)
    if faults(form):
        return Redirect(address("/cohort", form.replaced()), status_code=303)
    return html(await _choices(request, form))


@post("/applications", status_code=200)
async def begin(request: Http) -> Page:
    """Begin the draft, and go to its first page."""
    _require_person()
    posted = await request.form()
    access = Access(reader_of(request))
    try:
        datasets = chosen(texts_of(posted, "dataset"))
        made = await access.create(
            text_of(posted, "order"), text_of(posted, "cohort"), text_of(posted, "definition"), datasets, FORM
        )
    except (Invalid, Conflict, NotEntitled, TooLarge) as error:
        form = _form_of(text_of(posted, "question"))
        picked = frozenset(texts_of(posted, "dataset"))
        page = await _choices(request, form, picked=picked, problem=f"No application was begun: {error}.")
        return html(page, status_of(error))
    return Redirect(f"/applications/{made.application}", status_code=303)


BEGIN_ROUTES = [choose, begin]


async def _choices(request: Http, form: CohortForm, *, picked: frozenset[str] | None = None, problem: str = "") -> str:
    _require_person()
    hub = Hub(ask_own_app, reader_of(request))
    terms = await look_up(hub, form)
    if terms.choices or faults(terms.form):
        raise Invalid("count the cohort first, then apply for it from the page of its counts")
    answer = await hub.cohort(question_text(terms.form))
    nodes = (await hub.nodes()).nodes
    words = in_words(terms.form, terms.labels)
    registered = VISIT.get().caller.registered
    return begin_page(terms.form, words, answer, nodes, is_registered=registered, picked=picked, problem=problem)


def _form_of(question: str) -> CohortForm:
    """The cohort's form, which the page carries as the query of its own address."""
    given = dict(parse_qsl(question[:10_000]))
    return msgspec.convert({name: given[name] for name in CohortForm.__struct_fields__ if name in given}, CohortForm)


def _require_person() -> None:
    if VISIT.get().caller.subject is None:
        raise Unauthenticated("sign in first")
