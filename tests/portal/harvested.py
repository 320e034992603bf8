# SPDX-License-Identifier: Apache-2.0
"""Harvested datasets as the hub's API tells of them, with whatever text; hostile ones link to scripts."""

from megagenome.standards.dataset_record import Party
from megagenome.standards.harvested import (
    DatasetLine,
    DatasetList,
    DatasetView,
    Described,
    Facet,
    FacetValue,
    Labelled,
    Source,
    Way,
)

SINCE = "2026-01-05T08:00:00+00:00"
SCRIPT = "javascript:alert(1)"


def source(says: str = "words", node: str = "node.ee") -> Source:
    return Source("s", says, SCRIPT if "<" in says else "https://ee.example/fairdp", "EE", node, SINCE, SINCE, says, 1)


def view(says: str = "words", *, node: str = "node.ee", gone: str = "", problem: str = "") -> DatasetView:
    party = Party(says, "", SCRIPT)
    said = Described(
        title=says,
        description=says,
        language=says,
        identifiers=(says,),
        publisher=party,
        contact=party,
        access="NON_PUBLIC",
        categories=(Labelled(says, says),),
        uses=(Labelled(says, says),),
        terms=(says,),
        landing=SCRIPT,
        references=(SCRIPT,),
        ways=(Way(says, says, SCRIPT, says),),
    )
    local = "EE-1" if node else ""
    return DatasetView("d1", says, SCRIPT, local, source(says, node), said, SINCE, SINCE, SINCE, problem, gone)


def listed(says: str = "words") -> DatasetList:
    line = DatasetLine("d1", says, says, says, says, "NON_PUBLIC", (), 12, "EE", says, False, "")
    facet = Facet("use", (FacetValue(says, says, 3, True),))
    return DatasetList(41, 50, 20, (line,) * 20, (facet,), (source(says),))
