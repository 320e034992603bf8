# SPDX-License-Identifier: Apache-2.0
"""What a population label of a frequency means: `Total`, `M`, `FI`, `FI_F`, or a holder's own population `FI:FIN`."""

import re
from enum import Enum
from typing import NamedTuple

from megagenome.portal.countries import country_name

_COUNTRY_LABEL = re.compile(r"([A-Z]{2})(?:_([MF]))?")
_HOLDER_LABEL = re.compile(r"([A-Z]{2}):(.+)", re.DOTALL)
SEXES = {"F": "Female", "M": "Male"}


class Group(Enum):
    """What a label divides people by; in the order in which pages show them."""

    TOTAL = "All people"
    SEX = "Sex"
    COUNTRY = "Countries"
    HOLDER = "Populations as their holders name them"
    OTHER = "Other labels"


class Label(NamedTuple):
    """A population label, read. `country` and `sex` are empty where the label names none; `name` is for people."""

    group: Group
    name: str
    country: str = ""
    sex: str = ""

    @property
    def order(self) -> tuple[int, str, str]:
        """Sorts by group, then by country and name; within a country all people first, then women, then men."""
        head = country_name(self.country) if self.group is Group.COUNTRY else self.name
        return list(Group).index(self.group), head, self.sex


def read_label(population: str) -> Label:
    """What `population` means. Never fails: a label in no known form is shown as it came."""
    if population == "Total":
        return Label(Group.TOTAL, "All people")
    if population in SEXES:
        return Label(Group.SEX, SEXES[population], sex=population)
    if match := _COUNTRY_LABEL.fullmatch(population):
        country, sex = match[1], match[2] or ""
        return Label(Group.COUNTRY, SEXES[sex] if sex else country_name(country), country, sex)
    if match := _HOLDER_LABEL.fullmatch(population):
        return Label(Group.HOLDER, f"{match[2]}, {country_name(match[1])}", match[1])
    return Label(Group.OTHER, population)
