# SPDX-License-Identifier: Apache-2.0
"""Datasets that a hub harvested from catalogues, as its API tells of them at `/api/datasets`. No outside standard;
what is harvested is DCAT (https://www.w3.org/TR/vocab-dcat-3/), in whatever profile.

All texts but ids, times and reasons are foreign: nobody checked that they are true, and links may lead anywhere.
"""

import msgspec

from megagenome.standards.dataset_record import Party

PATH = "/api/datasets"
FACETS = ("country", "category", "access", "use", "source")
"""What a list can be narrowed by, in the order in which it is shown; several values of one are alternatives."""


class Labelled(msgspec.Struct, frozen=True):
    """A value for programs, and what people read."""

    value: str
    label: str


class Way(msgspec.Struct, frozen=True, omit_defaults=True):
    """A distribution or service: what it is called, and where it is."""

    title: str = ""
    description: str = ""
    address: str = ""
    media_type: str = ""


class Described(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a description says, as far as it was understood; empty is what it does not say.

    language     of title and description, as stated (BCP 47)
    access       PUBLIC, RESTRICTED or NON_PUBLIC
    categories   health categories, then themes
    uses         terms of use: DUO ids where there are, with words
    terms        what it says of its terms of use in its own words
    people       how many are in it, as its source tells; None where it tells none
    landing      its own page
    """

    title: str = ""
    description: str = ""
    language: str = ""
    identifiers: tuple[str, ...] = ()
    publisher: Party = Party()
    creator: Party = Party()
    contact: Party = Party()
    hdab: Party = Party()
    custodian: Party = Party()
    access: str = ""
    categories: tuple[Labelled, ...] = ()
    keywords: tuple[str, ...] = ()
    uses: tuple[Labelled, ...] = ()
    terms: tuple[str, ...] = ()
    provenance: str = ""
    legal_bases: tuple[str, ...] = ()
    population: str = ""
    conforms_to: tuple[str, ...] = ()
    people: int | None = None
    records: int | None = None
    version: str = ""
    issued: str = ""
    modified: str = ""
    is_synthetic: bool = False
    landing: str = ""
    references: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """A catalogue that the hub harvests.

    node       the node of this network that serves it; empty of a foreign one
    tried      when it was asked last, succeeded: when it last answered as a whole (ISO 8601; empty for never)
    problem    why it did not, or what could not be read of it
    datasets   how many it lists now
    """

    id: str
    name: str
    url: str
    country: str
    node: str
    tried: str
    succeeded: str
    problem: str
    datasets: int


class DatasetLine(msgspec.Struct, frozen=True):
    """A dataset in a list."""

    id: str
    title: str
    summary: str
    language: str
    identifier: str
    access: str
    uses: tuple[Labelled, ...]
    people: int | None
    country: str
    source: str
    is_of_node: bool
    gone: str


class FacetValue(msgspec.Struct, frozen=True):
    """A value to narrow by. `count` is of the datasets that fit the text and what was chosen of all other facets."""

    value: str
    label: str
    count: int
    is_chosen: bool


class Facet(msgspec.Struct, frozen=True):
    """The values of a facet, the most frequent first."""

    name: str
    values: tuple[FacetValue, ...]


class DatasetList(msgspec.Struct, frozen=True):
    """A part of the datasets that fit, from the one numbered `skip` on; `total` is how many fit, `known` how many there
    are in all."""

    total: int
    known: int
    skip: int
    datasets: tuple[DatasetLine, ...]
    facets: tuple[Facet, ...]
    sources: tuple[Source, ...]


class DatasetView(msgspec.Struct, frozen=True):
    """One dataset.

    address     its own, at its source, which names it
    local       its id at the node of this network that has it; empty of a foreign one
    first_seen  when the hub first saw it
    changed     when what it says changed last
    seen        when its source last said so
    problem     why what its source says now could not be taken; then this is what it said at `seen`
    gone        since when its source tells of it no more; then nothing is told here but what it was called
    """

    id: str
    title: str
    address: str
    local: str
    source: Source
    described: Described
    first_seen: str
    changed: str
    seen: str
    problem: str
    gone: str
