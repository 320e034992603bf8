# SPDX-License-Identifier: Apache-2.0
"""What validation passes a load loads, and what it refuses a load refuses, of files that were changed at random."""

import os
import random
import shutil
from collections import Counter
from pathlib import Path

from megagenome.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES, People, Person
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.ids import DatasetId, IndividualId, SampleId
from megagenome.reception import inspector
from megagenome.reception.model import Task
from megagenome.standards.validation_report import Level, Result
from tests.collection.conftest import no_ontology
from tests.reception.written import bgzip, header, row

NAMES = ("S1", "S2")
DATASET = DatasetId("GDI-EE-TEST")
PIECES = (
    ("\t100\t", ("\t0\t", "\t\t", "\t1e3\t", "\t99999999999\t", "\t600\t")),
    ("\tA\t", ("\tAC\t", "\tR\t", "\t.\t", "\ta\t")),
    ("\tG\t", ("\tG,T\t", "\t.\t", "\t<DEL>\t", "\tG,\t", "\tG/T\t", "\t*\t")),
    ("0/1", ("1", "./.", "0/2", "0/1/1", "x", "", "0|1", "1/.")),
    ("22\t", ("chr22\t", "21\t", "23\t", "<22>\t", "2 2\t", "\t")),
    ("\tGT\t", ("\tGT:DP\t", "\tDP:GT\t", "\tDP\t", "\t\t")),
    ("\n", ("\n\n", "", "\r\n", "\tx\n")),
    ("=<ID=22,length=50818468>", ("=<ID=22>", "=<ID=22,length=5>", "=<ID=chr22,length=50818468>")),
    ("VCFv4.2", ("VCFv4.3", "VCFv3", "VCFv4.5")),
)


def changed(chance: random.Random) -> str:
    rows = "".join(row("22", pos1, ["0/1", "0/0"]) for pos1 in (100, 200, 300)) + row("21", 50, ["1/1", "0/1"])
    text = header(NAMES) + rows
    for old, news in chance.sample(PIECES, chance.choice([0, 1, 1, 2])):
        begins = [at for at in range(len(text)) if text.startswith(old, at)]
        if begins:
            at = chance.choice(begins)
            text = text[:at] + chance.choice(news) + text[at + len(old) :]
    return text


def is_passed(path: Path) -> tuple[bool, str]:
    """Whether validation passes it, or why not; in this process."""
    kept, file = os.dup(0), os.open(path, os.O_RDONLY)
    os.dup2(file, 0)
    try:
        report = inspector.inspect(Task("a.vcf.gz", path.stat().st_size, "GRCh38"), lambda _term: None).report
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(file)
    errors = [message.text for message in report.messages if message.level is Level.ERROR]
    return report.result is Result.PASSED, errors[0] if errors else ""


def test_validation_and_load_agree(tmp_path: Path) -> None:
    made = tmp_path / "made"
    Collection.create(made, no_ontology).close()
    people = People([Person(IndividualId(name), SampleId(name), consent=YES) for name in NAMES], {}, {})
    chance, told = random.Random(11), Counter[bool]()
    for number in range(60):
        path = bgzip(tmp_path / "a.vcf.gz", changed(chance))
        passed, why = is_passed(path)
        collection = Collection.open_folder(Path(shutil.copytree(made, tmp_path / f"node{number}")), no_ontology)
        refused = ""
        try:
            load(collection, DatasetStatement(DATASET, open=True), people, [path], "GRCh38")
        except MegagenomeError as error:
            refused = str(error)
        collection.close()
        assert passed == (not refused), (why, refused)
        assert why.removeprefix("a.vcf.gz ") in refused
        told[passed] += 1
    assert min(told.values()) > 15
