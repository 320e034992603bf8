# SPDX-License-Identifier: Apache-2.0
"""What is kept of the nodes' answers, and what it sums to."""

from datetime import UTC, datetime

import msgspec

from megagenome.standards.application import CohortRef
from megagenome.standards.federation import DatasetAnswer, NodeAnswer, NodeStatus
from megagenome.standards.saved_cohort import NodeCount, SaveCohort, SavedCohort, node_counts

NODES = (
    NodeAnswer(
        "n.fi", "Finland", "FI", "https://fi", NodeStatus.ANSWERED, 3.5, "", (), 40, 10, (DatasetAnswer("A", True, 40),)
    ),
    NodeAnswer("n.ee", "Estonia", "EE", "https://ee", NodeStatus.WITHHELD, 3.5, "", (), None, 10),
    NodeAnswer("n.se", "Sweden", "SE", "https://se", NodeStatus.LATE, 5000.0, "no answer within 5 s"),
    NodeAnswer("n.mt", "Malta", "MT", "https://mt", NodeStatus.ANSWERED, 3.5, "", (), 2, 0),
)


def test_what_is_kept_is_what_each_node_told() -> None:
    told = node_counts(NODES)
    assert told[0] == NodeCount("n.fi", "Finland", "FI", NodeStatus.ANSWERED, 40, 10)
    assert [(each.status, each.count, each.floor) for each in told[1:]] == [
        (NodeStatus.WITHHELD, None, 10),
        (NodeStatus.LATE, None, None),
        (NodeStatus.ANSWERED, 2, 0),
    ]
    saved = SavedCohort(CohortRef("sha256:a", "{}"), "t", "", "sex=female", datetime(2026, 3, 4, tzinfo=UTC), told)
    assert saved.count() == 42
    assert msgspec.json.decode(msgspec.json.encode(saved), type=SavedCohort) == saved


def test_what_the_portal_sends_is_what_the_hub_reads() -> None:
    order = SaveCohort("sha256:a", "{}", "sex=female", "t", "n", node_counts(NODES))
    assert msgspec.json.decode(msgspec.json.encode(order), type=SaveCohort) == order
