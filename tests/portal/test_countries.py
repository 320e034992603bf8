# SPDX-License-Identifier: Apache-2.0
"""The tile map's countries, against the members of the EU and EEA as written out here."""

from megagenome.portal.countries import COLUMNS, PLACES, ROWS, country_name

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"


def test_the_map_has_the_eu_the_eea_switzerland_and_the_united_kingdom() -> None:
    assert sorted(PLACES) == sorted([*EU.split(), "IS", "NO", "LI", "CH", "GB"])


def test_no_two_countries_share_a_tile_and_all_are_on_the_grid() -> None:
    assert len(set(PLACES.values())) == len(PLACES)
    assert all(place.row < ROWS and place.column < COLUMNS for place in PLACES.values())


def test_places_are_about_where_the_countries_are() -> None:
    assert PLACES["FI"].row < PLACES["EE"].row < PLACES["LV"].row < PLACES["LT"].row
    assert PLACES["PT"].column < PLACES["ES"].column < PLACES["IT"].column < PLACES["GR"].column < PLACES["CY"].column


def test_names() -> None:
    assert [country_name(code) for code in ("FI", "CZ", "ZZ", "XK")] == [
        "Finland",
        "Czechia",
        "Country not recorded",
        "XK",
    ]
    assert all(country_name(code) != code for code in PLACES)
