# SPDX-License-Identifier: Apache-2.0
"""Studies as the hub shows them to those who run them: the JSON of `/studies`, version 1. No outside standard."""

from enum import StrEnum
from typing import Annotated

import msgspec


class RunState(StrEnum):
    """Where a run of a study is."""

    CHECKING = "checking"  # each node looks whether its own rules let it take part
    RUNNING = "running"
    WAITING = "waiting"  # for a named person to release the result
    FINISHED = "finished"
    STOPPED = "stopped"


OVER = frozenset({RunState.WAITING, RunState.FINISHED, RunState.STOPPED})
"""Nothing is asked of nodes any more."""


class SiteState(StrEnum):
    """What the hub waits for, or got, from one node."""

    ASKED = "asked"  # it has not begun, as far as the hub heard
    WORKING = "working"
    ANSWERED = "answered"
    REFUSED = "refused"  # by a rule of its own
    FAILED = "failed"  # it could not compute, or what it sent cannot be used
    LATE = "late"  # it did not answer in time
    SILENT = "silent"  # it was not heard


class SiteShown(msgspec.Struct, frozen=True):
    """One node's part. `up_bytes` and `down_bytes` are of payloads, to the hub and from it."""

    node: str
    state: SiteState
    reason: str
    up_bytes: int
    down_bytes: int


class StudyShown(msgspec.Struct, frozen=True):
    """A run of a study.

    version     changes with everything else here: `GET /studies/{id}?after=VERSION` answers when it did
    document    digest of the study document
    reason      why it was stopped, or what it waits for
    epoch       how often it began anew, or a round under new keys
    round,step  of which all nodes are asked now, from 0
    rounds      sums and lists that were opened
    people      of all nodes together, once known
    """

    id: str
    version: str
    title: str
    method: str
    permit: str
    document: str
    state: RunState
    reason: str
    epoch: int
    round: int
    step: str
    rounds: int
    people: int | None
    created: str
    ended: str
    sites: tuple[SiteShown, ...]


class StudyListed(msgspec.Struct, frozen=True):
    """A run in a list."""

    id: str
    title: str
    method: str
    permit: str
    state: RunState
    created: str
    ended: str


class StudyList(msgspec.Struct, frozen=True):
    """`GET /studies`: the caller's runs, newest first."""

    studies: tuple[StudyListed, ...]


class Begun(msgspec.Struct, frozen=True):
    """`POST /studies`: the run's id, and the digest of the document."""

    id: str
    document: str


class CheckShown(msgspec.Struct, frozen=True):
    """`POST /studies/check`: what is against running a document, as far as the hub can say; empty: nothing. Each node
    looks for itself when it is run."""

    document: str
    findings: tuple[str, ...]


class SiteKeys(msgspec.Struct, frozen=True):
    """`GET /studies/sites`: the thumbprint of the key with which each node signs now, as a document names it."""

    keys: dict[str, str]


class WaitingShown(msgspec.Struct, frozen=True):
    """A result that waits for a named person: whose it is, by which permit, and why somebody must look at it.
    `is_mine` where the reader has a part in the study, so that somebody else must look."""

    id: str
    title: str
    method: str
    permit: str
    requester: str
    is_mine: bool
    reason: str
    people: int | None
    ended: str


class WaitingList(msgspec.Struct, frozen=True):
    """`GET /studies/waiting`, for data stewards of the hub: longest waiting first."""

    waiting: tuple[WaitingShown, ...]


class Decision(msgspec.Struct, frozen=True):
    """`POST /studies/{id}/decision`: whether a result that waits is released, and why."""

    release: bool
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class ResultShown(msgspec.Struct, frozen=True):
    """`GET /studies/{id}/result`. Tables by name, columns by name; null where there is no value."""

    id: str
    document: str
    tables: dict[str, dict[str, list[float | int | str | None]]]
    summary: dict[str, float | int | str | None]
    notes: tuple[str, ...]
