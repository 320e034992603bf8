# SPDX-License-Identifier: Apache-2.0
"""What a harvest brings, without a network: descriptions that were read, and what came of a walk."""

import hashlib
from collections.abc import Iterable

from megagenome.catalogue.harvest.model import Kind, Outcome, Point, Read, Visited, point_id
from megagenome.catalogue.harvest.walk import Walked
from megagenome.standards.harvested import Described, Way

URL = "https://fdp.example.org"
POINT = Point(point_id(URL), URL, "Elsewhere", "PT", "", (), "command")
BEGAN = "2026-01-05T08:00:00.000000+00:00"


def at(name: str) -> str:
    return f"{URL}/dataset/{name}"


def read(name: str, described: Described | None = None, children: tuple[str, ...] = ()) -> Visited:
    """A dataset, by default with a title alone."""
    said = described or Described(title=f"Title of {name}", identifiers=(name,))
    content = Read(Kind.DATASET, at(name), children, said)
    return Visited(at(name), Outcome.READ, content, f'"{name}"', "", hashlib.sha256(str(said).encode()).hexdigest())


def way(address: str, title: str) -> Visited:
    """A way to a dataset."""
    return Visited(
        address,
        Outcome.READ,
        Read(Kind.DISTRIBUTION, address, way=Way(title)),
        digest=hashlib.sha256(title.encode()).hexdigest(),
    )


def fault(name: str, reason: str = "it answers 500") -> Visited:
    return Visited(at(name), Outcome.FAULT, reason=reason)


def same(name: str) -> Visited:
    return Visited(at(name), Outcome.SAME)


def walked(names: Iterable[str], *, is_whole: bool = True, problem: str = "", more: Iterable[str] = ()) -> Walked:
    """A walk along containers that list these datasets."""
    return Walked(frozenset([*map(at, names), *more]), is_whole, True, problem)
