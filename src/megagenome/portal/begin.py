# SPDX-License-Identifier: Apache-2.0
"""Beginning an application for a saved cohort: which datasets of which countries.

The draft keeps the cohort's id and definition for ever, whatever becomes of the saved cohort.
"""

from collections.abc import Sequence
from typing import NamedTuple

from megagenome.kernel.errors import Invalid
from megagenome.portal.cohort_words import definition_words
from megagenome.portal.countries import country_name
from megagenome.portal.numbers import count
from megagenome.portal.pages import render
from megagenome.portal.statuses import missing
from megagenome.standards.application import DatasetRef
from megagenome.standards.federation import CohortAnswer, DatasetAnswer, DatasetState, NodeState
from megagenome.standards.saved_cohort import SavedCohort

FORM = "data-access"
"""The form document that applications for individual-level data answer."""


class Choice(NamedTuple):
    """A dataset to choose. `value` is what the form sends, `told` what it told of the cohort; `how` says how a hidden
    count is got, with the address `way`."""

    number: int
    value: str
    name: str
    dataset: str
    description: str
    told: str
    is_chosen: bool
    is_hidden: bool
    how: str = ""
    way: str = ""
    way_text: str = ""


class Country(NamedTuple):
    """A country's datasets."""

    name: str
    datasets: tuple[Choice, ...]


def begin_page(
    saved: SavedCohort,
    answer: CohortAnswer,
    nodes: Sequence[NodeState],
    *,
    is_registered: bool,
    picked: frozenset[str] = frozenset(),
    problem: str = "",
) -> str:
    """The datasets of the network with what each told of this cohort; `picked` are those that were ticked before.

    At first none is: a page that asks for no more than is needed does not choose all that there is. What was ticked and
    is not listed now, as its node does not answer or publishes it no more, is named.
    """
    listed = {f"{node.id} {node.country} {dataset.id}" for node in nodes for dataset in node.datasets}
    return render(
        "application_new.html",
        saved=saved,
        words=definition_words(saved.cohort.definition),
        countries=choices(answer, nodes, is_registered=is_registered, picked=picked),
        missing=missing(answer.nodes),
        unlisted=sorted(value.split(" ")[-1] for value in picked - listed),
        problem=problem,
    )


def choices(
    answer: CohortAnswer, nodes: Sequence[NodeState], *, is_registered: bool, picked: frozenset[str]
) -> list[Country]:
    """Every published dataset by country."""
    told = {(node.id, each.id): each for node in answer.nodes for each in node.datasets}
    found: dict[str, list[Choice]] = {}
    number = 0
    for node in sorted(nodes, key=lambda node: (country_name(node.country), node.name)):
        for dataset in node.datasets:
            number += 1
            one = _choice(number, node, dataset, told.get((node.id, dataset.id)), is_registered, picked)
            found.setdefault(country_name(node.country), []).append(one)
    return [Country(name, tuple(datasets)) for name, datasets in found.items()]


def _choice(
    number: int,
    node: NodeState,
    dataset: DatasetState,
    answer: DatasetAnswer | None,
    is_registered: bool,
    picked: frozenset[str],
) -> Choice:
    value = f"{node.id} {node.country} {dataset.id}"
    hidden = _hidden(dataset, is_registered=is_registered)
    if hidden:
        says = "its counts are hidden"
    elif answer is not None and answer.told:
        says = f"{count(answer.count)} people told"
    else:
        says = "told no count: nobody there, or too few to be told"
    return Choice(
        number,
        value,
        dataset.name or dataset.id,
        dataset.id,
        dataset.description,
        says,
        value in picked,
        bool(hidden),
        *hidden,
    )


def _hidden(dataset: DatasetState, *, is_registered: bool) -> tuple[str, ...]:
    """How its counts of people are got, where this reader's tier hides them; empty where it does not."""
    if dataset.people_tier == "controlled":
        return ("Only a permit opens its counts: choose it here to ask for one.",)
    if dataset.people_tier == "registered" and not is_registered:
        return ("Registered access opens its counts.", "/account", "How to get it")
    return ()


def chosen(values: Sequence[str]) -> list[DatasetRef]:
    """The datasets that the form names. Raises `Invalid` for none, and for what no form sends."""
    found = []
    for value in dict.fromkeys(values):
        parts = value.split(" ")
        if len(parts) != len(DatasetRef.__struct_fields__):
            raise Invalid("choose datasets from the list")
        found.append(DatasetRef(*parts))
    if not found:
        raise Invalid("choose at least one dataset")
    return found
