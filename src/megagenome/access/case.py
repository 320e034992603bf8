# SPDX-License-Identifier: Apache-2.0
"""One command on one application: all that deciding on it takes. Deciding is `(case, command) -> events`, and changes
nothing; the process writes what comes out, all or nothing."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from megagenome.access.events import Body
from megagenome.access.heard_clocks import Agree, always_agreed
from megagenome.access.model import Application, TextId
from megagenome.access.needs import (
    AgainstDatasets,
    Attachments,
    Directory,
    Enter,
    IdentifyCohort,
    Knock,
    VerifyDecision,
    all_published,
    enter_nowhere,
    knock_nowhere,
)
from megagenome.access.settings import AccessSettings
from megagenome.access.store import Transaction, Written, write
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid, NotEntitled
from megagenome.standards.application import PersonKey, ProcessRole


@dataclass(frozen=True, slots=True)
class World:
    """What is around the process. `hub` is the id under which this server proposes permits.

    knock  called when there are news for these nodes, which are durable by then; it must return at once
    enter  puts decisions and ends of permits into the ledger
    agree  what the nodes say of a time that this server's clock shows
    against_datasets  what is against applying for datasets: no node has them
    """

    hub: str
    settings: AccessSettings
    directory: Directory
    attachments: Attachments
    identify_cohort: IdentifyCohort
    verify_decision: VerifyDecision
    knock: Knock = knock_nowhere
    enter: Enter = enter_nowhere
    agree: Agree = always_agreed
    against_datasets: AgainstDatasets = all_published


@dataclass(slots=True)
class Case:
    """One command. `roles` are those of the caller that the table lets do it; `content` comes beside an `attach`.

    `texts` are to be kept with the events, `erased` to be erased with them, `told` goes back to the caller.
    """

    world: World
    transaction: Transaction
    view: Application
    caller: Caller
    person: PersonKey
    roles: frozenset[ProcessRole]
    now: datetime
    content: bytes = b""
    texts: list[Written] = field(default_factory=list)
    erased: list[TextId] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def keep(self, content: str) -> TextId:
        """The id of a text that will be kept. Raises `Invalid` for one that not every database can keep."""
        if "\0" in content:
            raise Invalid("the text holds a NUL character; write it anew")
        text = write(content)
        self.texts.append(text)
        return text.id

    def keep_note(self, content: str) -> TextId | None:
        """The same for a text that may be left out."""
        return self.keep(content) if content.strip() else None

    def refuse_conflicted(self) -> None:
        """Raise `NotEntitled` for who declared a conflict of interest: they may only declare anew, or stop a permit."""
        if self.view.conflicts.get(self.person):
            raise NotEntitled("you declared a conflict of interest with this application")

    def read_answers(self, text: TextId | None) -> Mapping[str, Any]:
        """Answers that were kept; empty where there are none."""
        content = self.transaction.texts([text]).get(text) if text else None
        answers: Mapping[str, Any] = msgspec.json.decode(content) if content else {}
        return answers


Bodies = list[Body]


def new_id() -> str:
    """An id that cannot be guessed, 96 bits."""
    return secrets.token_hex(12)
