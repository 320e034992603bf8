# SPDX-License-Identifier: Apache-2.0
"""What the pages of a catalogue show, for whoever renders them, and what stewards read and send of records. No outside
standard."""

import msgspec

from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_record import DatasetRecord, Problem, RecordVersion

STEWARD_PATH = "/metadata"
"""Where a node serves stewards their records."""

UNPUBLISHED = {"cache-control": "no-store, private", "x-robots-tag": "noindex"}
"""Headers of what nobody but stewards may see: nothing keeps it, and nothing lists it."""


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


class Answers(msgspec.Struct, frozen=True):
    """What would be told of a dataset, and what would leave. Exact, so for data stewards alone.

    floor                      no smaller count is told
    alleles_tier, people_tier  who is told: public, registered or controlled
    people                     who would be in the public numbers; and whether their number is told
    alleles, alleles_held_back how many have a frequency that is told, and how many have none; None where nobody is told
    terms, terms_held_back     by how many terms people can be filtered, and how many too few people have; likewise
    files, files_kept          how many would leave (to everybody if the data are open, else by permit), and how many
                               would not
    """

    floor: int
    alleles_tier: str
    people_tier: str
    people: int
    people_told: bool
    alleles: int | None
    alleles_held_back: int | None
    terms: int | None
    terms_held_back: int | None
    files: int
    files_kept: int


class PublicPreview(msgspec.Struct, frozen=True):
    """A dataset as everybody would see it if it were published now with the record that was saved last.

    page      its page in the catalogue, whose downloads lead to the description as it would be
    state     the state that it is in
    is_draft  the record is a draft, and would have to be recorded first
    missing   what would have to be stated first
    answers   None while it is being counted
    """

    page: DatasetPage
    state: str
    is_draft: bool
    missing: tuple[Problem, ...]
    answers: Answers | None


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
