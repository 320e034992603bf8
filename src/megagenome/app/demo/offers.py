# SPDX-License-Identifier: Apache-2.0
"""What to try first on the demo: examples for the portal's search box, and commands."""

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from megagenome.app.demo.answers import cohort_text
from megagenome.app.settings import ExampleQuestion
from megagenome.synthetic.planted import FOUNDER
from megagenome.synthetic.truth import Truth

_COMMON, _FOUNDER, _GENE, _REGION = "a common variant", "a founder variant", "a gene", "a region"
_COMMANDS = {_COMMON: "variant", _FOUNDER: "variant", _GENE: "region", _REGION: "region"}


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


def offers_of_files(planned) -> Offers:
    return Offers((), "")
