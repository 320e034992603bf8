# SPDX-License-Identifier: Apache-2.0
"""What a person can say about the uses of their genome, and what follows of it. One table; docs/consent.md prints
it."""

from collections.abc import Collection as Some
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.collection import Collection
from megagenome.collection.consent import change_own_word, read_consenting
from megagenome.collection.members import SetKind, read_members
from megagenome.collection.model import Use
from megagenome.collection.released import note_leavers, read_holdings, read_released
from megagenome.collection.strata import count_individuals
from megagenome.collection.version import raise_version
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.ids import DatasetId, IndividualId


class Act(StrEnum):
    """What a person says at the node, or the contact point for them."""

    WITHDRAW = "withdraw"
    OBJECT = "object"
    OPT_OUT = "opt-out"
    RENEW = "renew"


class Terms(NamedTuple):
    """What an act does.

    uses     that it can be about
    chooses  whether the person names some of these (none named: all of them); else it is always about all
    renews   whether it gives back rather than ends
    basis    in law
    undone   by whom and how
    """

    uses: frozenset[Use]
    chooses: bool
    renews: bool
    basis: str
    undone: str


_RENEWING = "the person, by `renew`"

TERMS: dict[Act, Terms] = {
    Act.WITHDRAW: Terms(frozenset(Use), True, False, "withdrawal of consent: GDPR Article 7(3)", _RENEWING),
    Act.OBJECT: Terms(
        frozenset({Use.RESEARCH, Use.POLICY, Use.QUALITY}), False, False, "objection: GDPR Article 21", _RENEWING
    ),
    Act.OPT_OUT: Terms(
        frozenset(Use) - {Use.HEALTHCARE}, False, False, "opting out of secondary use: EHDS Article 71", _RENEWING
    ),
    Act.RENEW: Terms(
        frozenset(Use), True, True, "consent given anew: GDPR Articles 6(1)(a), 9(2)(a)", "the person, by any other act"
    ),
}


class ConsentReport(msgspec.Struct, frozen=True):
    """What holds after an act. It names the person by the id that was given.

    holds         kinds of use that the person consents to now
    changed       those that the act changed; readings by permit follow at once
    public_until  datasets whose public numbers the person is in without consenting to it, each until the next release
    that
                  takes them out; `leaves_by`, the day from which any release does, whoever leaves with them
    """

    individual: str
    act: Act
    holds: tuple[Use, ...]
    changed: tuple[Use, ...]
    public_until: tuple[str, ...]
    leaves_by: str


def uses_of(act: Act, named: Some[Use]) -> frozenset[Use]:
    """The uses that an act is about. Raises `Invalid` for a use that it cannot be about, or may not choose."""
    terms = TERMS[act]
    if not named:
        return terms.uses
    if not terms.chooses:
        raise Invalid(f"{act} is always about {_listed(terms.uses)}; name no use, or withdraw from the ones you mean")
    return frozenset(named)


def say(
    collection: Collection,
    individual: IndividualId,
    act: Act,
    uses: Some[Use] = (),
    *,
    by: str,
    longest_delay_days: int,
) -> ConsentReport:
    """Do what a person says, in one transaction, durable on return; idempotent. `by` is who said it here: the person's
    own subject, or the contact point's.

    What it ends, no table of a dataset brings back. What it renews holds where every dataset of the person says yes.
    Readings by permit that are opened afterwards are right at once, those that are under way within a second; public
    numbers with the next release. Raises `NotFound` for nobody here, `Invalid` for a use that the act is not about.
    """
    about = uses_of(act, uses)
    with begin_writing(collection.engine) as connection:
        raise_version(connection)
        person = connection.scalar(sa.select(tables.individual.c.number).where(tables.individual.c.id == individual))
        if person is None:
            raise NotFound(f"individual {individual} is not in this node; check the id")
        before = holding(connection, person)
        renews = TERMS[act].renews
        change_own_word(connection, person, () if renews else about, about if renews else ())
        row = {"individual": person, "act": act, "uses": ";".join(sorted(about)), "by": by}
        connection.execute(sa.insert(tables.consent_act).values(**row, at=clock.now().isoformat()))
        note_leavers(connection)
        if collection.journal is not None:
            collection.journal.enter_consent(connection, by, act, datasets_of(connection, person))
        report = _report(connection, individual, person, act, before, longest_delay_days)
    collection.refresh()
    return report


def read_acts(connection: sa.Connection, individual: IndividualId) -> tuple[tuple[Act, tuple[Use, ...], str], ...]:
    """What a person has said here: act, uses and time, the first first."""
    act, person = tables.consent_act.c, tables.individual.c
    rows = connection.execute(
        sa.select(act.act, act.uses, act.at)
        .join_from(tables.consent_act, tables.individual, act.individual == person.number)
        .where(person.id == individual)
        .order_by(act.id)
    )
    return tuple((Act(row.act), tuple(map(Use, row.uses.split(";"))), row.at) for row in rows)


def _report(
    connection: sa.Connection, individual: IndividualId, person: int, act: Act, before: frozenset[Use], delay_days: int
) -> ConsentReport:
    now = holding(connection, person)
    batches = bitmap.batches_for(count_individuals(connection))
    released = {each.id: read_released(connection, each.id, batches) for each in read_holdings(connection) if each.told}
    stays = () if Use.AGGREGATES in now else tuple(each for each, told in released.items() if _has(told, person))
    since = connection.scalar(sa.select(tables.leaver.c.since).where(tables.leaver.c.individual == person))
    by = (datetime.fromisoformat(since) + timedelta(days=delay_days)).date().isoformat() if since and stays else ""
    return ConsentReport(individual, act, tuple(sorted(now)), tuple(sorted(before ^ now)), stays, by)


def datasets_of(connection: sa.Connection, person: int) -> tuple[DatasetId, ...]:
    """The datasets that a person, by number, is in."""
    batches = bitmap.batches_for(person + 1)
    datasets = (each.id for each in read_holdings(connection))
    return tuple(each for each in datasets if _has(read_members(connection, SetKind.DATASET, each, batches), person))


def holding(connection: sa.Connection, person: int) -> frozenset[Use]:
    """The kinds of use that a person, by number, consents to now."""
    batches = bitmap.batches_for(person + 1)
    return frozenset(use for use in Use if _has(read_consenting(connection, use, batches), person))


def _has(planes: bitmap.Planes, person: int) -> bool:
    batch, within = divmod(person, bitmap.BATCH)
    return bool(planes[batch, within >> 3] >> (within & 7) & 1)


def _listed(uses: frozenset[Use]) -> str:
    return ", ".join(use for use in Use if use in uses)


def effects() -> list[tuple[str, ...]]:
    """The table of effects, a row for each act and use: what the act does to it, from when for readings by permit, from
    when for the public, its basis, and who undoes it."""
    rows: list[tuple[str, ...]] = []
    for act, terms in TERMS.items():
        verb = "gives back" if terms.renews else "ends"
        for use in Use:
            if use not in terms.uses:
                rows.append((act.value, use.value, "stays", "", "", terms.basis, ""))
                continue
            public = "with the next release" if use is Use.AGGREGATES else "never told without a permit"
            permit = "needs no permit" if use is Use.AGGREGATES else "at once"
            does = f"{verb}, where named or none is" if terms.chooses else verb
            rows.append((act.value, use.value, does, permit, public, terms.basis, terms.undone))
    return rows
