# SPDX-License-Identifier: Apache-2.0
"""Answers as CSV, for downloads: exact numbers."""

from collections.abc import Iterable, Iterator, Sequence

from megagenome.portal.populations import read_label
from megagenome.standards.csv_rows import Cell, to_csv
from megagenome.standards.federation import (
    CohortAnswer,
    Frequency,
    NodeAnswer,
    NodeList,
    RegionAnswer,
    VariantAnswer,
)

_COUNTS = ("allele_count", "allele_number", "allele_frequency", "low_95", "high_95")
_GENOTYPES = ("homozygous", "heterozygous", "hemizygous")


def frequencies_csv(answer: VariantAnswer) -> str:
    """One row per label: the network's sums first (`node` is empty), then each node's own numbers."""
    header = ("variant", "assembly", "node", "population", "country", "sex", *_COUNTS, *_GENOTYPES)

    def rows() -> Iterator[Sequence[Cell]]:
        sources = [("", answer.frequencies), *((node.id, node.frequencies) for node in answer.nodes)]
        for node_id, frequencies in sources:
            for cell in frequencies:
                label = read_label(cell.population)
                place = (answer.query.text, answer.query.assembly, node_id, cell.population, label.country, label.sex)
                genotypes = (cell.homozygous, cell.heterozygous, cell.hemizygous)
                yield (*place, *_counts(cell), *genotypes)

    return to_csv(header, rows())


def nodes_csv(answer: VariantAnswer | CohortAnswer | RegionAnswer) -> str:
    """One row per node: how it took part, and the count that it told, where it told one."""
    question = answer.query if isinstance(answer.query, str) else answer.query.text
    header = ("question", "node", "name", "country", "status", "count", "floor", "elapsed_ms", "message")
    return to_csv(header, ((question, *_taking_part(node)) for node in answer.nodes))


def variants_csv(answer: RegionAnswer) -> str:
    """One row per allele of this page of the answer, with the sums over all people."""
    header = ("variant", "assembly", "contig", "pos1", "ref", "alt", "nodes", *_COUNTS)
    place = (answer.query.assembly, answer.query.contig)
    return to_csv(
        header,
        (
            (row.text, *place, row.start + 1, row.ref, row.alt, row.nodes, *_counts(total_of(row.frequencies)))
            for row in answer.rows
        ),
    )


def network_csv(answer: NodeList) -> str:
    """One row per node and dataset; a node without datasets has one row."""
    header = ("node", "name", "country", "url", "status", "version", "dataset", "dataset_name", "open")

    def rows() -> Iterator[Sequence[Cell]]:
        for node in answer.nodes:
            own = (node.id, node.name, node.country, node.url, node.status.value, node.version)
            if not node.datasets:
                yield (*own, None, None, None)
            for dataset in node.datasets:
                yield (*own, dataset.id, dataset.name, dataset.open)

    return to_csv(header, rows())


def total_of(frequencies: Iterable[Frequency]) -> Frequency | None:
    """The cell of all people, where it is told."""
    return next((cell for cell in frequencies if cell.population == "Total"), None)


def _counts(cell: Frequency | None) -> tuple[Cell, ...]:
    if cell is None:
        return (None,) * len(_COUNTS)
    return (cell.allele_count, cell.allele_number, cell.allele_frequency, cell.low, cell.high)


def _taking_part(node: NodeAnswer) -> tuple[Cell, ...]:
    status = node.status.value
    return (node.id, node.name, node.country, status, node.count, node.floor, round(node.elapsed_ms, 1), node.message)
