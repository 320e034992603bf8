# SPDX-License-Identifier: Apache-2.0
"""Moments and key sets as the tables of `network` have them, and by them whether a message is new."""

from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.public_keys import PublicKeys, read_public_keys, to_jwks
from megagenome.standards.exchange import SKEW


def stamp(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def is_new(noted: sa.ColumnElement[str], sent_at: datetime) -> sa.ColumnElement[bool]:
    """Whether a node's message is newer than its last that was noted, so that none counts twice.

    One that was noted for a time to come was sent while the clocks of node and hub were both ahead. It holds up none of
    the present, or the node would be deaf until that time. What was sent within `SKEW` before both went ahead can so
    count again: taken twice, nothing that nodes say changes more than once.
    """
    return (noted < stamp(sent_at)) | (noted > stamp(clock.now() + SKEW))


def write_keys(keys: PublicKeys) -> str:
    """Public keys as the text of a JSON Web Key Set."""
    return msgspec.json.encode(to_jwks(keys)).decode()


def read_keys(text: str) -> PublicKeys:
    """The keys that `write_keys` wrote."""
    return read_public_keys(text.encode())
