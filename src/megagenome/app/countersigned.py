# SPDX-License-Identifier: Apache-2.0
"""Holds the permits in a node's database against the node's own signatures: who can write there, and does not have the
signing key, can make no permit and widen none."""

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.desk_rows import claims_of
from megagenome.collection.cohort import cohort_id
from megagenome.collection.permits import StoredPermit, granted_permit
from megagenome.kernel.errors import Corrupt, Invalid, TooLarge
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import verify
from megagenome.standards.permit import DECISION_TYPE, CountryDecision, PermitDocument, Proposal, digest

_MOST_KNOWN = 1_000


class Countersigned:
    """Checks permits, each state of one once. Safe for threads."""

    def __init__(self, keys: PublicKeys) -> None:
        """`keys` are the node's own, those that it replaced among them."""
        self._keys = keys
        self._proven: set[tuple[object, ...]] = set()

    def require(self, connection: sa.Connection, permit: StoredPermit) -> None:
        """Raise `Corrupt` unless every dataset, person, use and day of a permit is as in the document that this node
        signed. That nobody ended it, no signature says.

        Cost: nothing for what was checked before; else one query, and 0.2 ms for each decision.
        """
        stated = _stated(permit)
        if stated in self._proven:
            return
        try:
            self._check(connection, permit)
        except (Corrupt, Invalid, TooLarge) as error:
            raise Corrupt(
                f"permit {permit.id}: it is not in this node's database as this node signed it ({error}); "
                "nothing is read by it: its operator restores the backup"
            ) from None
        if len(self._proven) >= _MOST_KNOWN:
            self._proven.clear()
        self._proven.add(stated)

    def _check(self, connection: sa.Connection, permit: StoredPermit) -> None:
        token = connection.execute(sa.select(t.proposal.c.token).where(t.proposal.c.permit == permit.id)).scalar()
        if token is None:
            raise Corrupt("its document is not there")
        document = claims_of(token, Proposal).document
        for dataset, countersignature in zip(permit.datasets, permit.countersignatures, strict=True):
            self._check_dataset(permit, document, dataset, countersignature)

    def _check_dataset(
        self, permit: StoredPermit, document: PermitDocument, dataset: str, countersignature: str
    ) -> None:
        decision = msgspec.convert(verify(countersignature, self._keys, DECISION_TYPE), CountryDecision)
        granted = granted_permit(document, decision, countersignature)  # which the decision's digest is of
        if dataset not in granted.datasets:
            raise Corrupt(f"{dataset} was not approved")
        signed = (
            document.id,
            digest(document),
            document.cohort,
            granted.uses,
            granted.people,
            granted.not_before,
            granted.expires,
            granted.conditions,
        )
        if signed != _terms(permit):
            raise Corrupt("its terms are others")


def _terms(permit: StoredPermit) -> tuple[object, ...]:
    return (
        permit.id,
        permit.digest,
        cohort_id(permit.cohort),
        permit.uses,
        permit.people,
        permit.not_before,
        permit.expires,
        permit.conditions,
    )


def _stated(permit: StoredPermit) -> tuple[object, ...]:
    return (*_terms(permit), permit.datasets, permit.countersignatures)
