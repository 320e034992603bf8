# SPDX-License-Identifier: Apache-2.0
"""The map of components: each cell in its place, and an empty ground that is hatched where cells are withheld."""

from xml.etree import ElementTree as ET

from megagenome.portal.component_map import Cell, component_map, map_classes
from tests.portal.document import parse_svg

CELLS = [Cell(-4.0, -4.0, 12), Cell(0.0, 0.0, 80), Cell(3.8, 3.8, 10)]


def drawn(*, some_withheld: bool = False) -> ET.Element:
    return parse_svg(component_map(CELLS, map_classes(CELLS), "m", "Title", "Words", some_withheld=some_withheld))


def places(root: ET.Element) -> list[tuple[float, float]]:
    cells = [each for each in root.iter("rect") if (each.get("class") or "").startswith("cell")]
    return [(float(each.get("x", "")), float(each.get("y", ""))) for each in cells]


def test_cells_are_in_their_places_with_the_second_component_upwards() -> None:
    # the field is 400 wide and high, from 40 and 8; a cell is 10
    assert places(drawn()) == [(40, 398), (240, 198), (430, 8)]


def test_more_people_are_stronger_and_each_cell_says_how_many() -> None:
    cells = [each for each in drawn().iter("rect") if (each.get("class") or "").startswith("cell")]
    colours = [(each.get("class") or "")[-1] for each in cells]
    assert max(colours) == colours[1]
    assert [each.findtext("title") for each in cells] == ["12\u00a0people", "80\u00a0people", "10\u00a0people"]


def test_where_cells_are_withheld_the_ground_is_hatched_because_nobody_can_tell_them_from_empty_ones() -> None:
    ground = [each.get("fill") for each in drawn(some_withheld=True).iter("rect") if each.get("class") == "ground"]
    assert ground == ["url(#m-hatch)"]
    assert [each.get("fill") for each in drawn().iter("rect") if each.get("class") == "ground"] == [None]
