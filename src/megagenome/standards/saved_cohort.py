# SPDX-License-Identifier: Apache-2.0
"""Cohorts that people saved, as a hub's `/access/cohorts` tells them to their owners, version 1; no outside standard.

    GET  /access/cohorts                                     -> SavedCohorts
    POST /access/cohorts                   SaveCohort        -> SavedCohort
    GET  /access/cohorts/{cohort}                            -> SavedCohort
    POST /access/cohorts/{cohort}/rename   RenameCohort      -> SavedCohort
    POST /access/cohorts/{cohort}/recount  RecountCohort     -> SavedCohort
    POST /access/cohorts/{cohort}/delete                     -> SavedCohort, as it was

A saved cohort is addressed by the cohort's own id among those of the caller, so nobody can ask for somebody else's.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec

from megagenome.standards.application import CohortRef
from megagenome.standards.federation import NodeAnswer, NodeStatus

LONGEST_TITLE = 200
LONGEST_NOTE = 5000
LONGEST_NAME = 300

Title = Annotated[str, msgspec.Meta(pattern=r"\S", max_length=LONGEST_TITLE)]
Note = Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)]
Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
Number = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class NodeCount(msgspec.Struct, frozen=True):
    """What one node told of a cohort. `count` is None where it told none, and `status` says why."""

    node: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    name: Name
    country: Name
    status: NodeStatus
    count: Number | None = None
    floor: int | None = None  # counts below this are withheld by the node; None when it did not say


class SaveCohort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Save a cohort as it was counted.

    cohort, definition  as `/api/cohort` tells them: the id and the canonical definition, which must agree
    question            the text by which it is asked again
    told                what each node told; its owner's own record, by which nothing is decided
    """

    cohort: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    definition: Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]
    question: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=4000)]
    title: Title
    note: Note = ""
    told: Annotated[tuple[NodeCount, ...], msgspec.Meta(max_length=1000)] = ()


class RenameCohort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Give a saved cohort another title and note. All else stays."""

    title: Title
    note: Note = ""


class RecountCohort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep what nodes tell now in place of what they told before. All else stays."""

    told: Annotated[tuple[NodeCount, ...], msgspec.Meta(max_length=1000)]


class SavedCohort(msgspec.Struct, frozen=True):
    """A cohort that the caller saved.

    saved  when it was, or was last recounted: when `told` was told
    """

    cohort: CohortRef
    title: str
    note: str
    question: str
    saved: datetime
    told: tuple[NodeCount, ...]

    def count(self) -> int:
        """The sum of what was told then."""
        return sum(each.count or 0 for each in self.told)


class SavedCohorts(msgspec.Struct, frozen=True):
    """Some of the `total` cohorts that the caller saved, newest first; a person may save at most `most`."""

    total: int
    skip: int
    most: int
    cohorts: tuple[SavedCohort, ...]


def node_counts(nodes: Iterable[NodeAnswer]) -> tuple[NodeCount, ...]:
    """What is kept of the nodes' answers to a question of people."""
    return tuple(NodeCount(n.id, n.name[:LONGEST_NAME], n.country, n.status, n.count, n.floor) for n in nodes)
