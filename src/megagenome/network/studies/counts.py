# SPDX-License-Identifier: Apache-2.0
"""Counts of alleles over several sites."""

from megagenome.network.studies.alleles import choose_alleles
from megagenome.network.studies.model import Combine, StudyResult, Table
from megagenome.standards.study import Frequencies


def counts(method: Frequencies, sites: int) -> Combine:
    """Genotypes and copies of each allele of the study."""
    chosen = yield from choose_alleles(method.variants, sites)
    table = Table(
        {
            "allele": [str(allele) for allele in chosen.alleles],
            "het": chosen.het,
            "hom": chosen.hom,
            "hemi": chosen.hemi,
            "missing": chosen.missing,
            "copies": chosen.copies,
            "called": chosen.called,
            "frequency": chosen.frequency,
        }
    )
    return StudyResult({"alleles": table}, {"alleles": len(chosen.alleles)}, chosen.notes())
