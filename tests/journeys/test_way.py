# SPDX-License-Identifier: Apache-2.0
"""The whole way from a question to a permit and its end, over real processes, walked as `demo --check` walks it."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam
import pytest

from megagenome.app.demo.check import check_network, check_registered
from megagenome.app.demo.expect import Expectation
from megagenome.app.demo.fill import node_folder
from megagenome.app.demo.model import Checked, Running
from megagenome.app.demo.network import run
from megagenome.app.demo.plan import plan_files
from megagenome.app.demo.scenario import given
from megagenome.app.demo.walk import walk
from megagenome.app.demo.walk.model import Way
from megagenome.app.demo.walk.plan import way_through
from megagenome.kernel.callers import Role
from tests.journeys.nations import reference_folder
from tests.journeys.network import free_ports
from tests.journeys.test_demo import FEW

pytestmark = [pytest.mark.bcftools, pytest.mark.promise]

COUNTRIES = ("FI", "EE")
EACH = 40
"""People of each country, every other one a woman."""
WOMEN = 18
"""Of these consent: the first says no, the second nothing."""

HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=51304566>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""


class Walked(NamedTuple):
    """A network on which one walk is over: its steps, and what it measured. `asked` is what was asked before, of data
    that are all not open."""

    way: Way
    asked: list[Checked]
    steps: list[Checked]
    seconds: dict[str, float]


def write_people(folder: Path) -> None:
    """A file with three alleles and a table of its people."""
    samples = [f"{country}{number}" for country in COUNTRIES for number in range(EACH)]
    records = []
    for row, (ref, alt) in enumerate((("A", "G"), ("G", "A"), ("C", "T"))):
        calls = ["1/1" if place % 7 == row else "0/1" if place % 3 == row else "0/0" for place in range(len(samples))]
        records.append("\t".join(["22", str(16050075 + 40 * row), ".", ref, alt, ".", ".", ".", "GT", *calls]))
    with pysam.BGZFile(str(folder / "small.vcf.gz"), "wb") as file:
        file.write((HEADER + "\t".join(samples) + "\n" + "\n".join(records) + "\n").encode())
    rows = []
    for sample in samples:
        number = int(sample[2:])
        consent = {0: "no", 2: ""}.get(number, "yes")
        rows.append(f"{sample}-ID\t{sample}\t{'male' if number % 2 else 'female'}\t{sample[:2]}\t{consent}")
    (folder / "people.tsv").write_text("individual_id\tsample_id\tsex\tcountry\tconsent\n" + "\n".join(rows) + "\n")


@contextlib.contextmanager
def network_of_two(folder: Path) -> Iterator[tuple[Way, Running, Expectation]]:
    """Two small nodes that joined their hub, the way through them, and what they must answer."""
    files = folder / "files"
    files.mkdir()
    write_people(files)
    scenario = given(plan_files(files, "GRCh37"), lambda _: None, checking=True)
    assert scenario.expectation
    for country in COUNTRIES:
        shutil.copytree(reference_folder(), node_folder(folder, country) / "reference")
    first = free_ports(FEW)
    with run(folder, scenario.planned, scenario.offers, range(first, first + FEW), lambda _: None) as network:
        way = way_through(scenario.planned, scenario.expectation, network)
        assert way
        yield way, network, scenario.expectation


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    seconds: dict[str, float] = {}
    with network_of_two(tmp_path_factory.mktemp("way")) as (way, network, known):
        researcher = network.login(Role.RESEARCHER)
        asked = [*check_network(known, network), *check_registered(known, network, researcher)]
        yield Walked(way, asked, list(walk(way, seconds)), seconds)


def test_what_is_told_follows_the_tiers(walked: Walked) -> None:
    assert [each for each in walked.asked if not each.ok] == []
    women = {each.asked: each.got for each in walked.asked if each.question == "sex=female"}
    assert women["hub"] == women["node.fi"] == "0"
    assert women["hub, registered"] == str(2 * WOMEN)
    assert women["node.fi, registered"] == str(WOMEN)


def test_every_step_is_right(walked: Walked) -> None:
    assert [step for step in walked.steps if not step.ok] == []
    assert walked.steps[-1].got == "as it was written"
    counted = [step.got for step in walked.steps if step.question == "the permit counts the cohort exactly"]
    assert counted == [f"{WOMEN} people"]
    alleles = [step for step in walked.steps if step.question.startswith("the permit counts 22-")]
    assert len(alleles) == 3


def test_promises_to_people_are_kept(walked: Walked) -> None:
    assert walked.seconds["withdrawal"] < 1
    assert walked.seconds["revocation"] < 5


def test_a_walk_ends_where_something_is_wrong(walked: Walked) -> None:
    # whoever withdrew is still not there, so what was right before is wrong now
    *right, wrong = walk(walked.way)
    assert all(step.ok for step in right)
    assert (wrong.question, wrong.ok) == ("the permit counts the cohort exactly", False)
    assert (wrong.expected, wrong.got) == (f"{WOMEN} people", f"{WOMEN - 1} people")
