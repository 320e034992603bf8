# SPDX-License-Identifier: Apache-2.0
"""Permits at this node: what was countersigned here, who may read by it, and whether it works now.

A permit is stored with this node's own signed decision and never changes. Beside it stands what the hub and what this
node last said of it (`permit_state`), also of a permit that is not here yet: a revocation that comes before its permit
still ends it. The hub's word may suspend and resume, a node's too, and neither lifts the other's; revoked is for ever.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.cohort import Cohort, canonical, cohort_id
from megagenome.collection.model import Use
from megagenome.collection.rows import insert_rows
from megagenome.collection.version import raise_version
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, NotFound
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.standards.permit import CountryDecision, PermitDocument, PermitState, Verdict, digest

_person, _part, _said = tables.permit_person.c, tables.permit_dataset.c, tables.permit_state.c
_WHICH: sa.BindParameter[str] = sa.bindparam("permit")
_PERMIT = sa.select(tables.permit).where(tables.permit.c.id == _WHICH)
_DATASETS = (
    sa.select(_part.dataset, _part.countersignature)
    .where(_part.permit == _WHICH, _part.taken_back.is_(None))
    .order_by(_part.dataset)
)
_WORDS = sa.select(_said.state, _said.reason).where(_said.permit == _WHICH)
_PEOPLE = sa.select(_person.subject).where(_person.permit == _WHICH)
_MINE = (
    sa.select(tables.permit.c.id, tables.permit.c.uses)
    .join(tables.permit_person, _person.permit == tables.permit.c.id)
    .join(tables.permit_dataset, _part.permit == tables.permit.c.id)
    .where(_person.subject == sa.bindparam("subject"), _part.dataset == sa.bindparam("dataset"))
    .where(_part.taken_back.is_(None))
    .order_by(tables.permit.c.id)
)
"""What each reading by permit asks. Made once, because to make a query takes longer than to ask it."""


class Authority(StrEnum):
    """Who says that a permit is suspended, resumed or revoked."""

    HUB = "hub"
    NODE = "node"


class GrantedPermit(msgspec.Struct, frozen=True):
    """A permit as this node granted it.

    digest            of the permit document that was decided on
    cohort            the canonical definition
    datasets          of this node, approved by its country
    uses              never `Use.AGGREGATES`, which needs no permit
    people            subjects of those who may use it
    not_before, expires  aware; from the first on, and no longer at the second
    conditions        what its people must keep to, in words
    countersignature  this node's own signed decision; its signature is checked by whoever makes this object
    """

    id: PermitId
    digest: str
    cohort: Cohort
    datasets: tuple[DatasetId, ...]
    uses: frozenset[Use]
    people: frozenset[str]
    not_before: datetime
    expires: datetime
    conditions: str
    countersignature: str


class StoredPermit(msgspec.Struct, frozen=True):
    """A permit as it stands here now.

    datasets  those that the country approved and has not taken back; `countersignatures`, of each the node's own signed
              decision, as it stands in the database
    stored    when it was put down here
    state     what hub and node say together; `reason` in the words of whoever ended or suspended it
    secret    what pseudonyms of individuals are made with; never leaves the collection
    """

    id: PermitId
    digest: str
    cohort: Cohort
    datasets: tuple[DatasetId, ...]
    countersignatures: tuple[str, ...]
    uses: frozenset[Use]
    people: frozenset[str]
    not_before: datetime
    expires: datetime
    conditions: str
    stored: datetime
    state: PermitState
    reason: str
    secret: bytes

    def holds(self, now: datetime) -> bool:
        """Whether it may be used at `now`, for whichever of its uses."""
        return self.state is PermitState.ACTIVE and self.not_before <= now < self.expires


def granted_permit(document: PermitDocument, decision: CountryDecision, countersignature: str) -> GrantedPermit:
    """A permit document and this node's decision on it as what is stored: of its datasets those that are approved.

    Days are UTC's. Raises `Invalid` where the two do not belong together, the cohort's id is not its definition's, or a
    use needs no permit or is none.
    """
    if (decision.permit, decision.permit_digest) != (document.id, digest(document)):
        raise Invalid(f"permit {document.id}: the decision is of another document")
    named = {each.dataset for each in document.datasets if each.node == decision.node}
    approved = {each.dataset for each in decision.decisions if each.verdict is Verdict.APPROVED}
    if not approved <= named:
        raise Invalid(f"permit {document.id}: a dataset was decided on that the document does not name at this node")
    try:
        cohort = msgspec.json.decode(document.definition, type=Cohort)
        uses = frozenset(map(Use, document.uses))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"permit {document.id}: its cohort cannot be read: {error}") from None
    except ValueError as error:
        raise Invalid(f"permit {document.id}: {error}") from None
    if cohort_id(cohort) != document.cohort:
        raise Invalid(f"permit {document.id}: the cohort's id is not that of its definition")
    return GrantedPermit(
        PermitId(document.id),
        digest(document),
        cohort,
        tuple(map(DatasetId, sorted(approved))),
        uses,
        frozenset(person.subject for person in document.people),
        datetime.combine(document.starts, time(), UTC),
        datetime.combine(document.ends, time(), UTC) + timedelta(days=1),
        "\n".join(document.conditions),
        countersignature,
    )


def store_permit(connection: sa.Connection, granted: GrantedPermit) -> None:
    """Put down a permit, which works from then on if nobody has ended it. In the caller's transaction; idempotent.

    The same document again, with a later decision, adds datasets; what was taken back stays so. Raises `Conflict` for
    another document under a known id, and `Invalid` for a permit that could never be read by.
    """
    if not granted.countersignature:
        raise Invalid(f"permit {granted.id}: without this node's countersignature it works nowhere here")
    if not (granted.datasets and granted.people and granted.uses):
        raise Invalid(f"permit {granted.id}: it names no dataset of this node, nobody, or no use")
    if Use.AGGREGATES in granted.uses:
        raise Invalid(f"permit {granted.id}: aggregates are told without a permit; name another use")
    if not granted.not_before < granted.expires:
        raise Invalid(f"permit {granted.id}: it ends before it begins")
    raise_version(connection)  # first, so that the transaction begins by writing: nothing that it reads can change
    known = connection.execute(sa.select(tables.permit).where(tables.permit.c.id == granted.id)).one_or_none()
    if known is None:
        _insert(connection, granted)
    elif known.digest != granted.digest:
        raise Conflict(f"permit {granted.id}: another document was countersigned under this id")
    mine = tables.permit_dataset.c
    stored = set(connection.scalars(sa.select(mine.dataset).where(mine.permit == granted.id)))
    more = [(granted.id, each, granted.countersignature, None, "") for each in granted.datasets if each not in stored]
    insert_rows(connection, tables.permit_dataset, more)


def _insert(connection: sa.Connection, granted: GrantedPermit) -> None:
    connection.execute(
        sa.insert(tables.permit).values(
            id=granted.id,
            digest=granted.digest,
            cohort=cohort_id(granted.cohort),
            definition=msgspec.json.encode(canonical(granted.cohort)).decode(),
            uses=";".join(sorted(granted.uses)),
            not_before=granted.not_before.isoformat(),
            expires=granted.expires.isoformat(),
            conditions=granted.conditions,
            stored=clock.now().isoformat(),
            secret=secrets.token_bytes(32),
        )
    )
    insert_rows(connection, tables.permit_person, [(granted.id, subject) for subject in sorted(granted.people)])


def change_permit(
    connection: sa.Connection,
    permit: PermitId,
    state: PermitState,
    reason: str,
    *,
    sequence: int | None = None,
) -> bool:
    """What the hub says of a permit in its feed at `sequence`, or this node, where that is None: that it is suspended,
    active again, or revoked. Whether it changed anything.

    In the caller's transaction; it holds for every reading from the commit on. Idempotent: an older word of the hub's
    changes nothing, and nothing changes what is revoked. The permit need not be here yet.
    """
    raise_version(connection)
    authority = Authority.NODE if sequence is None else Authority.HUB
    said = tables.permit_state.c
    mine = (said.permit == permit, said.authority == authority)
    known = connection.execute(sa.select(tables.permit_state).where(*mine)).one_or_none()
    if known is not None and (
        known.state in (PermitState.REVOKED, state) or (sequence is not None and sequence <= known.sequence)
    ):
        if sequence is not None and sequence > known.sequence:
            connection.execute(sa.update(tables.permit_state).where(*mine).values(sequence=sequence))
        return False
    number = sequence if sequence is not None else (0 if known is None else known.sequence + 1)
    row = {"state": state, "sequence": number, "reason": reason, "changed": clock.now().isoformat()}
    if known is None:
        connection.execute(sa.insert(tables.permit_state).values(permit=permit, authority=authority, **row))
        return state is not PermitState.ACTIVE
    connection.execute(sa.update(tables.permit_state).where(*mine).values(**row))
    return True


def take_back(connection: sa.Connection, permit: PermitId, dataset: DatasetId, reason: str) -> bool:
    """The country takes its approval of one dataset back, for ever. Whether it changed anything. In the caller's
    transaction; idempotent. Raises `NotFound` where the permit never had the dataset here."""
    raise_version(connection)
    mine = (tables.permit_dataset.c.permit == permit, tables.permit_dataset.c.dataset == dataset)
    known = connection.execute(sa.select(tables.permit_dataset).where(*mine)).one_or_none()
    if known is None:
        raise NotFound(f"permit {permit} has no dataset {dataset} at this node")
    if known.taken_back is not None:
        return False
    ended = {"taken_back": clock.now().isoformat(), "reason": reason}
    connection.execute(sa.update(tables.permit_dataset).where(*mine).values(**ended))
    return True


def undo_grant(connection: sa.Connection, permit: PermitId, dataset: DatasetId) -> None:
    """A grant that does not hold, because nobody was asking for it any more: as if it had never been, so that it can be
    given when it is asked for again. In the caller's transaction; idempotent. What was taken back stays so."""
    raise_version(connection)
    mine = tables.permit_dataset.c
    which = (mine.permit == permit) & (mine.dataset == dataset) & mine.taken_back.is_(None)
    connection.execute(sa.delete(tables.permit_dataset).where(which))


def read_permits(connection: sa.Connection) -> tuple[StoredPermit, ...]:
    """All permits that are here, also those that do not work (any more), by id."""
    ids = connection.scalars(sa.select(tables.permit.c.id).order_by(tables.permit.c.id)).all()
    return tuple(permit for each in ids if (permit := read_permit(connection, PermitId(each))) is not None)


def read_permits_of(connection: sa.Connection, subject: str) -> tuple[StoredPermit, ...]:
    """All permits that are here whose people somebody is one of, also those that do not work (any more), by id."""
    person = tables.permit_person.c
    ids = connection.scalars(sa.select(person.permit).where(person.subject == subject).order_by(person.permit)).all()
    return tuple(permit for each in ids if (permit := read_permit(connection, PermitId(each))) is not None)


def permits_for(connection: sa.Connection, subject: str, dataset: DatasetId) -> dict[PermitId, frozenset[Use]]:
    """The permits that are here whose people somebody is one of, for a dataset that its country approved and has not
    taken back, and their uses; also those that do not work (any more). One query."""
    rows = connection.execute(_MINE, {"subject": subject, "dataset": dataset})
    return {PermitId(row.id): frozenset(map(Use, row.uses.split(";"))) for row in rows}


def read_permit(connection: sa.Connection, permit: PermitId) -> StoredPermit | None:
    """A permit as it stands now; None where it is not here."""
    one = {"permit": permit}
    row = connection.execute(_PERMIT, one).one_or_none()
    if row is None:
        return None
    here = connection.execute(_DATASETS, one).all()
    words = connection.execute(_WORDS, one).all()
    state, reason = _together([(PermitState(word.state), word.reason) for word in words])
    return StoredPermit(
        id=permit,
        digest=row.digest,
        cohort=msgspec.json.decode(row.definition, type=Cohort),
        datasets=tuple(DatasetId(each.dataset) for each in here),
        countersignatures=tuple(each.countersignature for each in here),
        uses=frozenset(map(Use, row.uses.split(";"))),
        people=frozenset(connection.scalars(_PEOPLE, one)),
        not_before=datetime.fromisoformat(row.not_before),
        expires=datetime.fromisoformat(row.expires),
        conditions=row.conditions,
        stored=datetime.fromisoformat(row.stored),
        state=state,
        reason=reason,
        secret=row.secret,
    )


_WORST_FIRST = (PermitState.REVOKED, PermitState.SUSPENDED)


def _together(words: Sequence[tuple[PermitState, str]]) -> tuple[PermitState, str]:
    """The strictest word, and its reason."""
    for state in _WORST_FIRST:
        for said, reason in words:
            if said is state:
                return state, reason
    return PermitState.ACTIVE, ""


def require_permit(connection: sa.Connection, permit: PermitId, caller: Caller, use: Use) -> StoredPermit:
    """The permit, where `caller` may read by it for `use` now.

    Else `NotEntitled`: to whoever is none of the permit's people it is as if it did not exist, whatever the reason is;
    to its people the reason is told.
    """
    known = read_permit(connection, permit)
    if known is None or caller.subject is None or caller.subject not in known.people:
        raise NotEntitled("there is no permit with this id by which you may read here")
    if reason := _refusal(known, use, clock.now()):
        raise NotEntitled(f"permit {permit}: {reason}")
    return known


def _refusal(permit: StoredPermit, use: Use, now: datetime) -> str:
    """Why a permit does not let its own people read for a use; empty where it does."""
    if permit.state is not PermitState.ACTIVE:
        return f"it is {permit.state}" + (f": {permit.reason}" if permit.reason else "")
    if now < permit.not_before:
        return f"it begins at {permit.not_before:%Y-%m-%d %H:%M} UTC"
    if now >= permit.expires:
        return f"it ended at {permit.expires:%Y-%m-%d %H:%M} UTC"
    if use not in permit.uses:
        return f"it is for {', '.join(sorted(permit.uses))}, not for {use}"
    return ""
