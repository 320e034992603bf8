# SPDX-License-Identifier: Apache-2.0
"""The pages of saved cohorts: the reader's own list, one of them, and one that could not be saved."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from megagenome.portal.cohort_words import definition_words
from megagenome.portal.pages import render
from megagenome.portal.statuses import BADGES, missing
from megagenome.standards.application import Page
from megagenome.standards.federation import CohortAnswer, NodeStatus
from megagenome.standards.saved_cohort import NodeCount, SavedCohort, SavedCohorts, node_counts


class Naming(NamedTuple):
    """Title and note as they stand in a form."""

    title: str
    note: str


class Line(NamedTuple):
    """A cohort in the list, with what it means and how many nodes told of how many people."""

    saved: SavedCohort
    words: str
    told_by: int


class NodeLine(NamedTuple):
    """A node's counts, as they are read: when the cohort was saved, and now where it was asked again."""

    name: str
    country: str
    then: str
    now: str


def my_cohorts_page(page: SavedCohorts, *, deleted: bool = False, dataset: str = "") -> str:
    """The reader's own cohorts; `deleted` is whether one has just been, `dataset` what an application is to be begun
    for: a node, its country and the dataset's id there."""
    lines = [Line(each, definition_words(each.cohort.definition), told_by(each.told)) for each in page.cohorts]
    return render("cohorts.html", page=page, lines=lines, deleted=deleted, dataset=dataset)


def saved_cohort_page(
    saved: SavedCohort,
    hub: str,
    applications: Page,
    *,
    answer: CohortAnswer | None = None,
    show: str = "",
    problem: str = "",
    typed: Naming | None = None,
    dataset: str = "",
) -> str:
    """One cohort, with the reader's `applications` that were begun with it. `answer` is what the nodes tell now, `show`
    which of its forms (`rename`, `delete`) stands open, `hub` the address for the command that asks the same,
    `dataset` what an application is to be begun for."""
    now = node_counts(answer.nodes) if answer else ()
    return render(
        "saved_cohort.html",
        saved=saved,
        words=definition_words(saved.cohort.definition),
        applications=applications,
        answer=answer,
        told_by=told_by(saved.told),
        told_by_now=told_by(now),
        nodes=node_lines(saved.told, now),
        is_withheld=any(each.status is NodeStatus.WITHHELD for each in (*saved.told, *now)),
        missing=missing(answer.nodes) if answer else [],
        show=show,
        problem=problem,
        typed=typed or Naming(saved.title, saved.note),
        dataset=dataset,
        command=shlex.join(["megagenome", "ask", "cohort", saved.question, "--hub", hub]),
    )


def unsaved_page(words: str, question: str, typed: Naming, problem: str) -> str:
    """A cohort that was not saved, with what was typed and why."""
    return render("cohort_unsaved.html", words=words, question=question, typed=typed, problem=problem)


def told_by(nodes: Sequence[NodeCount]) -> int:
    """How many nodes told a count."""
    return sum(each.status is NodeStatus.ANSWERED for each in nodes)


def node_lines(then: Sequence[NodeCount], now: Sequence[NodeCount]) -> list[NodeLine]:
    """Every node of either time, by name; of a node that took no part `–`."""
    before, after = ({each.node: each for each in nodes} for nodes in (then, now))
    every = sorted({**before, **after}.values(), key=lambda each: (each.name.casefold(), each.node))
    return [
        NodeLine(each.name or each.node, each.country, _says(before.get(each.node)), _says(after.get(each.node)))
        for each in every
    ]


def _says(told: NodeCount | None) -> str:
    if told is None:
        return "–"
    return f"{told.count:,}" if told.count is not None else BADGES[told.status]
