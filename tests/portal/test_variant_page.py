# SPDX-License-Identifier: Apache-2.0
"""The variant page: the numbers that were told, in the right rows, and nothing of what was not told."""

import re

import msgspec
import pytest

from megagenome.portal.numbers import NARROW, NO_BREAK
from megagenome.portal.tile_map import TileState
from megagenome.portal.variant_page import country_tiles, variant_page
from megagenome.standards.federation import NodeStatus, VariantAnswer
from tests.portal import fake_hub
from tests.portal.document import Document


def plain(page: str) -> str:
    """The text of the page with common blanks."""
    return " ".join(Document(page).text.replace(NARROW, " ").replace(NO_BREAK, " ").split())


def cells(row: str) -> list[str]:
    """The texts of a table row's cells."""
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]


def test_the_total_is_first_and_exact() -> None:
    text = plain(variant_page(fake_hub.ordinary()))
    # 412 + 1204 + 96 + 61 of 18204 + 91022 + 22148 + 30010
    assert "Allele frequency 0.011 1.1 %, 95 % interval 1.05–1.15 %" in text
    assert "Alleles counted 1,773 of 161,384 called" in text
    assert "Chromosome 22, position 16,050,075: A replaced by G" in text


def test_rows_of_the_table_are_the_told_cells() -> None:
    page = variant_page(fake_hub.ordinary())
    table = page[page.index('id="frequencies"') : page.index("Download these numbers")]
    rows = [cells(row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]
    assert [row[0] for row in rows[1:]] == [
        "All people", "Female", "Male",
        "Countries", "Finland", "Female, Finland", "Male, Finland", "Italy", "Spain", "United Kingdom",
        "Female, United Kingdom", "Male, United Kingdom",
        "Populations as their holders name them", "FIN, Finland", "GBR, United Kingdom",
    ]  # fmt: skip
    spain = next(row for row in rows if row[0] == "Spain")
    assert [cell.replace(NARROW, " ") for cell in spain[1:6]] == ["0.0043", "0.43 %", "0.36–0.53 %", "96", "22,148"]
    assert spain[6:] == ["–not told", "–not told"]
    assert rows[1][6:] == ["88", "1,597"]


def test_states_of_countries() -> None:
    tiles = country_tiles(fake_hub.ordinary())
    assert {code: tile.state for code, tile in tiles.items()} == {
        "FI": TileState.TOLD,
        "GB": TileState.TOLD,
        "ES": TileState.TOLD,
        "IT": TileState.TOLD,
        "EE": TileState.WITHHELD,
        "MT": TileState.NONE,
        "SE": TileState.SILENT,
        "DE": TileState.SILENT,
    }
    assert tiles["ES"].note == f"Spain: 0.43{NARROW}% (0.36–0.53{NARROW}%), 96 of 22,148 alleles"


def test_what_one_node_of_a_country_withholds_another_cannot_deny() -> None:
    nodes = [fake_hub.node("FI"), fake_hub.node("FI", NodeStatus.WITHHELD), fake_hub.node("FI", NodeStatus.LATE)]
    for order in (nodes, nodes[::-1]):
        tiles = country_tiles(VariantAnswer(fake_hub.ALLELE, False, (), tuple(order)))
        assert tiles["FI"].state is TileState.WITHHELD


def test_absent_and_rare_give_the_same_page() -> None:
    absent = fake_hub.untold()
    rare = msgspec.structs.replace(absent, query=msgspec.structs.replace(absent.query, text="22-16050075-A-T", alt="T"))
    pages = [variant_page(answer) for answer in (absent, rare)]
    assert pages[0] == pages[1].replace("A-T", "A-G").replace("replaced by T", "replaced by G")
    text = plain(pages[0])
    assert "Nothing is told about this variant." in text
    assert "nobody can tell which it is" in text
    assert text.count("Either fewer than 10 or none at all: nobody can tell which.") == 4


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("nobody", "No node takes part in this network yet"),
        ("open", "Nobody carries this variant in the data of the nodes that answered."),
        ("exists", "told to exist, without a frequency over all people"),
        ("one", "30 of 400 called"),
    ],
)
def test_answers_without_a_total_say_why(answer: str, says: str) -> None:
    page = variant_page(fake_hub.VARIANTS[answer]())
    Document(page).check()
    assert says in plain(page)


def test_no_answer_at_all_is_not_called_withheld() -> None:
    answer = VariantAnswer(fake_hub.ALLELE, False, (), (fake_hub.node("FI", NodeStatus.LATE),))
    text = plain(variant_page(answer))
    assert "No node gave an answer, so nothing is known about this variant now." in text
    assert "Either nobody" not in text
    assert "Its people are in none of these numbers: Genome node Finland (too late)." in text


def test_many_countries_over_five_decades() -> None:
    answer = fake_hub.everywhere()
    page = variant_page(answer)
    Document(page).check()
    text = plain(page)
    assert "on a logarithmic axis" in page
    assert "Not on the map: US: " in text
    assert page.count('class="interval"') == 1 + 2 + len(answer.nodes)


def test_hostile_text_stays_text() -> None:
    document = Document(variant_page(fake_hub.evil()))
    document.check()
    assert [a["src"].split("?")[0] for a in document.all("script")] == ["/static/portal.js"]
    assert "<script>window.hacked=1</script>" in document.text
    assert "{{7*7}}" in document.text
