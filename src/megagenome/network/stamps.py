# SPDX-License-Identifier: Apache-2.0
"""Moments and key sets as the tables of `network` have them."""

from datetime import UTC, datetime

import msgspec
from joserfc.jwk import KeySet

from megagenome.kernel.keys import parse_key_set


def stamp(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def write_keys(keys: KeySet) -> str:
    """Public keys as the text of a JSON Web Key Set."""
    return msgspec.json.encode({"keys": [key.as_dict(private=False) for key in keys]}).decode()


def read_keys(text: str) -> KeySet:
    """The keys that `write_keys` wrote."""
    return parse_key_set(text.encode())
