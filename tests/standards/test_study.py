# SPDX-License-Identifier: Apache-2.0
"""Study documents: one text, one digest; what is not one is refused with the field's name."""

import msgspec
import pytest

from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Invalid
from megagenome.standards import study
from megagenome.standards.study import (
    Age,
    Arm,
    Category,
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Method,
    Score,
    Sex,
    Site,
    StudyDocument,
    Survival,
    Variants,
    Weight,
)

EVERYONE = '{"type":"everyone"}'
VARIANTS = Variants("GRCh37", ("22:16050001-17000000",))
METHODS: list[Method] = [
    Frequencies(VARIANTS),
    Linear(VARIANTS, Measured("LOINC:8308-9"), (Sex(), Age(), Category("population", ("FIN", "GBR")))),
    Logistic(VARIANTS, Group('{"type":"term","id":"ICD10:I83"}', EVERYONE), (Sex(),)),
    Components(VARIANTS),
    Score("GRCh38", "PGS001229", (Weight("22", 100, "A", "G", 0.1),)),
    Survival(Measured("days"), "status", "1", (Arm("mutated", EVERYONE),)),
]


def document(method: Method) -> StudyDocument:
    return StudyDocument(1, "Height", "permit", EVERYONE, (Site("fi", ("FI-1",), "thumb"),), method)


@pytest.mark.parametrize("method", METHODS, ids=lambda each: type(each).__name__)
def test_a_document_is_read_as_it_was_written(method: Method) -> None:
    assert study.decode(study.encode(document(method))) == document(method)


def test_the_digest_is_of_the_meaning_not_of_the_spelling() -> None:
    written = msgspec.json.decode(study.encode(document(METHODS[1])))
    spelled = msgspec.json.format(msgspec.json.encode(dict(reversed(written.items()))), indent=4)
    assert study.digest(study.decode(spelled)) == study.digest(document(METHODS[1]))
    assert study.digest(document(METHODS[0])) != study.digest(document(METHODS[1]))


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"version": 2}, "version"),
        ({"sites": []}, "sites"),
        ({"least_people": 0}, "least_people"),
        ({"when_one_fails": "shrug"}, "when_one_fails"),
        ({"method": {"type": "magic"}}, "method"),
        ({"method": {"type": "frequencies", "variants": {"assembly": "hg19"}}}, "assembly"),
        ({"title": ""}, "title"),
        ({"cohort": 1}, "cohort"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], names: str) -> None:
    written = msgspec.json.decode(study.encode(document(METHODS[0]))) | change
    with pytest.raises(Invalid, match=names):
        study.decode(msgspec.json.encode(written))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"[" * 100_000, b"\xff", b'{"version":1}'])
def test_what_is_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="not a study document"):
        study.decode(content)


def test_a_document_that_is_too_large_is_not_read() -> None:
    with pytest.raises(Invalid, match="more than"):
        study.decode(b" " * (study.LARGEST_DOCUMENT_BYTES + 1))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("22", Region("GRCh38", "22", 0, 1 << 28)),
        ("X:1-1", Region("GRCh38", "X", 0, 1)),
        ("22:16,050,001-17,000,000", Region("GRCh38", "22", 16_050_000, 17_000_000)),
    ],
)
def test_regions(text: str, region: Region) -> None:
    assert study.read_region("GRCh38", text) == region


@pytest.mark.parametrize(
    "text", ["", "22:", "22:5", "22:0-5", "22:6-5", "22:1-999999999999", "22;1-2", "chr 22", "1:,-,"]
)
def test_what_is_no_region(text: str) -> None:
    with pytest.raises(Invalid, match="region"):
        study.read_region("GRCh38", text)
