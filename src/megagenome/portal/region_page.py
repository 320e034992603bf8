# SPDX-License-Identifier: Apache-2.0
"""The page of a region or gene: how many variants are told, whether that is all, and each with its frequency."""

from typing import NamedTuple

from megagenome.portal.numbers import count, plural
from megagenome.portal.pages import render
from megagenome.portal.region_plot import Spot, region_plot
from megagenome.portal.statuses import missing, summary
from megagenome.portal.tables import total_of
from megagenome.standards.federation import NodeStatus, RegionAnswer


class Paging(NamedTuple):
    """Where this page of rows stands; `first` and `last` count from 1, `previous` and `following` are skips or None."""

    first: int
    last: int
    previous: int | None
    following: int | None


def region_page(answer: RegionAnswer) -> str:
    """The page for any answer."""
    rows = [(row, total_of(row.frequencies)) for row in answer.rows]
    spots = [Spot(row.start, total.allele_frequency) for row, total in rows if total is not None]
    return render(
        "region.html",
        answer=answer,
        rows=rows,
        stated_total=stated_total(answer),
        paging=paging(answer),
        plot=_plot(answer, spots) if spots else "",
        summary=summary(answer.nodes),
        missing=missing(answer.nodes),
    )


def stated_total(answer: RegionAnswer) -> str:
    """How many variants there are and how sure that is: `1,204 variants, told by 4 nodes; these are ...`."""
    told_by = sum(node.status is NodeStatus.ANSWERED for node in answer.nodes)
    if not answer.total:
        return "No variant is told here."
    at_least = "" if answer.complete else "At least "
    known = "these are all that they tell" if answer.complete else "a node has more than it gave, or gave no answer"
    return f"{at_least}{plural(answer.total, 'variant')}, told by {plural(told_by, 'node')}; {known}."


def paging(answer: RegionAnswer) -> Paging:
    """The page before and the page after; a link is offered only where rows are."""
    last = answer.skip + len(answer.rows)
    previous = max(0, answer.skip - answer.limit) if answer.skip else None
    return Paging(answer.skip + 1 if answer.rows else 0, last, previous, last if last < answer.total else None)


def _plot(answer: RegionAnswer, spots: list[Spot]) -> str:
    query = answer.query
    return region_plot(
        spots,
        query.start,
        query.end,
        "places",
        f"Variants of {query.text} by place and frequency",
        f"{count(len(spots))} variants of this page, between positions {count(query.start + 1)} and {count(query.end)}."
        " The table lists all of them.",
    )
