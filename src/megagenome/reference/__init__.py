# SPDX-License-Identifier: Apache-2.0
"""Knowledge about genomes and terms, nothing personal: assemblies, genes, ontologies, and what a text names.

Gene look-ups are in `megagenome.reference.genes`.
"""

from megagenome.reference.assemblies import EXPECTED_PLOIDY, Assembly, PloidyClass, assembly
from megagenome.reference.resolve import resolve
from megagenome.reference.tables import Reference, build
from megagenome.reference.tables import open_folder as open  # noqa: A004 - reads as `reference.open(folder)`

__all__ = ["EXPECTED_PLOIDY", "Assembly", "PloidyClass", "Reference", "assembly", "build", "open", "resolve"]
