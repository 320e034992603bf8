# SPDX-License-Identifier: Apache-2.0
"""The pages of the process, for each role, with hostile text wherever people write."""

import json
import shlex
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from megagenome.portal import application_pages as pages
from megagenome.portal.application_pages import Typed
from megagenome.portal.permit_page import permit_page
from megagenome.standards.application import (
    Line,
    Page,
    PartState,
    PermitDays,
    ProcessRole,
    RecommendationShown,
    State,
    Verb,
)
from megagenome.standards.federation import NodeStatus
from tests.portal import fake_hub
from tests.portal.applications import FORM, document, shown
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL

OWN: dict[str, Any] = {
    "roles": (ProcessRole.APPLICANT,),
    "commands": (Verb.SAVE_DRAFT, Verb.INVITE, Verb.UNINVITE, Verb.REMOVE, Verb.SUBMIT, Verb.WITHDRAW, Verb.CLOSE),
    "state": State.RETURNED,
    "votes": (),
}
AUDITOR: dict[str, Any] = {
    "roles": (ProcessRole.AUDITOR,),
    "commands": (),
    "people": (),
    "answers": {},
    "attachments": (),
    "votes": (),
    "told": "",
    "conflict": None,
}
CHAIR: dict[str, Any] = {
    "roles": (ProcessRole.DAC_CHAIR,),
    "commands": (Verb.BEGIN, Verb.RETURN, Verb.DECLARE, Verb.VOTE, Verb.RECOMMEND, Verb.CLOSE),
}
SENDING: dict[str, Any] = {
    "roles": (ProcessRole.DAC_CHAIR,),
    "commands": (Verb.REQUEST, Verb.REJECT, Verb.RETURN, Verb.SUSPEND, Verb.RESUME, Verb.REVOKE),
    "state": State.RECOMMENDED,
}
OFFICIAL: dict[str, Any] = {
    "roles": (ProcessRole.SIGNING_OFFICIAL,),
    "commands": (Verb.ENDORSE, Verb.DECLINE),
    "state": State.SUBMITTED,
    "votes": (),
    "conflict": None,
}
LINE = Line(
    shown().id, EVIL, State.ASSESSING, 1, EVIL, ("EE", "FI"), "2026-11-02", "2026-11-02", "2026-11-20", "x", True
)
NODES = [
    msgspec.structs.replace(fake_hub.state("FI", NodeStatus.ANSWERED, 1), id="node.fi", url="https://fi.example"),
    msgspec.structs.replace(fake_hub.state("EE", NodeStatus.ANSWERED, 1), id="node.ee", url="https://ee.example"),
    msgspec.structs.replace(fake_hub.state("SE", NodeStatus.ANSWERED, 1), id="node.fi", url="javascript:alert(1)"),
]
EVERY = [value for value in Typed.__struct_fields__ if value != "uses"]

PAGES: dict[str, Callable[[str], str]] = {
    "own": lambda says: pages.application_page(shown(says, **OWN), FORM),
    "own, refused": lambda says: pages.application_page(
        shown(says, **OWN), FORM, problem=says, typed=Typed(**dict.fromkeys(EVERY, says))
    ),
    "own, may ask again": lambda says: pages.application_page(
        shown(says, **{**OWN, "commands": (Verb.RESUBMIT,), "state": State.DECIDED}), FORM
    ),
    "official": lambda says: pages.application_page(shown(says, **OFFICIAL), FORM),
    "member of the committee": lambda says: pages.application_page(shown(says), FORM),
    "before declaring": lambda says: pages.application_page(shown(says, conflict=None), FORM),
    "with a conflict": lambda says: pages.application_page(shown(says, conflict=True, commands=(Verb.DECLARE,)), FORM),
    "chair": lambda says: pages.application_page(
        shown(says, **CHAIR), FORM, typed=Typed(**dict.fromkeys(EVERY, says), uses=(says,))
    ),
    "chair, sending": lambda says: pages.application_page(shown(says, **SENDING), FORM),
    "chair, rejecting": lambda says: pages.application_page(
        shown(says, **SENDING, recommendation=RecommendationShown("reject", says, "", "", "", "")), FORM
    ),
    "auditor": lambda says: pages.application_page(shown(says, **AUDITOR), FORM),
    "people": lambda says: pages.people_page(shown(says, **OWN), FORM, "https://hub.example", problem=says),
    "people, as a member": lambda says: pages.people_page(
        shown(says, roles=(ProcessRole.MEMBER,), commands=(Verb.LEAVE,)), FORM, "https://hub.example"
    ),
    "join": lambda says: pages.join_page("0123", says, problem=says),
    "review": lambda says: pages.review_page(shown(says, **OWN), FORM),
    "review, complete": lambda says: pages.review_page(shown(says, **OWN, findings=()), FORM, problem=says),
    "mine": lambda _: pages.applications_page(Page(120, 50, (LINE,))),
    "none": lambda _: pages.applications_page(Page(0, 0, ())),
    "desk": lambda _: pages.desk_page(Page(120, 50, (LINE,)), "desk", "assessing"),
    "empty desk": lambda _: pages.desk_page(Page(0, 0, ()), "all", ""),
    "permit": lambda says: permit_page(shown(says, state=State.ACTIVE), FORM, document(says)),
    "permit, for an auditor": lambda says: permit_page(shown(says, **AUDITOR), FORM, None),
    **{
        f"form {section.id}": lambda says, section=section: pages.form_page(
            shown(says, **OWN),
            FORM,
            section,
            problem=says,
            wrong={section.fields[0].id: says},
            meanwhile={field.id: says for field in section.fields},
            saved=True,
        )
        for section in FORM.sections
    },
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_whole_and_hostile_text_stays_text(name: str) -> None:
    page = PAGES[name](EVIL)
    document = Document(page)
    document.check()
    assert "<script>window" not in page
    assert "<img" not in page
    assert "<svg/onload" not in page
    # of templates nothing is left, and nothing that people wrote was taken for one
    assert "49" not in document.text.replace("sha256", "") or "{{7*7}}" in document.text
    assert not [a for a in document.all("form") if a["method"] == "post" and not a["action"].startswith("/")]


@pytest.mark.parametrize("name", PAGES)
def test_each_form_that_changes_something_carries_the_token(name: str) -> None:
    document = Document(PAGES[name]("words"))
    posts = [form for form in document.all("form") if form["method"] == "post"]
    tokens = [field for field in document.all("input") if field.get("name") == "csrf"]
    assert len(tokens) == len(posts)
    for form in document.all("form"):
        assert form["method"] == "post" or form["action"] in ("/desk", "/ledger")


def test_the_form_shows_every_field_once_and_hides_what_is_not_asked() -> None:
    for section in FORM.sections:
        found = Document(pages.form_page(shown(**OWN), FORM, section))
        ids = [a["id"] for _, a in found.elements if "id" in a]
        assert [ids.count(field.id) for field in section.fields] == [1] * len(section.fields)
    private = {**shown().answers, "commercial": "no"}
    asked = Document(pages.form_page(shown(**OWN, answers=private), FORM, FORM.sections[1]))
    hidden = [a.get("data-depends-on") for tag, a in asked.elements if tag == "div" and "hidden" in a]
    assert hidden == ["commercial"]


def test_findings_lead_to_their_fields() -> None:
    text = pages.review_page(shown(**OWN), FORM)
    links = [a["href"] for a in Document(text).all("a") if "#" in a["href"] and "form" in a["href"]]
    assert links == [f"/applications/{shown().id}/form/purpose#title"]
    assert "It cannot be submitted yet" in text
    assert f'action="/applications/{shown().id}/submit"' not in text


def test_only_what_one_can_do_is_offered() -> None:
    text = pages.application_page(shown(**AUDITOR), FORM)
    assert Document(text).all("form") == []
    assert "Application 01234567" in text
    text = pages.application_page(shown(conflict=None, **{**CHAIR, "commands": (Verb.DECLARE, Verb.RECOMMEND)}), FORM)
    assert "/recommend" not in text  # who has not declared cannot


def test_a_permit_says_where_it_works() -> None:
    parts = shown().parts
    granted = [msgspec.structs.replace(p, state=PartState.APPROVED) for p in parts]
    for state, says in (
        (State.ACTIVE, "It begins to work on its first day."),
        (State.SUSPENDED, "It works nowhere until the committee resumes it."),
        (State.REVOKED, "It works nowhere, and never again."),
        (State.EXPIRED, "Its last day was 30 Nov 2027."),
        (State.WITHDRAWN, "It works nowhere."),
    ):
        assert says in permit_page(shown(state=state, parts=tuple(granted)), FORM, document()), state
    over = permit_page(shown(**{**OWN, "state": State.REVOKED, "parts": tuple(granted)}), FORM, document(), NODES)
    assert "Where it worked" in over
    assert "How to use it" not in over  # whoever was its person is not led to a refusal
    assert "so it works nowhere" in permit_page(shown(state=State.NATIONAL_WINDOW), FORM, document())
    hidden = permit_page(shown("Ada Lovelace", **AUDITOR), FORM, None)
    assert "is not for your role" in hidden
    assert "May be used" in hidden


def test_a_granted_permit_says_exactly_how_it_is_used_to_its_own_people() -> None:
    granted = tuple(msgspec.structs.replace(part, state=PartState.APPROVED) for part in shown().parts[1:])
    page = permit_page(shown(**{**OWN, "state": State.ACTIVE, "parts": granted}), FORM, document(), NODES)
    found = Document(page)
    found.check()
    assert "https://fi.example/visas/token" in found.text
    assert "ee.example" not in page  # it refused
    assert "javascript:" not in page
    command = found.text[found.text.index("curl -s https://fi.example/beacon") :]
    body = shlex.split(command[: command.index("}}'") + 3])[-1]
    assert json.loads(body)["query"]["requestParameters"]["permit"] == {"id": "permit1", "use": "research"}
    assert "How to use it" not in permit_page(shown(state=State.ACTIVE, parts=granted), FORM, document(), NODES)


def test_a_recommendation_begins_with_the_days_that_were_asked_for() -> None:
    page = pages.application_page(shown(**CHAIR, days=PermitDays("2026-12-01", "2027-11-30")), FORM)
    days = {field["id"]: field["value"] for field in Document(page).all("input") if field.get("type") == "date"}
    assert days == {"starts": "2026-12-01", "ends": "2027-11-30"}
    typed = Typed("recommend", ends="2027-05-31")
    page = pages.application_page(shown(**CHAIR, days=PermitDays("2026-12-01", "2027-11-30")), FORM, typed=typed)
    days = {field["id"]: field["value"] for field in Document(page).all("input") if field.get("type") == "date"}
    assert days == {"starts": "2026-12-01", "ends": "2027-05-31"}
