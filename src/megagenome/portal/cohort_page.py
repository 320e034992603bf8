# SPDX-License-Identifier: Apache-2.0
"""The page that counts people: the form, choices where a text is no term's name, and the counts by node."""

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from megagenome.kernel.errors import Unavailable
from megagenome.portal.bars import Bar, bar_chart
from megagenome.portal.client import Hub
from megagenome.portal.pages import render
from megagenome.portal.question import (
    SEXES,
    TERM_FIELDS,
    CohortForm,
    chosen_term,
    fitting,
    in_words,
    is_curie,
)
from megagenome.portal.saved_cohort_pages import Naming
from megagenome.portal.statuses import BADGES, missing, summary
from megagenome.standards.federation import CohortAnswer, NodeStatus, Term
from megagenome.standards.saved_cohort import LONGEST_TITLE, SavedCohort

_MOST_CHOICES = 20


class Terms(NamedTuple):
    """What became of the texts in the term fields.

    form     the form with ids where a text meant one term without doubt
    labels   names of the ids
    choices  by field: terms to choose from, where the text means several; empty where it means none
    """

    form: CohortForm
    labels: dict[str, str]
    choices: dict[str, list[Term]]


async def look_up(hub: Hub, form: CohortForm) -> Terms:
    """Make ids of texts: one question to the API for each field that is filled."""
    found: dict[str, str] = {}
    labels: dict[str, str] = {}
    choices: dict[str, list[Term]] = {}
    for kind in TERM_FIELDS:
        text = getattr(form, kind)
        if not text:
            continue
        try:
            terms = (await hub.terms(text)).terms
        except Unavailable:
            if not is_curie(text):
                raise
            continue  # an id can be asked without its name
        labels |= {term.id: term.label for term in terms if term.label}
        term = chosen_term(text, terms, kind)
        if term is not None:
            found[kind] = term.id
        elif not is_curie(text):
            choices[kind] = fitting(terms, kind)[:_MOST_CHOICES]
    return Terms(CohortForm(**form.replaced(**found)), labels, choices)


def cohort_page(
    form: CohortForm,
    countries: Sequence[str],
    *,
    wrong: Mapping[str, str] | None = None,
    terms: Terms | None = None,
    answer: CohortAnswer | None = None,
    saved: SavedCohort | None = None,
    hub: str = "",
) -> str:
    """The form as filled, what is wrong with it or what there is to choose, and the answer where there is one.

    `saved` is this cohort as the reader saved it, None where they did not; `hub` is the address of the hub, for the
    command that asks the same.
    """
    words = in_words(form, terms.labels if terms else {}) if answer else ""
    return render(
        "cohort.html",
        form=form,
        countries=sorted({*countries, *([form.country] if form.country else [])}),
        sexes=SEXES,
        wrong=wrong or {},
        choices=terms.choices if terms else {},
        answer=answer,
        words=words,
        saved=saved,
        naming=Naming(default_title(words), ""),
        question=urlencode(form.replaced()),
        chart=_chart(answer) if answer else "",
        told_by=sum(node.status is NodeStatus.ANSWERED for node in answer.nodes) if answer else 0,
        command=shlex.join(["megagenome", "ask", "cohort", answer.query, "--hub", hub]) if answer else "",
        summary=summary(answer.nodes) if answer else "",
        missing=missing(answer.nodes) if answer else [],
    )


def default_title(words: str) -> str:
    """What a cohort is called until its owner calls it something: what it means."""
    return words.removesuffix(".")[:LONGEST_TITLE]


def _chart(answer: CohortAnswer) -> str:
    """Nodes by count, then those without one."""
    ordered = sorted(answer.nodes, key=lambda node: (node.count is None, -(node.count or 0), node.name))
    bars = [Bar(node.name, node.count, BADGES[node.status]) for node in ordered]
    told = sum(bar.value is not None for bar in bars)
    words = f"{told} of {len(bars)} nodes told a count. The table lists all of them."
    return bar_chart(bars, "bars", "People who match, by node", words) if bars else ""
