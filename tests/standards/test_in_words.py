# SPDX-License-Identifier: Apache-2.0
"""Whoever misspells a study document reads where, what stands there and what may."""

from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards import study
from megagenome.standards.in_words import in_words

LINEAR: dict[str, Any] = {
    "type": "linear",
    "variants": {"assembly": "GRCh38"},
    "trait": {"type": "measured", "term": "height"},
}
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "title": "T",
    "permit": "P",
    "cohort": '{"type":"everyone"}',
    "sites": [{"node": "node.a", "datasets": ["A"], "key": "k"}],
    "method": LINEAR,
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"leastsites": 2}, "the document has no field leastsites: its fields are version, title, permit"),
        ({"title": ""}, "title must have at least 1 letter"),
        ({"cohort": {}}, "cohort: write text in quotes, not an object {...}"),
        ({"least_people": 0}, "least_people must be at least 1"),
        ({"least_people": 1.5}, "least_people: write a whole number, not a number"),
        ({"when_one_fails": "go"}, "when_one_fails: 'go' is none of go on, stop"),
        ({"sites": []}, "sites must have at least 1 entry"),
        ({"sites": [{"node": "a", "datasets": []}]}, r"sites\[0\].datasets must have at least 1 entry"),
        ({"method": {**LINEAR, "type": "lineal"}}, "method.type: 'lineal' is none of frequencies, linear, logistic,"),
        ({"method": {**LINEAR, "covariate": []}}, "method has no field covariate: its fields are variants, trait, cov"),
        ({"method": {"type": "linear", "trait": {"type": "age"}}}, "method lacks variants"),
        (
            {"method": {**LINEAR, "variants": {"assembly": "hg38"}}},
            "method.variants.assembly: 'hg38' is none of GRCh37, GRCh38$",
        ),
        (
            {"method": {**LINEAR, "variants": {"assembly": "GRCh38", "least_frequency": 0.7}}},
            "method.variants.least_frequency must be at most 0.5$",
        ),
        (
            {"method": {**LINEAR, "covariates": [{"type": "age"}, "sex"]}},
            r"method.covariates\[1\]: write an object {...}, not text in quotes",
        ),
        (
            {"method": {**LINEAR, "covariates": [{"type": "category", "of": "x", "levels": ["a"]}]}},
            r"method.covariates\[0\].levels must have at least 2 entries",
        ),
    ],
)
def test_it_says_where_and_what_may_stand_there(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=f"^not a study document: {says}"):
        study.decode(msgspec.json.encode(DOCUMENT | change))


def test_what_it_has_no_words_for_is_said_in_msgspecs() -> None:
    error = msgspec.ValidationError("Something new - at `$.title`")
    assert in_words(error, b"{}", study.StudyDocument) == "title: Something new"
