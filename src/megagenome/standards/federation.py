# SPDX-License-Identifier: Apache-2.0
"""The hub's own JSON API, version 1: what the portal, `megagenome ask` and notebooks read. No outside standard.

    GET /api/nodes                                                  -> NodeList
    GET /api/variant?q=22-16050075-A-G&assembly=GRCh37              -> VariantAnswer
    GET /api/region?q=22:16050000-16060000|BRCA2&assembly=&skip=0   -> RegionAnswer
    GET /api/cohort?q=sex=female phenotype=HP:0001250               -> CohortAnswer
    GET /resolve?q=TEXT&assembly=                                   -> Resolved
    GET /api/terms?q=seiz                                           -> TermList

Errors are RFC 9457 problems (`standards.problem`). Positions in texts are 1-based, `start` and `end` 0-based half-open.
Nothing here is finer than what each node told the public.
"""

from enum import StrEnum

import msgspec


class NodeStatus(StrEnum):
    """How a node took part in one question."""

    ANSWERED = "answered"  # it told at least one number
    WITHHELD = "withheld"  # it answered; what it has, if anything, it may not tell
    LATE = "late"  # no whole answer before the deadline
    UNREACHABLE = "unreachable"  # no connection, or it broke
    REFUSED = "refused"  # it said no: 4xx; the message is its own
    FAULTY = "faulty"  # 5xx, or an answer that is not what it must be


class Resolved(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a text names. `kind` is `allele`, `region` or `gene`; on failure the route answers 400 and says why."""

    kind: str
    text: str  # the canonical text, such as 22-16050075-A-G or 22:16050001-16060000
    assembly: str
    contig: str
    start: int
    end: int
    ref: str = ""
    alt: str = ""
    gene: str = ""
    label: str = ""


class Frequency(msgspec.Struct, frozen=True):
    """Sums of told cells under one label. `homozygous`, `heterozygous`, `hemizygous` are all told or all None.

    population  `Total`, `M`, `F`, `FI`, `FI_M`, `FI_F` (ISO 3166 and sex), or a holder's population as `FI:FIN`
    """

    population: str
    allele_count: int
    allele_number: int
    allele_frequency: float
    low: float  # 95 % Wilson interval of the frequency
    high: float
    homozygous: int | None = None
    heterozygous: int | None = None
    hemizygous: int | None = None


class NodeAnswer(msgspec.Struct, frozen=True):
    """One node's part in an answer. `frequencies` for variants, `count` for cohorts and regions."""

    id: str
    name: str
    country: str
    url: str
    status: NodeStatus
    elapsed_ms: float
    message: str = ""
    frequencies: tuple[Frequency, ...] = ()
    count: int | None = None
    floor: int | None = None  # counts below this are withheld by the node; None when it did not say
    datasets: tuple["DatasetAnswer", ...] = ()


class DatasetAnswer(msgspec.Struct, frozen=True):
    """One dataset's part in a node's answer, as told."""

    id: str
    told: bool
    count: int = 0
    frequencies: tuple[Frequency, ...] = ()


class VariantAnswer(msgspec.Struct, frozen=True):
    """One allele over the network. `frequencies` are sums over the nodes that answered, people of a node once each."""

    query: Resolved
    exists: bool
    frequencies: tuple[Frequency, ...]
    nodes: tuple[NodeAnswer, ...]


class VariantRow(msgspec.Struct, frozen=True):
    """One allele of a region with its network-wide sums."""

    text: str
    start: int
    end: int
    ref: str
    alt: str
    nodes: int  # nodes that told it
    frequencies: tuple[Frequency, ...]


class RegionAnswer(msgspec.Struct, frozen=True):
    """Alleles told in a region or gene, by position. `total` counts distinct alleles on the pages that nodes gave;
    `complete` is False when a node has more than it gave or gave no answer, so that `total` is a lower bound."""

    query: Resolved
    total: int
    complete: bool
    skip: int
    limit: int
    rows: tuple[VariantRow, ...]
    nodes: tuple[NodeAnswer, ...]


class CohortAnswer(msgspec.Struct, frozen=True):
    """People who match, summed over nodes' told counts."""

    query: str  # canonical text of the question
    exists: bool
    count: int
    nodes: tuple[NodeAnswer, ...]
    cohort: str = ""  # its id, the digest of its definition; empty where the hub defines none
    definition: str = ""  # canonical, as JSON text


class CohortDefined(msgspec.Struct, frozen=True):
    """The cohort of a question, as `CohortAnswer` has it, of which no node was asked."""

    cohort: str
    definition: str


class NodeState(msgspec.Struct, frozen=True):
    """A node of the network as the hub last saw it."""

    id: str
    name: str
    country: str
    url: str
    status: NodeStatus
    elapsed_ms: float
    message: str = ""
    version: str = ""
    datasets: tuple["DatasetState", ...] = ()


class DatasetState(msgspec.Struct, frozen=True):
    """A published dataset of a node, as its Beacon lists it.

    people_tier  who is told counts of its people: `public`, `registered`, `controlled`; empty where its node says none
    """

    id: str
    name: str
    description: str = ""
    open: bool = False
    people_tier: str = ""


class NodeList(msgspec.Struct, frozen=True):
    """All nodes of the network."""

    nodes: tuple[NodeState, ...]


class Term(msgspec.Struct, frozen=True):
    """A term that somebody in the network is described with, for choosing in a form."""

    id: str
    label: str
    kind: str


class TermList(msgspec.Struct, frozen=True):
    """Terms that match, best first."""

    terms: tuple[Term, ...]
