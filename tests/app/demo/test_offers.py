# SPDX-License-Identifier: Apache-2.0
import shlex
import sys
from pathlib import Path

import pytest

from megagenome.app.demo.offers import Offers, offers_of, offers_of_files
from megagenome.app.demo.plan import plan_files
from megagenome.app.settings import ExampleQuestion
from megagenome.synthetic.europe import simulate
from megagenome.synthetic.recount import count_truth
from tests.journeys.small import write_files


def test_simulation_offers_what_it_has_answers_to() -> None:
    truth = count_truth(simulate(60, ("FI",), 1, 0.2))
    offers = offers_of(truth)
    common, founder, gene, region = offers.examples
    assert common.text == truth.associations[0].allele
    assert founder.text == "22-28695868-AG-A"
    assert [gene.text, region.text] == ["XBP1", "22:28690001-28700000"]
    assert {example.assembly for example in offers.examples} == {"GRCh38"}
    assert offers.cohort == "sex=female phenotype=HP:0001250"


@pytest.mark.parametrize(
    ("called", "program"),
    [("/x/bin/megagenome", "/x/bin/megagenome"), ("/x/megagenome/__main__.py", f"{sys.executable} -m megagenome")],
)
def test_commands_can_be_copied(monkeypatch: pytest.MonkeyPatch, called: str, program: str) -> None:
    monkeypatch.setattr(sys, "argv", [called, "demo"])
    offers = Offers((ExampleQuestion("XBP1", "GRCh38", "a gene"),), "sex=female age>=4")
    region, cohort = offers.commands("http://127.0.0.1:1")
    assert region == f"{program} ask region XBP1 --hub http://127.0.0.1:1"
    assert shlex.split(cohort)[-3] == "sex=female age>=4"


def test_files_offer_their_commonest_allele(tmp_path: Path) -> None:
    write_files(tmp_path, "FI")
    offers = offers_of_files(plan_files(tmp_path, "GRCh37"))
    assert [(example.text, example.assembly) for example in offers.examples] == [
        ("22-16050075-A-G", "GRCh37"),
        ("22:16045075-16055074", "GRCh37"),
    ]
