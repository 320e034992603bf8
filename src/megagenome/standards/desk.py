# SPDX-License-Identifier: Apache-2.0
"""A country's desk as its own node tells it, version 1; no outside standard.

GET  /access/desk                    -> DeskPage
GET  /access/desk/{permit}           -> DeskPermit
POST /access/desk/{permit}/decision  -> DeskItem
"""

from datetime import datetime

import msgspec

from megagenome.standards.application import PartState
from megagenome.standards.permit import CountryDecision, PermitDocument, PermitState


class DeskPart(msgspec.Struct, frozen=True):
    """One dataset of this node and where it stands, since when."""

    dataset: str
    state: PartState
    changed: datetime


class DeskItem(msgspec.Struct, frozen=True):
    """One proposal in a list.

    hub        who proposes
    people     their names, the applicant first
    left       working days of the country between today and the end of its time, today not counted
    waits      whether somebody can still decide on a dataset of it
    told       what the hub says of the permit
    undelivered  decisions that the hub has not acknowledged yet
    refusal    why the hub did not record the newest decision; empty where it did, or has not said
    """

    permit: str
    hub: str
    application: str
    country: str
    uses: tuple[str, ...]
    people: tuple[str, ...]
    requested_at: datetime
    decide_by: datetime
    left: int
    waits: bool
    told: PermitState
    parts: tuple[DeskPart, ...]
    undelivered: int
    refusal: str


class DeskPage(msgspec.Struct, frozen=True):
    """Some of `total` proposals."""

    total: int
    skip: int
    items: tuple[DeskItem, ...]


class DeskEnvironment(msgspec.Struct, frozen=True):
    """Where data of a permit may go: they are sealed for its key, of which `fingerprint` is the short name. `ended`
    None while they are. Times are ISO 8601, UTC."""

    name: str
    fingerprint: str
    registered: str
    by: str
    ended: str | None


class DeskPermit(msgspec.Struct, frozen=True):
    """A proposal with its document, the decisions of this country on it, oldest first, and the permit's environments
    at this node."""

    item: DeskItem
    document: PermitDocument
    decisions: tuple[CountryDecision, ...]
    environments: tuple[DeskEnvironment, ...] = ()
