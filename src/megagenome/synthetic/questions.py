# SPDX-License-Identifier: Apache-2.0
"""The fixed questions that the truth answers: some of every kind of site, two regions, and cohorts large and small."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tskit

from megagenome.kernel.coordinates import Allele, Region
from megagenome.reference import genes
from megagenome.synthetic.genomes import ASSEMBLY, Haplotypes
from megagenome.synthetic.truth import CohortQuestion

ABSENT_ALLELE = Allele(ASSEMBLY, "22", 28_695_867, "A", "T")
"""Carried by nobody: planted positions are kept free of simulated sites."""


def regions() -> dict[str, Region]:
    """Regions to ask about, by what people type: part of CHEK2 with the planted alleles, and a small gene."""
    around = Region(ASSEMBLY, "22", 28_690_000, 28_700_000)
    gene = genes.find("XBP1", ASSEMBLY)
    return {str(around): around, gene.symbol: Region(ASSEMBLY, gene.contig, gene.start, gene.end)}


class Calls(NamedTuple):
    """One allele in everybody: `copies` of it, and `ploidy`, the alleles that were called (0 where missing)."""

    allele: Allele
    copies: npt.NDArray[np.int8]
    ploidy: npt.NDArray[np.int8]


class AskedCohort(NamedTuple):
    """A cohort to count, with the calls of the allele that it names, if it names one."""

    question: CohortQuestion
    carried: Calls | None = None


def cohort_questions(founder: Calls, risk: Calls) -> list[AskedCohort]:
    """Each kind of fact alone and some together; the last but two is small or empty everywhere."""
    return [
        AskedCohort(CohortQuestion(sex="female")),
        AskedCohort(CohortQuestion(sex="female", terms=("HP:0001250",))),
        AskedCohort(CohortQuestion(terms=("HP:0001250",))),
        AskedCohort(CohortQuestion(terms=("HP:0007359",))),
        AskedCohort(CohortQuestion(terms=("HP:0002315",))),
        AskedCohort(CohortQuestion(excluded=("HP:0001250",))),
        AskedCohort(CohortQuestion(excluded=("HP:0007359",))),
        AskedCohort(CohortQuestion(sex="male", at_least=40, at_most=59, terms=("HP:0000545",))),
        AskedCohort(CohortQuestion(at_most=30)),
        AskedCohort(CohortQuestion(terms=("ICD10:E11",))),
        AskedCohort(CohortQuestion(at_least=65, terms=("ICD10:I10",))),
        AskedCohort(CohortQuestion(terms=("MONDO:0005301",))),
        AskedCohort(CohortQuestion(smoking="current")),
        AskedCohort(CohortQuestion(sex="male", terms=("HP:0002197",), smoking="current")),
        AskedCohort(CohortQuestion(carries=str(founder.allele)), founder),
        AskedCohort(CohortQuestion(terms=("ICD10:E11",), carries=str(risk.allele)), risk),
    ]


def examples(sequence: Haplotypes) -> Iterator[tuple[int, str]]:
    """(site, what it is an example of): the first common site of each kind, and the first allele seen once in all."""
    wanted = {"base change", "insertion", "deletion", "several alternates", "mixed alternates", "singleton"}
    variant = tskit.Variant(sequence.trees)
    for site in range(len(sequence.starts)):
        if not wanted:
            return
        variant.decode(site)
        derived = int((variant.genotypes > 0).sum())
        kind = _kind(sequence, site, len(variant.alleles), derived)
        if kind in wanted and (kind == "singleton" or 0.02 < derived / len(variant.genotypes) < 0.98):
            wanted.remove(kind)
            yield site, f"{kind} on {sequence.stretch.name}"


def _kind(sequence: Haplotypes, site: int, alleles: int, derived: int) -> str:
    if derived == 1:
        return "singleton"
    if site in sequence.spellings:
        kind = sequence.spellings[site].kind
        return "mixed alternates" if kind == "mixed" else kind
    return "base change" if alleles == 2 else "several alternates"
