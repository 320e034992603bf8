# SPDX-License-Identifier: Apache-2.0
"""Where pages lead, by role."""

import pytest

from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.portal.for_you import for_you_page
from megagenome.portal.navigation import navigation
from megagenome.standards.application import Page, State
from tests.portal.document import Document
from tests.portal.test_application_pages import LINE


def names(*roles: Role, on_node: bool = False) -> list[str]:
    return [name for _, name in navigation(Caller("a@b", "A", frozenset(roles)), on_node=on_node)]


@pytest.mark.parametrize(
    ("roles", "more"),
    [
        ((), []),
        ((Role.RESEARCHER,), []),
        ((Role.SIGNING_OFFICIAL,), ["Desk"]),
        ((Role.DAC_CHAIR,), ["Desk"]),
        ((Role.AUDITOR,), ["Desk", "Ledger"]),
    ],
)
def test_a_role_adds_its_places_at_the_hub(roles: tuple[Role, ...], more: list[str]) -> None:
    assert names(*roles) == [
        "For you",
        "Search",
        "Cohorts",
        "Datasets",
        "Nodes",
        "Applications",
        "Studies",
        *more,
        "Help",
    ]


def test_everybody_else_sees_what_is_public() -> None:
    assert [name for _, name in navigation(PUBLIC, on_node=False)] == ["Search", "Cohorts", "Datasets", "Nodes", "Help"]
    assert [name for _, name in navigation(PUBLIC, on_node=True)] == ["This node", "Catalogue"]


def test_at_a_node() -> None:
    assert names(on_node=True) == ["This node", "Catalogue"]
    assert names(Role.COUNTRY_DECIDER, Role.AUDITOR, on_node=True) == ["This node", "Catalogue", "Desk", "Ledger"]
    assert names(Role.DATA_STEWARD, on_node=True) == ["This node", "Catalogue", "Submissions", "Datasets", "Consent"]


def test_for_you_parts_what_waits_from_what_is_under_way() -> None:
    states = (State.DRAFT, State.RETURNED, State.ASSESSING, State.CLOSED)
    mine = Page(
        4,
        0,
        tuple(
            LINE.__class__(*[getattr(LINE, f) if f != "state" else s for f in LINE.__struct_fields__]) for s in states
        ),
    )
    caller = Caller("a@b", "A", frozenset({Role.DAC_CHAIR, Role.AUDITOR}))
    page = Document(for_you_page(caller, mine, Page(1, 0, (LINE,))))
    page.check()
    assert "1 application waits for your decision" in page.text.replace("\u00a0", " ")
    assert [page.text.count(words) for words in ("Draft", "Returned to the applicant", "Being assessed", "Closed")] == [
        1,
        1,
        2,
        0,
    ]
    assert "Nothing waits for you." in Document(for_you_page(Caller("a@b"), Page(0, 0, ()), None)).text
