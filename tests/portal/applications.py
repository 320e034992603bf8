# SPDX-License-Identifier: Apache-2.0
"""An application as the API tells it, and its form, with anything in every field."""

from datetime import UTC, date, datetime
from typing import Any

from megagenome.access.form import newest_form, read_form
from megagenome.standards.application import (
    ApplicationId,
    ApplicationShown,
    AttachmentShown,
    ClockKind,
    ClockShown,
    CohortRef,
    Criterion,
    DatasetRef,
    FieldFinding,
    InvitationShown,
    PartShown,
    PartState,
    PersonKey,
    PersonShown,
    ProcessRole,
    RecommendationShown,
    State,
    TimelineEntry,
    Verb,
    VoteShown,
)
from megagenome.standards.application_form import FieldType, Form
from megagenome.standards.permit import PermitDataset, PermitDocument, PermitPerson

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REF = newest_form("data-access")
FORM: Form = read_form(REF)


def shown(says: str = "words", **changed: Any) -> ApplicationShown:
    """One that is assessed, seen by a member of the committee; `says` stands in every text that people write."""
    events = ("created", "submitted", "endorsed", "voted", "voted", "recommended")
    timeline = [
        TimelineEntry(
            n, NOW, f"application.event/{name}", says, "applicant", says, says * (name != "voted"), "", (), None
        )
        for n, name in enumerate(events, 1)
    ]
    timeline.append(TimelineEntry(9, NOW, "decision.lapsed", "", "clock", "", says, "EE", (says,), NOW))
    fields: dict[str, Any] = {
        "id": ApplicationId("0123456789abcdef01234567"),
        "version": 7,
        "state": State.ASSESSING,
        "roles": (ProcessRole.DAC_MEMBER,),
        "commands": (Verb.DECLARE, Verb.VOTE),
        "form": REF,
        "cohort": CohortRef("sha256:" + "a" * 64, '{"type":"custom","name":"smoker","value":"yes"}'),
        "organisation": says,
        "created": NOW,
        "updated": NOW,
        "parts": (
            PartShown(DatasetRef("node.ee", "EE", "GDI-EE-1"), PartState.REFUSED, None, NOW, says),
            PartShown(DatasetRef("node.fi", "FI", "GDI-FI-1"), PartState.REQUESTED, NOW, None, ""),
            PartShown(DatasetRef("node.fi", "FI", "GDI-FI-2"), PartState.LAPSED, None, None, ""),
        ),
        "clocks": (ClockShown(ClockKind.ASSESSMENT, "LU", 5, NOW, False, says, 5),),
        "timeline": tuple(timeline),
        "told": says,
        "people": (PersonShown(PersonKey("p1"), says, ProcessRole.APPLICANT),),
        "invitations": (InvitationShown("i1", says, says, "secret"),),
        "answers": answers(says),
        "findings": (FieldFinding("title", says), FieldFinding("gone", says)),
        "attachments": (AttachmentShown("d1", says, "pdf", 1234), AttachmentShown("d2", "b.txt", "text", 3_000_000)),
        "recommendation": RecommendationShown("approve", says, "permit1", "sha256:d", "2026-12-01", "2027-11-30"),
        "votes": (
            VoteShown(says, Criterion.ETHICS, "not_met", says, True),
            VoteShown("B", Criterion.ETHICS, "met", ""),
        ),
        "conflict": False,
    }
    return ApplicationShown(**{**fields, **changed})


def _heard(event: str, says: str) -> str:
    return "" if event == "voted" else says


def answers(says: str) -> dict[str, Any]:
    """An answer to every field, with these words wherever words go."""
    made: dict[FieldType, Any] = {
        FieldType.TEXT: says,
        FieldType.PARAGRAPH: f"{says}\n{says}",
        FieldType.DATE: "2026-12-01",
        FieldType.NUMBER: 12,
        FieldType.ATTACHMENT: ["d1"],
        FieldType.PEOPLE: {"p1": says},
        FieldType.DECLARATION: True,
    }
    found = {}
    for field in FORM.fields():
        last = [option.id for option in field.options][-1:]
        found[field.id] = last if field.type is FieldType.MULTISELECT else made.get(field.type, (last or [None])[0])
    return found


def document(says: str = "words") -> PermitDocument:
    """A proposed permit."""
    return PermitDocument(
        "permit1",
        says,
        "0123456789abcdef01234567",
        "sha256:" + "a" * 64,
        '{"type":"sex","sex":"female"}',
        (PermitDataset("node.fi", "FI", "GDI-FI-1"),),
        ("research",),
        (PermitPerson(says, says),),
        date(2026, 12, 1),
        date(2027, 11, 30),
        (says,),
        "sha256:f",
        NOW,
    )
