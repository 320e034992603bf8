# SPDX-License-Identifier: Apache-2.0
"""What a check finds."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One part of a node or hub: whether it is fine, what was found, and what to do when it is not."""

    part: str
    fine: bool
    says: str
    do: str = ""
