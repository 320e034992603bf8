# SPDX-License-Identifier: Apache-2.0
"""The map as XML: which tile says what, and where it is."""

from xml.etree import ElementTree as ET

from megagenome.portal.countries import PLACES
from megagenome.portal.scale import Steps
from megagenome.portal.tile_map import COLOURS, Tile, TileState, colour_of, map_steps, off_the_map, tile_map
from tests.portal.document import parse_svg
from tests.portal.fake_hub import EVIL

TILES = {
    "FI": Tile(TileState.TOLD, "Finland: 2.3 %", 0.023),
    "ES": Tile(TileState.TOLD, "Spain: 0.43 %", 0.0043),
    "EE": Tile(TileState.WITHHELD, "Estonia: withheld"),
    "SE": Tile(TileState.SILENT, "Sweden: no answer"),
    "MT": Tile(TileState.NONE, "Malta: none"),
    "NO": Tile(TileState.MEMBER, "Norway: takes part"),
    "US": Tile(TileState.WITHHELD, "US: withheld"),
}


def draw() -> dict[str, ET.Element]:
    """The tiles by country code."""
    text = str(tile_map(TILES, map_steps(TILES), "m", "Title", "Words"))
    found = {}
    for group in parse_svg(text).iter("g"):
        code = next(t.text for t in group.iter("text") if t.get("class") == "code")
        found[code or ""] = group
    return found


def value(tile: ET.Element) -> str | None:
    return next(t.text for t in tile.iter("text") if t.get("class") == "value")


def test_every_country_of_the_map_has_a_tile_and_no_other() -> None:
    assert draw().keys() == PLACES.keys()


def test_each_state_looks_and_reads_apart() -> None:
    tiles = draw()
    assert [(tiles[code].get("class"), value(tiles[code])) for code in ("FI", "ES", "EE", "SE", "MT", "NO", "FR")] == [
        ("tile told step-4", "2.3"),
        ("tile told step-0", "0.43"),
        ("tile withheld", None),
        ("tile silent", "?"),
        ("tile none", "0"),
        ("tile member", None),
        ("tile outside", None),
    ]
    hatched = [code for code, tile in tiles.items() if tile.find("rect").get("fill") == "url(#m-hatch)"]
    assert hatched == ["EE"]


def test_tooltips_say_what_the_tile_says_and_countries_without_a_node_have_none() -> None:
    notes = {code: title.text for code, tile in draw().items() if (title := tile.find("title")) is not None}
    assert notes == {code: tile.note for code, tile in TILES.items() if code != "US"}


def test_tiles_stand_on_the_grid() -> None:
    tiles = draw()
    x, y = (float(part) for part in tiles["FI"].get("transform", "")[len("translate(") : -1].split())
    assert (x / 44, y / 44) == (PLACES["FI"].column, PLACES["FI"].row)
    assert len({tile.get("transform") for tile in tiles.values()}) == len(PLACES)


def test_countries_without_a_place_are_named() -> None:
    assert off_the_map(TILES) == ["US"]


def test_classes_spread_over_all_colours() -> None:
    assert [colour_of(i, Steps((0, 1, 2, 3, 4, 5))) for i in range(5)] == list(range(COLOURS))
    assert [colour_of(i, Steps((0, 1, 2, 3))) for i in range(3)] == [0, 2, 4]
    assert colour_of(0, Steps((0, 1))) == COLOURS - 1


def test_texts_are_escaped() -> None:
    text = tile_map({"FI": Tile(TileState.WITHHELD, EVIL)}, Steps(()), "m", EVIL, EVIL)
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") == 3
