# SPDX-License-Identifier: Apache-2.0
"""The frozen types of harvesting: a catalogue, what is known of its descriptions, what one was read to say."""

import hashlib
from enum import StrEnum
from typing import NamedTuple

import msgspec

from megagenome.standards.harvested import Described, Way

Statement = tuple[str, str, str, str, str, bool]
"""Subject, property, object, language, datatype, and whether the object is an address."""


class Kind(StrEnum):
    """What a description is of."""

    CONTAINER = "container"
    """A FAIR Data Point, a catalogue, or whatever else leads further."""
    DATASET = "dataset"
    DISTRIBUTION = "distribution"
    """A way to a dataset: a distribution, or a data service."""


class Point(NamedTuple):
    """A catalogue to harvest.

    id       made of what it is, by `point_id`
    node     the node of this network that serves it; empty of a foreign one
    hosts    other hosts that it may lead to
    by       who named it: `node`, `settings`, `command`
    """

    id: str
    url: str
    name: str
    country: str
    node: str
    hosts: tuple[str, ...]
    by: str


class Read(msgspec.Struct, frozen=True):
    """What one description says of `subject`, its address or what it calls itself. `children` are what its containers
    list; of a dataset there is `described`, of a distribution `way`; `statements` are all that is told further, without
    containers."""

    kind: Kind
    subject: str = ""
    children: tuple[str, ...] = ()
    described: Described | None = None
    way: Way | None = None
    statements: tuple[Statement, ...] = ()


class Known(NamedTuple):
    """What is kept of an address: by what its server knows that it is unchanged (`tag`, `modified`), by what we do
    (`digest` of its bytes), where it led, and how much is kept of it."""

    kind: Kind
    tag: str
    modified: str
    digest: str
    children: tuple[str, ...]
    size_bytes: int


class Outcome(StrEnum):
    """What came of asking for a description."""

    SAME = "same"
    READ = "read"
    GONE = "gone"
    """Its server says that it was there and is no more."""
    FAULT = "fault"
    """It could not be had or read: what was read before holds."""


class Visited(NamedTuple):
    """A description that was asked for. `read` is there exactly when it was READ; `reason` says what a FAULT was."""

    address: str
    outcome: Outcome
    read: Read | None = None
    tag: str = ""
    modified: str = ""
    digest: str = ""
    reason: str = ""


def point_id(url: str, node: str = "") -> str:
    """The id of a catalogue: a node's stays when the node moves."""
    return _digest(f"node {node}" if node else f"url {url}")


def dataset_id(point: Point, address: str) -> str:
    """The id at the hub of a dataset: of what it is called below its catalogue, so that it stays when that moves."""
    return _digest(f"{point.id} {address.removeprefix(point.url)}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
