# SPDX-License-Identifier: Apache-2.0
"""How the hub runs studies."""

import msgspec


class StudySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[studies]` of a hub. Nodes have their own rules, which nothing here loosens.

    most_running    of one person, at once
    silence_s       a node that was not heard for so long is gone
    round_s         a node that works longer on one round is late
    """

    most_running: int = 5
    silence_s: float = 60.0
    round_s: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse values under which no study could run."""
        if self.most_running < 1:
            raise ValueError("most_running: at least 1")
        if not 1 <= self.silence_s <= self.round_s <= 7 * 86_400:
            raise ValueError("silence_s, round_s: seconds from 1 up to a week, in this order")
