# SPDX-License-Identifier: Apache-2.0
"""The attack on public numbers: whoever keeps every state that was told subtracts one from another. Slow and plain."""

from collections.abc import Iterable, Mapping
from itertools import combinations

FEW = 10

State = Mapping[str, tuple[str, str, str]]
"""Who was told, by name: each one's country, population and sex as they were told."""


def groups(state: State) -> dict[tuple[str, ...], frozenset[str]]:
    """Everything that is told of: countries, their sexes, their populations, and the sexes of these."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, (country, population, sex) in state.items():
        for key in (
            ("country", country),
            ("sex", country, sex),
            ("population", country, population),
            ("both", country, population, sex),
        ):
            found.setdefault(key, set()).add(name)
    return {key: frozenset(names) for key, names in found.items()}


def exposed(states: Iterable[State]) -> list[tuple[tuple[str, ...], frozenset[str]]]:
    """The groups of which two states, told of `FEW` people or more in both, differ by fewer; and by whom."""
    found = []
    for one, other in combinations([groups(state) for state in states], 2):
        for key in one.keys() & other.keys():
            differing = one[key] ^ other[key]
            if min(len(one[key]), len(other[key])) >= FEW and 0 < len(differing) < FEW:
                found.append((key, differing))
    return found
