# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, parse_country, parse_curie, parse_dataset_id


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_dataset_id, "GDI-FI-COHORT-001"),
        (parse_dataset_id, "a"),
        (parse_dataset_id, "1kg_phase3.v5"),
        (parse_dataset_id, "x" * 100),
        (parse_curie, "HP:0001250"),
        (parse_curie, "ICD10:G40.9"),
        (parse_curie, "Orphanet:98896"),
        (parse_curie, "OMIM.PS:123/4"),
        (parse_country, "EE"),
        (parse_country, UNKNOWN_COUNTRY),
    ],
)
def test_good_id_comes_back_as_it_is(parse: Callable[[str], str], text: str) -> None:
    assert parse(text) == text


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_dataset_id, ""),
        (parse_dataset_id, "x" * 101),
        (parse_dataset_id, ".."),
        (parse_dataset_id, "-x"),
        (parse_dataset_id, "a/b"),
        (parse_dataset_id, "a b"),
        (parse_dataset_id, "a\n"),
        (parse_dataset_id, "é"),
        (parse_curie, "HP0001250"),
        (parse_curie, ":1"),
        (parse_curie, "HP:"),
        (parse_curie, "HP:0001250\n"),
        (parse_curie, "!HP:0001250"),
        (parse_curie, "HP:0001250;HP:1"),
        (parse_country, "ee"),
        (parse_country, "UK"),
        (parse_country, "EL"),
        (parse_country, "EST"),
        (parse_country, ""),
        (parse_country, "EE\n"),
        (parse_country, "É1"),
    ],
)
def test_bad_id_is_refused_in_one_short_line(parse: Callable[[str], str], text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


@given(st.text(max_size=110))
def test_whatever_passes_as_dataset_id_survives_urls_and_file_systems(text: str) -> None:
    try:
        parse_dataset_id(text)
    except Invalid:
        return
    assert quote(text, safe="") == text
    assert text not in {"", ".", ".."}
    assert "/" not in text
