# SPDX-License-Identifier: Apache-2.0
"""The demo, as a newcomer starts it: up, asked, checked against its truth, and gone without a trace."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import psutil
import pytest

from megagenome.app.demo.check import check_network
from megagenome.app.demo.expect import Expectation
from megagenome.app.demo.model import Running
from megagenome.app.demo.signing_in import PROVIDER
from megagenome.kernel.callers import Role
from megagenome.synthetic.truth import Truth
from tests.journeys.nations import CHR22_37, CHRX, run
from tests.journeys.network import free_ports, megagenome
from tests.oracles.real_genomes import bcftools, panel

FEW = 4
"""Ports of a demo with up to two nodes: the hub, the nodes, the provider."""


class Demo(NamedTuple):
    """A demo that runs."""

    process: subprocess.Popen[str]
    network: Running

    @property
    def servers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if {"serve", PROVIDER} & set(child.cmdline())]


@contextlib.contextmanager
def demo(*arguments: str | Path) -> Iterator[Demo]:
    command = [sys.executable, "-m", "megagenome", "demo", *map(str, arguments), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        assert text, process.stderr.read()
        running = Demo(process, msgspec.json.decode(text, type=Running))
        servers = running.servers
        try:
            yield running
        finally:
            process.kill()
            psutil.wait_procs(servers, 20)


def assert_gone(servers: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(servers, 20)
    assert alive == []


@pytest.mark.promise
def test_checks_itself() -> None:
    port = free_ports(FEW + 1)
    done = megagenome("demo", "--check", "--nodes", "3", "--individuals", "660", "--port", str(port), "--json")
    verdict = json.loads(done.stdout)
    assert (verdict["wrong"], verdict["right"]) == (0, len(verdict["questions"]))
    asked = {each["asked"] for each in verdict["questions"]}
    known = {"hub", "hub's Beacon", "node.fi", "node.ee", "node.gb"}
    assert asked == known | {f"{each}, registered" for each in known}
    assert verdict["right"] > 200
    # the way was walked whole, and then the studies were run
    steps = [each["question"] for each in verdict["questions"]]
    assert steps.index("the auditor verifies the whole ledger") < steps.index("effects, errors and p of the study")
    assert steps[-1].startswith("a study scores everybody by that allele")
    assert any(each["got"] == "nothing told" for each in verdict["questions"])
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_runs_until_interrupted_and_notices_wrong_answers(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    options = ["--nodes", "1", "--individuals", "120", "--seed", "7", "--port", str(free_ports(FEW)), "--keep", kept]
    with demo(*options) as running:
        network = running.network
        assert [node.id for node in network.nodes] == ["node.fi"]
        assert len(running.servers) == 3
        for command in (["hub", "check", network.hub.url], ["hub", "check", kept / "hub"]):
            assert all(finding["fine"] for finding in run(*command))
        assert all(finding["fine"] for finding in run("node", "check", network.nodes[0].url))
        for command in network.attempts:
            answer = run(*shlex.split(command.partition(" -m megagenome ")[2]))
            assert {node["status"] for node in answer["nodes"]} <= {"answered", "withheld"}

        truth = msgspec.json.decode((kept / "truth.json").read_bytes(), type=Truth)
        assert [each for each in check_network(Expectation(truth), network) if not each.ok] == []
        wrong = [each for each in check_network(Expectation(one_more_carrier(truth)), network) if not each.ok]
        assert len(wrong) >= 3  # of the hub, its Beacon and the node
        assert {each.question.partition(" ")[0] for each in wrong} == {truth.associations[0].allele}

        servers = running.servers
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 0
        assert_gone(servers)
    assert (kept / "hub/hub.toml").is_file()
    assert_no_password(kept, network)


def test_begins_with_a_permit_to_study_by() -> None:
    with demo("--permit", "--individuals", "660", "--port", str(free_ports(FEW + 2))) as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.stderr
        assert "over FI, EE, GB: http://127.0.0.1" in running.process.stderr.read()


def assert_no_password(folder: Path, network: Running) -> None:
    """No password of the run is on disk, in no file that it left."""
    passwords = [login.password.encode() for login in network.logins]
    assert len(set(passwords)) == 11
    for file in folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [password for password in passwords if password in content], file


def origin_of(url: str) -> str:
    return "/".join(url.split("/")[:3])


def test_its_people_sign_in_where_they_act_and_no_server_is_left_when_it_is_killed() -> None:
    with demo("--nodes", "1", "--individuals", "40", "--port", str(free_ports(FEW))) as running:
        assert {login.role for login in running.network.logins} == set(Role)
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            for login in running.network.logins:
                url = origin_of(login.first)
                form = browser.get(f"{url}/login/start?next=/account")
                origin = origin_of(str(form.url))
                assert origin not in (running.network.hub.url, running.network.nodes[0].url)
                fields = {"username": login.name, "password": login.password}
                account = browser.post(form.url, data=fields, headers={"origin": origin})
                assert str(account.url) == f"{url}/account"
                words = login.role.replace("_", " ").replace("dac", "DAC")
                assert f"<strong>{words}</strong>" in account.text
                assert browser.get(login.first).status_code == 200
        servers = running.servers
        assert len(servers) == 3
        running.process.kill()
        running.process.wait(30)
        assert_gone(servers)
        shutil.rmtree(running.network.folder)


def one_more_carrier(truth: Truth) -> Truth:
    """The truth with one more heterozygous woman in one open dataset at a common allele."""
    common = truth.associations[0].allele
    alleles = list(truth.alleles)
    place = next(k for k, allele in enumerate(alleles) if allele.text == common)
    cells = list(alleles[place].cells)
    at = next(k for k, cell in enumerate(cells) if cell.dataset.endswith("OPEN-001") and cell.sex == "female")
    cell = cells[at]
    more = {"allele_count": cell.allele_count + 1, "heterozygous": cell.heterozygous + 1}
    cells[at] = msgspec.structs.replace(cell, **more)
    alleles[place] = msgspec.structs.replace(alleles[place], cells=tuple(cells))
    return msgspec.structs.replace(truth, alleles=tuple(alleles))


@pytest.fixture(scope="module")
def files(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of the real genomes of a country, with a people table in which some say no."""
    folder = tmp_path_factory.mktemp("files")
    people = [one for one in panel(shared) if one.country == "GB"]
    samples = ",".join(one.sample for one in people)
    for target, name, region in (("a.bcf", CHR22_37, "22:16050000-16120000"), ("b.vcf.gz", CHRX, "X:2600000-2800000")):
        options = ["--force-samples", "-s", samples, "-r", region, "-Ob" if target.endswith("bcf") else "-Oz"]
        bcftools("view", *options, "-o", str(folder / target), str(shared / "data/genomes" / name))
    rows = ["individual_id\tsample_id\tsex\tcountry\tphenotypes\tconsent"]
    for k, one in enumerate(people):
        phenotypes = ("HP:0002373", "!HP:0001250", "", "HP:0001513;!HP:0000365")[k % 4]
        consent = "no" if k % 19 == 0 else "yes"
        rows.append(f"{one.sample}\t{one.sample}\t{one.sex}\t{one.country}\t{phenotypes}\t{consent}")
    (folder / "people.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.shared
@pytest.mark.bcftools
def test_real_files_are_recounted_by_bcftools(files: Path) -> None:
    options = ["--data", files, "--assembly", "GRCh37", "--port", str(free_ports(FEW))]
    verdict = json.loads(megagenome("demo", "--check", *options, "--json").stdout)
    assert verdict["wrong"] == 0
    assert verdict["right"] > 30
    told = [each for each in verdict["questions"] if each["got"] not in ("nothing told", "0")]
    assert len(told) > 10


@pytest.mark.shared
@pytest.mark.bcftools
def test_recounting_without_bcftools_names_the_package(files: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "megagenome", "demo", "--check", "--data", str(files), "--assembly", "GRCh37"]
    command += ["--port", str(free_ports(FEW))]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.returncode == 1
    assert done.stderr.endswith("not installed: sudo apt-get install bcftools\n")
