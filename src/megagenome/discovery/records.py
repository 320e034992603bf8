# SPDX-License-Identifier: Apache-2.0
"""Told cells as records of the Beacon: variants with their frequencies by population."""

from collections.abc import Iterable

from megagenome.discovery.margins import Margins
from megagenome.discovery.model import Told
from megagenome.kernel.coordinates import Allele, is_symbolic
from megagenome.reference import assembly
from megagenome.standards.beacon import (
    Frequency,
    FrequencyInPopulations,
    GenomicVariant,
    Identifiers,
    Number,
    SequenceInterval,
    SequenceLocation,
    Variation,
    variant_internal_id,
)

Cells = tuple[tuple[Frequency, ...], tuple[Frequency, ...]]
"""Told cells by country and sex, labelled `Total`, `M`, `F`, `FI`, `FI_M`, `FI_F` as the Genome of Europe has them; and
by the holder's populations, labelled `FI:FIN`, where any is told."""


def cells(margins: Margins, told: Told) -> list[Cells]:
    """The told cells of each row. Some 0.5 microseconds per cell."""
    labels, populations = margins.labels, range(*margins.population.indices(margins.total))
    shown, genotypes = told.told.tolist(), told.genotypes.tolist()
    het, hom, hemi, an = told.counts.tolist()
    ac = told.ac.tolist()

    def of_row(row: int, columns: Iterable[int]) -> tuple[Frequency, ...]:
        # positional, because this is called for each of up to 1000 alleles with some 20 cells each
        return tuple(
            Frequency(
                labels[k], ac[row][k] / an[row][k], ac[row][k], an[row][k], hom[row][k], het[row][k], hemi[row][k]
            )
            if genotypes[row][k]
            else Frequency(labels[k], ac[row][k] / an[row][k], ac[row][k], an[row][k])
            for k in columns
            if shown[row][k]
        )

    return [(of_row(row, margins.order), of_row(row, populations)) for row in range(len(shown))]


def frequencies(told: Cells, source: str, reference: str) -> tuple[FrequencyInPopulations, ...]:
    """Told cells with where they come from; the holder's populations apart, said to be so."""
    by_country = FrequencyInPopulations(told[0], source, reference)
    if not told[1]:
        return (by_country,)
    return by_country, FrequencyInPopulations(
        told[1], f"{source}, populations as the data holder states them", reference
    )


def variant(allele: Allele) -> GenomicVariant:
    """The record of an allele, without frequencies."""
    symbolic = is_symbolic(allele.alt)
    place = SequenceLocation(f"HGVSid:{allele.contig}", SequenceInterval(Number(allele.start), Number(allele.end)))
    return GenomicVariant(
        variant_internal_id(allele),
        Variation(_variant_type(allele), "" if symbolic else allele.alt, allele.ref, place),
        Identifiers(_hgvs(allele)),
    )


def _variant_type(allele: Allele) -> str:
    if is_symbolic(allele.alt):
        return allele.alt[1:-1] if allele.alt.startswith("<") else "DEL" if allele.alt == "*" else "BND"
    lengths = len(allele.ref), len(allele.alt)
    if lengths == (1, 1):
        return "SNP"
    if 1 in lengths and allele.ref[0] == allele.alt[0]:
        return "INS" if lengths[0] == 1 else "DEL"
    return "MNP" if lengths[0] == lengths[1] else "INDEL"


def _hgvs(allele: Allele) -> str:
    """The HGVS expression of a substitution; empty for others, which HGVS shifts by a reference sequence that is not
    here, and for contigs without an accession."""
    if len(allele.ref) != 1 or len(allele.alt) != 1 or is_symbolic(allele.alt):
        return ""
    accession = assembly(allele.assembly).contig(allele.contig).refseq
    kind = "m" if allele.contig == "MT" else "g"
    return f"{accession}:{kind}.{allele.start + 1}{allele.ref}>{allele.alt}" if accession else ""
