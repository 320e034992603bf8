# SPDX-License-Identifier: Apache-2.0
"""Population labels, as Genome of Europe and holders write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.portal.populations import Group, Label, read_label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Total", Label(Group.TOTAL, "All people")),
        ("M", Label(Group.SEX, "Male", sex="M")),
        ("FI", Label(Group.COUNTRY, "Finland", "FI")),
        ("FI_F", Label(Group.COUNTRY, "Female", "FI", "F")),
        ("XK", Label(Group.COUNTRY, "XK", "XK")),
        ("ZZ", Label(Group.COUNTRY, "Country not recorded", "ZZ")),
        ("FI:FIN", Label(Group.HOLDER, "FIN, Finland", "FI")),
        ("FI:a:b", Label(Group.HOLDER, "a:b, Finland", "FI")),
        ("FI_X", Label(Group.OTHER, "FI_X")),
        ("", Label(Group.OTHER, "")),
    ],
)
def test_labels_are_read(text: str, label: Label) -> None:
    assert read_label(text) == label


@given(st.text(max_size=20))
def test_no_label_is_refused_or_lost(text: str) -> None:
    label = read_label(text)
    assert label.group is not Group.OTHER or label.name == text


def test_order_is_total_sexes_countries_by_name_each_with_its_sexes_then_others() -> None:
    texts = ["GB:GBR", "M", "ES", "GB_F", "other", "FI_M", "Total", "GB", "FI", "FI_F", "F"]
    ordered = sorted(texts, key=lambda text: read_label(text).order)
    assert ordered == ["Total", "F", "M", "FI", "FI_F", "FI_M", "ES", "GB", "GB_F", "GB:GBR", "other"]
