# SPDX-License-Identifier: Apache-2.0
"""Moments and key sets as the tables of `network` have them."""

from datetime import UTC, datetime

import msgspec

from megagenome.kernel.public_keys import PublicKeys, read_public_keys, to_jwks


def stamp(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def write_keys(keys: PublicKeys) -> str:
    """Public keys as the text of a JSON Web Key Set."""
    return msgspec.json.encode(to_jwks(keys)).decode()


def read_keys(text: str) -> PublicKeys:
    """The keys that `write_keys` wrote."""
    return read_public_keys(text.encode())
