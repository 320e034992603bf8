# SPDX-License-Identifier: Apache-2.0
"""Who gives a command."""

import getpass

_LONGEST_NAME = 100


def given_by(office: str = "operator") -> str:
    """By whom a command is given, as records and the ledger name them: an office, and the account on this machine, so
    that nobody takes it for the subject of somebody who signs in."""
    return f"{office} {getpass.getuser()[:_LONGEST_NAME]}"
