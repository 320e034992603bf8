# SPDX-License-Identifier: Apache-2.0
"""The table of an association study, one row for each allele."""

from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.network.studies.alleles import Chosen
from megagenome.network.studies.model import Table


def association_table(chosen: Chosen, **statistics: npt.NDArray[Any]) -> Table:
    """Place (`pos1`, 1-based), reference, alternate (effects are of its copies), its count, how many alleles were
    called and how many people were not, its frequency, then `statistics` in the order given. Rows are in the order of
    the alleles."""
    alleles = chosen.alleles
    refs, alts = zip(*(each.decode("ascii").split("\t") for each in alleles.text), strict=True)
    return Table(
        {
            "contig": [alleles.contigs[k] for k in alleles.contig.tolist()],
            "pos1": alleles.start + 1,
            "ref": list(refs),
            "alt": list(alts),
            "ac": chosen.copies,
            "an": chosen.called,
            "missing": chosen.missing,
            "frequency": np.asarray(chosen.frequency),
            **statistics,
        }
    )
