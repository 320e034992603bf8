# SPDX-License-Identifier: Apache-2.0
"""By what somebody may have data of a dataset, and for whom they are sealed.

Data that are declared open leave as they are, or sealed for whatever key was sent. All others leave by a permit of the
caller's, and only sealed for an environment that the node registered for it.
"""

from typing import NamedTuple

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.collection import Collection
from megagenome.collection.environments import read_environments
from megagenome.collection.model import Use
from megagenome.collection.open_reading import OpenReading
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import permits_for, read_permit
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid, NotEntitled, NotFound, Unauthenticated
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.standards.crypt4gh_keys import fingerprint
from megagenome.standards.htsget import KEY_FIELD

PERMIT_FIELD = "Megagenome-Permit"
USE_FIELD = "Megagenome-Use"


class Terms(NamedTuple):
    """What a caller says of how they may read.

    permit, use  empty where they have one only
    recipient    the key that they sent
    sealed       that they want it sealed
    """

    permit: str = ""
    use: str = ""
    recipient: X25519PublicKey | None = None
    sealed: bool = False


DataReading = PermitReading | OpenReading


def open_dataset(collection: Collection, caller: Caller, dataset: DatasetId, terms: Terms) -> DataReading:
    """What `caller` may read of a dataset now.

    Raises `NotFound` for a dataset that the public does not know of and the caller has no permit for, as for one that
    there is not; `Unauthenticated` or `NotEntitled` for one that needs a permit; `Invalid` where the caller has several
    and names none.
    """
    if not terms.permit:
        try:
            return collection.open_data(caller, dataset)
        except NotEntitled:
            pass  # it needs a permit, or is not there
    found = _permits(collection, caller, dataset, terms)
    if len(found) > 1:
        raise Invalid(f"you have several permits for {dataset}: name one by {PERMIT_FIELD}: {', '.join(found)}")
    for identity, uses in found.items():
        reading = collection.open(caller, _use(identity, uses, terms), permit=identity)
        if any(each.id == dataset for each in reading.datasets):
            return reading
    if not any(each.id == dataset for each in collection.published):
        raise NotFound(f"there is no dataset {dataset[:100]} here that you may read")
    if caller.subject is None:
        raise Unauthenticated(f"{dataset} needs a permit: say who you are")
    raise NotEntitled(f"you have no permit by which you may read {dataset} now")


def _permits(
    collection: Collection, caller: Caller, dataset: DatasetId, terms: Terms
) -> dict[PermitId, frozenset[Use]]:
    """The caller's permits that can be for a dataset, and their uses. One that is named or the only one is among them
    even where it does not hold, so that its people learn why."""
    if caller.subject is None:
        return {}
    with collection.engine.connect() as connection:
        mine = permits_for(connection, caller.subject, dataset)
        if terms.permit:
            return {identity: uses for identity, uses in mine.items() if identity == terms.permit}
        if len(mine) < 2:
            return mine
        now = clock.now()
        return {
            identity: uses
            for identity, uses in mine.items()
            if (permit := read_permit(connection, identity)) is not None and permit.holds(now)
        }


def _use(permit: PermitId, uses: frozenset[Use], terms: Terms) -> Use:
    if terms.use:
        try:
            return Use(terms.use)
        except ValueError:
            raise Invalid(f"{terms.use[:40]!r} is no kind of use; permit {permit} is for {_listed(uses)}") from None
    if len(uses) > 1:
        raise Invalid(f"permit {permit} is for {_listed(uses)}: say for which by {USE_FIELD}")
    return next(iter(uses))


def _listed(uses: frozenset[Use]) -> str:
    return ", ".join(sorted(uses))


def recipient_for(engine: sa.Engine, reading: DataReading, terms: Terms) -> X25519PublicKey | None:
    """The key that what leaves is sealed for; None where it may be plain and nobody asked for else.

    Raises `NotEntitled` for a key that is not of the permit's environments, or where the permit has none; `Invalid`
    where it has several and none was named, or what is open is to be sealed for nobody.
    """
    if isinstance(reading, OpenReading):
        if terms.sealed and terms.recipient is None:
            raise Invalid(f"send the public key that it is to be sealed for: {KEY_FIELD}")
        return terms.recipient
    with engine.connect() as connection:
        registered = read_environments(connection, reading.permit.id)
    keys = [X25519PublicKey.from_public_bytes(bytes.fromhex(each.public_key)) for each in registered if not each.ended]
    if terms.recipient is not None:
        if not any(key.public_bytes_raw() == terms.recipient.public_bytes_raw() for key in keys):
            raise NotEntitled(
                f"the key {fingerprint(terms.recipient)} is of no environment of permit {reading.permit.id}"
            )
        return terms.recipient
    if not keys:
        raise NotEntitled(f"permit {reading.permit.id} has no environment yet that data could be sealed for")
    if len(keys) > 1:
        names = ", ".join(fingerprint(key) for key in keys)
        raise Invalid(f"permit {reading.permit.id} has several environments: send the public key of one of {names}")
    return keys[0]
