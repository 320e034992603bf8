# SPDX-License-Identifier: Apache-2.0
"""What the pages of a catalogue show, for whoever renders them, and what stewards read and send of records. No outside
standard."""

import msgspec

from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_record import DatasetRecord, Problem, RecordVersion

STEWARD_PATH = "/metadata"
"""Where a node serves stewards their records."""


class Download(msgspec.Struct, frozen=True):
    """A form of the same description: what it is called, and its address on this server."""

    label: str
    address: str


class Way(msgspec.Struct, frozen=True):
    """A way to a dataset: what it is called, and its address."""

    title: str
    address: str


class DatasetPage(msgspec.Struct, frozen=True):
    """One dataset, for people.

    record      its record, with what the node says of itself where nothing is stated
    words       what it may be used for, in plain words, each with its term
    legal_basis in words
    people      how many are in it; None where everybody may not be told
    needs       what the numbers about it need, in words
    issued      when it was published; changed: when this was changed last
    schema_org  the same as schema.org's Dataset
    """

    id: DatasetId
    address: str
    record: DatasetRecord
    is_open: bool
    words: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]
    legal_basis: str
    people: int | None
    needs: str
    assemblies: tuple[str, ...]
    issued: str
    changed: str
    ways: tuple[Way, ...]
    downloads: tuple[Download, ...]
    schema_org: dict[str, object]


class CataloguePage(msgspec.Struct, frozen=True):
    """All datasets of a node, for people; `is_point` is True at the root of the FAIR Data Point."""

    title: str
    node: str
    country: str
    address: str
    is_point: bool
    datasets: tuple[DatasetPage, ...]
    downloads: tuple[Download, ...]
    schema_org: dict[str, object]


class WithdrawnPage(msgspec.Struct, frozen=True):
    """What is told of a dataset that was published and is no more."""

    id: str
    identifier: str
    changed: str


class StewardLine(msgspec.Struct, frozen=True):
    """A dataset in a steward's list. `missing` is how many fields must still be stated before it can be published."""

    id: str
    title: str
    state: str
    is_open: bool
    version: int
    has_draft: bool
    missing: int


class StewardView(msgspec.Struct, frozen=True):
    """A dataset's record for its steward: what is served, what was saved last (perhaps a draft), and all before."""

    id: str
    title: str
    state: str
    is_open: bool
    record: DatasetRecord
    problems: tuple[Problem, ...]
    history: tuple[RecordVersion, ...]


class ToWrite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record as a steward sends it; a draft may be incomplete."""

    record: DatasetRecord
    draft: bool = False


class Written(msgspec.Struct, frozen=True):
    """What became of it: its version, or (0) what stands against it, by field."""

    version: int
    problems: tuple[Problem, ...] = ()


class ToMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a steward moves a dataset: `published` or `withdrawn`."""

    to: str
