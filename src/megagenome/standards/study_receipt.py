# SPDX-License-Identifier: Apache-2.0
"""The receipt of a study's run: what was computed, with whom, and how its result came to be told. No outside standard.

A compact JWS (ES256, `typ` below) of a hub, whose claims are `Receipt`. It has no number of the result but its digest.
"""

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import verify
from megagenome.standards.study_exchange import PEOPLE_STEP

RECEIPT_TYPE = "megagenome-study-receipt+jwt"
MEDIA_TYPE = "application/jwt"


class SummedFacts(msgspec.Struct, frozen=True):
    """An array of which a sum was opened. `largest_error`: no number of it is further from the exact sum of what the
    sites computed, for each site rounds by at most half of the last of `bits` binary digits after the point."""

    name: str
    shape: tuple[int, ...]
    bits: int
    largest_error: float


class RoundFacts(msgspec.Struct, frozen=True):
    """A round that was opened. `opened` are arrays that were seen of each site."""

    epoch: int
    round: int
    step: str
    sites: tuple[str, ...]
    sums: tuple[SummedFacts, ...]
    opened: tuple[str, ...]

    @property
    def is_of_values(self) -> bool:
        """Whether a sum of people's values was opened, and not only their number."""
        return bool(self.sums) and self.step != PEOPLE_STEP


class SiteFacts(msgspec.Struct, frozen=True):
    """A node's part. Bytes are of payloads, to the hub and from it. `self_test`: how far it was off when
    it computed the method on planted people, at the beginning of the run; None where it did not."""

    node: str
    key: str
    taking_part: bool
    up_bytes: int
    down_bytes: int
    self_test: float | None


class RulesFacts(msgspec.Struct, frozen=True):
    """What a result was checked by: `network.studies.release.ReleaseRules`."""

    least: int
    least_people: int
    most_parameters: float
    digits: int


class Release(msgspec.Struct, frozen=True):
    """How a result came to be told.

    result_sha256  of the bytes that `GET /studies/{id}/result` answers
    waited_for     what somebody had to look at first; "" where nothing
    by             `rules`, or the subject of the data steward who let it out; "" while it waits
    at             UTC; "" while it waits
    """

    result_sha256: str
    rules: RulesFacts
    waited_for: str
    by: str
    at: str


class Receipt(msgspec.Struct, frozen=True):
    """The claims. `rounds` are those of all epochs, in order; `release` is None where there is no result."""

    hub: str
    run: str
    document: str
    permit: str
    software: str
    state: str
    reason: str
    people: int | None
    epochs: int
    created: str
    ended: str
    sites: tuple[SiteFacts, ...]
    rounds: tuple[RoundFacts, ...]
    release: Release | None


def sign_receipt(keys: SigningKeys, receipt: Receipt) -> str:
    """The receipt's token."""
    return keys.sign(msgspec.to_builtins(receipt), RECEIPT_TYPE)


def read_receipt(token: bytes, keys: PublicKeys) -> Receipt:
    """A receipt that one of these keys signed. Raises `Corrupt`."""
    try:
        return msgspec.convert(verify(token, keys, RECEIPT_TYPE), Receipt)
    except msgspec.ValidationError as error:
        raise Corrupt(f"not a receipt: {error}") from None
