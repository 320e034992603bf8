# SPDX-License-Identifier: Apache-2.0
"""What cannot be read of a document is said before anybody computes."""

import pytest

from megagenome.analytics.check import require_readable
from megagenome.kernel.errors import Invalid
from megagenome.standards.study import (
    Arm,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Method,
    Score,
    Site,
    StudyDocument,
    Survival,
    Variants,
    Weight,
)

EVERYONE = '{"type":"everyone"}'
VARIANTS, WEIGHTS = Variants("GRCh38", ("22", "X:1-5,000")), (Weight("1", 5, "A", "C", 1.0),)


def document(method: Method, cohort: str = EVERYONE) -> StudyDocument:
    return StudyDocument(1, "T", "P", cohort, (Site("node.a", ("A",), "k"),), method)


@pytest.mark.parametrize("wrong", ["", "everybody", '{"type":"sex","sex":3}'])
def test_every_cohort_of_a_document_is_read(wrong: str) -> None:
    def methods(text: str) -> list[Method]:
        return [
            Logistic(VARIANTS, Group(text, EVERYONE)),
            Linear(VARIANTS, Measured("y"), (Group(EVERYONE, text),)),
            Score("GRCh38", "S", WEIGHTS, trait=Group(text, EVERYONE)),
            Survival(Measured("days"), "status", groups=(Arm("all", EVERYONE), Arm("some", text))),
        ]

    for right, unreadable in zip(methods(EVERYONE), methods(wrong), strict=True):
        require_readable(document(right))
        for found in (document(unreadable), document(right, wrong)):
            with pytest.raises(Invalid, match="not a cohort's definition"):
                require_readable(found)


@pytest.mark.parametrize("region", ["", "22:5", "22:9-5", "chromosome twenty-two"])
def test_regions_are_read(region: str) -> None:
    with pytest.raises(Invalid, match="region"):
        require_readable(document(Frequencies(Variants("GRCh38", ("22", region)))))
