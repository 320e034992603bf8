# SPDX-License-Identifier: Apache-2.0
"""Names of countries (ISO 3166-1, short English names) and the place of each on the tile map of Europe."""

from typing import NamedTuple

from megagenome.kernel.ids import UNKNOWN_COUNTRY


class Place(NamedTuple):
    """A tile of the map, counted from 0 at the top left."""

    row: int
    column: int


# The 27 members of the EU, the other EEA states, Switzerland and the United Kingdom. Each country keeps its neighbours
# as far as a square grid allows; areas are equal because the map shows frequencies, not land.
_GRID = """
IS .  .  .  .  .  FI .  .
.  .  .  .  NO SE EE .  .
.  .  .  .  .  .  LV .  .
IE GB .  NL DK PL LT .  .
.  .  BE LU DE CZ SK .  .
.  .  FR CH LI AT HU RO .
PT ES .  IT .  SI HR BG .
.  .  .  MT .  .  .  GR CY
"""
_CELLS = [line.split() for line in _GRID.strip().splitlines()]
ROWS, COLUMNS = len(_CELLS), len(_CELLS[0])

PLACES = {
    code: Place(row, column) for row, codes in enumerate(_CELLS) for column, code in enumerate(codes) if code != "."
}
"""Where each country of the map is."""

_NAMES = {
    "AD": "Andorra", "AL": "Albania", "AM": "Armenia", "AT": "Austria", "AZ": "Azerbaijan",
    "BA": "Bosnia and Herzegovina", "BE": "Belgium", "BG": "Bulgaria", "CH": "Switzerland", "CY": "Cyprus",
    "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland",
    "FO": "Faroe Islands", "FR": "France", "GB": "United Kingdom", "GE": "Georgia", "GL": "Greenland", "GR": "Greece",
    "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IL": "Israel", "IS": "Iceland", "IT": "Italy",
    "LI": "Liechtenstein", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MC": "Monaco", "MD": "Moldova",
    "ME": "Montenegro", "MK": "North Macedonia", "MT": "Malta", "NL": "Netherlands", "NO": "Norway", "PL": "Poland",
    "PT": "Portugal", "RO": "Romania", "RS": "Serbia", "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia",
    "SM": "San Marino", "TR": "Türkiye", "UA": "Ukraine", UNKNOWN_COUNTRY: "Country not recorded",
}  # fmt: skip


def country_name(code: str) -> str:
    """The name of a country; the code itself where this table has none."""
    return _NAMES.get(code, code)
