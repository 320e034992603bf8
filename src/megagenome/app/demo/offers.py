# SPDX-License-Identifier: Apache-2.0
"""What to try first on the demo: examples for the portal's search box, and commands."""

import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from megagenome.app.demo.answers import cohort_text
from megagenome.app.demo.plan import PlannedNode
from megagenome.app.settings import ExampleQuestion
from megagenome.collection.read_vcf import open_vcf
from megagenome.kernel.coordinates import Allele, Region
from megagenome.reference import assembly
from megagenome.synthetic.planted import FOUNDER
from megagenome.synthetic.truth import Truth

_COMMON, _FOUNDER, _GENE, _REGION = "a common variant", "a founder variant", "a gene", "a region"
_COMMANDS = {_COMMON: "variant", _FOUNDER: "variant", _GENE: "region", _REGION: "region"}


_WOMEN = "sex=female"


class Offers(NamedTuple):
    """Questions that the demo's network has something to say to."""

    examples: tuple[ExampleQuestion, ...]
    cohort: str

    def commands(self, hub: str) -> list[str]:
        """The same on the command line."""
        asked = [(_COMMANDS[example.kind], example.text) for example in self.examples]
        if self.cohort:
            asked.append(("cohort", self.cohort))
        return [f"{_program()} ask {command} {shlex.quote(text)} --hub {hub}" for command, text in asked]


def _program() -> str:
    """How this program was called, so that the commands can be copied."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "megagenome" else f"{sys.executable} -m megagenome"


def offers_of(truth: Truth) -> Offers:
    """A common allele, the founder allele, a gene, a region and a cohort of the simulation."""
    common = truth.associations[0].allele
    founder = next(each.allele for each in truth.planted if each.note == FOUNDER.note)
    region, gene = truth.regions
    examples = ((common, _COMMON), (founder, _FOUNDER), (gene.text, _GENE), (region.text, _REGION))
    asked = truth.cohorts[1].question
    return Offers(tuple(ExampleQuestion(text, truth.assembly, kind) for text, kind in examples), cohort_text(asked))


def offers_of_files(planned: Sequence[PlannedNode]) -> Offers:
    """The commonest allele among the first records of the first file, the 10,000 bases around it, and all women."""
    dataset = planned[0].datasets[0]
    source = dataset.source()
    with open_vcf(source) if isinstance(source, Path) else contextlib.nullcontext(source) as opened:
        block = next(iter(opened.blocks), None)
    if block is None:
        return Offers((), _WOMEN)
    copies = (block.calls == 1).sum(axis=(1, 2))
    row = int(copies.argmax())
    contig = assembly(dataset.assembly).contig(block.contig).name
    if not copies[row]:
        return Offers((), _WOMEN)
    allele = Allele(
        dataset.assembly, contig, int(block.starts[row]), block.refs[row], block.alts[row][0]
    ).parsimonious()
    around = Region(dataset.assembly, contig, max(0, allele.start - 5000), allele.start + 5000)
    examples = ((str(allele), _COMMON), (str(around), _REGION))
    return Offers(tuple(ExampleQuestion(text, dataset.assembly, kind) for text, kind in examples), _WOMEN)
