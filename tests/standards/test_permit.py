# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards.permit import (
    CountryDecision,
    DatasetDecision,
    PermitDataset,
    PermitDocument,
    PermitPerson,
    Verdict,
    decode_decision,
    decode_permit,
    digest,
    encode,
)

DOCUMENT = PermitDocument(
    id="p1",
    hub="org.example.hub",
    application="a1",
    cohort="sha256:00",
    definition='{"type":"everyone"}',
    datasets=(PermitDataset("node-ee", "EE", "D1"),),
    uses=("research",),
    people=(PermitPerson("ada@https://idp.example", "Ada Üks"),),
    starts=date(2026, 12, 1),
    ends=date(2027, 11, 30),
    conditions=("Cite it.",),
    form_digest="sha256:11",
    proposed_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
)
DECISION = CountryDecision(
    "p1",
    "sha256:22",
    "node-ee",
    "EE",
    (DatasetDecision("D1", Verdict.APPROVED),),
    "eeva",
    datetime(2026, 11, 3, tzinfo=UTC),
)


def test_a_text_is_canonical() -> None:
    # another JSON library, told to do the same, writes the same bytes: so a digest is one in every language
    plain = msgspec.to_builtins(DOCUMENT)
    assert encode(DOCUMENT) == json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert digest(DOCUMENT) == "sha256:" + hashlib.sha256(encode(DOCUMENT)).hexdigest()
    assert decode_permit(encode(DOCUMENT)) == DOCUMENT


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(PermitDocument)])
def test_any_change_changes_the_digest(field: str) -> None:
    value: Any = getattr(DOCUMENT, field)
    other = value[:-1] if isinstance(value, tuple | str) else value.replace(year=2030)
    assert digest(msgspec.structs.replace(DOCUMENT, **{field: other})) != digest(DOCUMENT)


def test_times_without_an_offset_are_refused() -> None:
    for text, read in ((encode(DECISION), decode_decision), (encode(DOCUMENT), decode_permit)):
        without = text.replace(b":00Z", b":00")
        assert without != text
        with pytest.raises(Invalid, match="timezone"):
            read(without)


def test_decisions_are_read_and_held_to_their_rules() -> None:
    assert decode_decision(encode(DECISION)) == DECISION
    wrong: list[tuple[DatasetDecision, ...]] = [
        (),
        DECISION.decisions * 2,
        (DatasetDecision("D1", Verdict.REFUSED, " "),),
        (DatasetDecision("D1", Verdict.REVOKED),),
    ]
    for decisions in wrong:
        with pytest.raises(Invalid):
            decode_decision(encode(msgspec.structs.replace(DECISION, decisions=decisions)))


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[" * 100_000, b'"\xff"', encode(DOCUMENT)[:-9], encode(DECISION) + b"x"]
)
def test_nonsense_is_invalid(text: bytes) -> None:
    with pytest.raises(Invalid):
        decode_permit(text)
    with pytest.raises(Invalid):
        decode_decision(text)
