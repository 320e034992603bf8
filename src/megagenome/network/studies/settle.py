# SPDX-License-Identifier: Apache-2.0
"""What becomes of a result on the terms that all nodes agreed to: told at once, or only after somebody looked at it."""

from collections.abc import Callable
from typing import NamedTuple

from megagenome.network.studies.model import StudyResult
from megagenome.network.studies.release import OPEN, ReleaseRules, check_release
from megagenome.standards.study_exchange import NO_TERMS, Terms


class Settled(NamedTuple):
    """A result that may be told, what it waits for ("" where it may be told at once), and by which rules that is."""

    result: StudyResult
    waits_for: str
    rules: ReleaseRules = OPEN


def rules_of(terms: Terms) -> ReleaseRules:
    """The rules of release with the nodes' numbers where these are stricter."""
    if terms == NO_TERMS:
        return OPEN
    ours = ReleaseRules()
    least = max(ours.least, terms.least_cell, terms.least_allele_count)
    most_parameters = min(ours.most_parameters, terms.most_parameters)
    return ReleaseRules(least, max(ours.least_people, terms.least_people), most_parameters)


Settle = Callable[[StudyResult, Terms], Settled]
"""The rules of release. Raises `Invalid` where nothing may be told."""


def settle(result: StudyResult, terms: Terms) -> Settled:
    """By the rules of `release`, with the nodes' numbers where these are stricter."""
    rules = rules_of(terms)
    checked = check_release(result, rules)
    return Settled(checked.result, "; ".join(checked.concerns), rules)
