# SPDX-License-Identifier: Apache-2.0
"""A hub and three nodes with a permit over all of them, in real processes that a story may kill, and the researcher who
runs studies by the JSON API."""

import contextlib
import itertools
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import pysam

from megagenome.collection.cohort import HasSex, canonical, cohort_id
from megagenome.collection.model import Sex
from megagenome.kernel.callers import Role
from megagenome.standards.dataset_record import encode_record
from megagenome.synthetic.governance import made_up_record
from tests.access.hub import PDF, complete_answers
from tests.journeys.nations import run
from tests.journeys.network import Served, megagenome, serving
from tests.journeys.signed_in import Person, grant
from tests.journeys.test_joining import eventually, invitation, make_hub, make_node
from tests.journeys.way import CRITERIA

COUNTRIES = ("EE", "FI", "SE")
COHORT = HasSex(Sex.FEMALE)
PEOPLE = 60
POSITIONS = range(16050075, 16050475, 10)
HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=51304566>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"""
_ids = itertools.count(1)

Counted = tuple[int | None, ...]
"""Heterozygous, homozygous, alleles called; None where it is withheld."""


def table(country: str) -> list[dict[str, str]]:
    """A country's people."""
    chance = random.Random(country)
    return [
        {
            "individual_id": f"{country}-{n:03}",
            "sample_id": f"S{n}",
            "sex": chance.choices(["female", "male"], [4, 1])[0],
            "country": country,
            "height": f"{chance.gauss(170, 8):.1f}",
            "smokes": chance.choice(["yes", "no"]),
        }
        for n in range(PEOPLE)
    ]


def calls(country: str) -> dict[int, list[str]]:
    """Everybody's call at each position."""
    chance = random.Random(f"{country} calls")
    return {at: chance.choices(["0/0", "0/1", "1/1", "./."], [5, 4, 4, 2], k=PEOPLE) for at in POSITIONS}


def pooled(without: tuple[str, ...] = (), countries: tuple[str, ...] = COUNTRIES) -> dict[str, Counted]:
    """What all the women's calls together are, by allele, without these individuals."""
    found: dict[str, Counter[str]] = {f"22-{at}-A-G": Counter() for at in POSITIONS}
    for country in countries:
        people, called = table(country), calls(country)
        for k, row in enumerate(people):
            if row["sex"] == "female" and row["individual_id"] not in without:
                for at in POSITIONS:
                    found[f"22-{at}-A-G"][called[at][k]] += 1
    return {allele: (each["0/1"], each["1/1"], 2 * (each.total() - each["./."])) for allele, each in found.items()}


def slopes(without: tuple[str, ...] = ()) -> dict[int, float]:
    """By position, how much taller a copy makes women, least squares beside a constant and whether they smoke."""
    found = {}
    for at in POSITIONS:
        rows = []
        for country in COUNTRIES:
            for row, call in zip(table(country), calls(country)[at], strict=True):
                if row["sex"] == "female" and row["individual_id"] not in without and call != "./.":
                    rows.append((1.0, row["smokes"] == "yes", call.count("1"), float(row["height"])))
        values = np.array(rows, np.float64)
        found[at] = float(np.linalg.lstsq(values[:, :3], values[:, 3], rcond=None)[0][2])
    return found


class Process:
    """A server that can be killed and served again, with its folder and on its port."""

    def __init__(self, role: str, folder: Path) -> None:
        self.role, self.folder, self._running = role, folder, contextlib.ExitStack()
        self.served: Served

    def start(self) -> Served:
        [self.served] = self._running.enter_context(serving(self.role, [self.folder], own_ports=True))
        return self.served

    def kill(self) -> None:
        """By SIGKILL."""
        self._running.close()


class Network:
    """The network, and Ada, whom the permit names."""

    def __init__(self, hub: Process, nodes: dict[str, Process]) -> None:
        self.hub, self.nodes = hub, nodes
        names = ("Ada", "Bob", "Signe", "Chair", "Dora", "Dean")
        self.ada, self.bob, self.signe, self.chair, self.dora, self.dean = (Person(hub.served, n) for n in names)
        self.deciders = {country: Person(node.served, f"Decider{country}") for country, node in nodes.items()}
        self.application = self.permit = ""
        self.gone: tuple[str, ...] = ()
        self._keys = {country: _key(node.folder) for country, node in nodes.items()}

    def _command(self, who: Person, kind: str, **fields: object) -> Any:
        path = f"/access/applications/{self.application}"
        order = {"id": f"study-command-{next(_ids):06}", "version": who.get(path)["version"]}
        return who.post(f"{path}/commands", {**order, "command": {"type": kind, **fields}})

    def get_permit(self) -> None:
        """From application to three countries' grants."""
        begun = {
            "id": f"study-create-{next(_ids):06}",
            "cohort": cohort_id(COHORT),
            "definition": msgspec.json.encode(canonical(COHORT)).decode(),
            "datasets": [{"node": node_id(c), "country": c, "dataset": dataset(c)} for c in COUNTRIES],
            "form": "data-access",
        }
        self.application = self.ada.post("/access/applications", begun)["application"]
        path = f"/access/applications/{self.application}"
        query = {"id": f"study-attach-{next(_ids):06}", "version": self.ada.get(path)["version"], "name": "plan.pdf"}
        attached = self.ada.call("POST", f"{path}/attachments", params=query, content=PDF)
        people = {each["key"] for each in self.ada.get(path)["people"] if each["role"] in ("applicant", "member")}
        self._command(self.ada, "save-draft", answers=complete_answers(attached.json()["told"]["attachment"], people))
        self._command(self.ada, "submit")
        self._command(self.signe, "endorse")
        self._command(self.chair, "begin-assessment")
        for who in (self.chair, self.dora, self.dean):
            self._command(who, "declare-interest", conflict=False)
        for who, criterion in itertools.product((self.dora, self.dean), CRITERIA):
            self._command(who, "vote", criterion=criterion, vote="met", note="because")
        dates = {"starts": "2020-01-01", "ends": "2029-12-31"}
        self._command(self.chair, "recommend", advice="approve", reasons="yes", uses=["research"], **dates)
        self._command(self.chair, "request-decisions")
        self.permit = self.chair.get(f"{path}/permit")["id"]
        for country in COUNTRIES:
            self.decide(country, "approved")
        eventually(lambda: self.ada.get(path)["state"] == "active", "the permit does not work")
        granted = lambda: not self.check(self.document())["findings"]  # noqa: E731 - one condition, asked until it holds
        eventually(granted, "the hub does not know of all grants")

    def decide(self, country: str, verdict: str, reasons: str = "") -> None:
        """At the country's node."""
        decider = self.deciders[country]
        eventually(
            lambda: self.permit in [each["permit"] for each in decider.get("/access/desk")["items"]],
            f"the proposal does not reach {country}",
        )
        body = {"decisions": [{"dataset": dataset(country), "verdict": verdict, "reasons": reasons}]}
        decider.post(f"/access/desk/{self.permit}/decision", body)

    def revoke(self) -> None:
        """At the hub."""
        self._command(self.chair, "revoke", reasons="misuse")

    def withdraw(self, individual: str) -> None:
        """Somebody takes their consent to research back, by the node's operator."""
        self.gone += (individual,)
        folder = self.nodes[individual[:2]].folder
        megagenome("node", "consent", folder, individual, "withdraw", "--use", "research")

    def document(self, **other: Any) -> dict[str, Any]:
        """Counts of all alleles by all nodes."""
        sites = [{"node": node_id(c), "datasets": [dataset(c)], "key": self._keys[c]} for c in COUNTRIES]
        method = {"type": "frequencies", "variants": {"assembly": "GRCh37", "regions": ["22"]}}
        return {
            "version": 1,
            "title": "How common",
            "permit": self.permit,
            "cohort": '{"type":"everyone"}',
            "sites": sites,
            "method": method,
            **other,
        }

    def check(self, document: dict[str, Any]) -> Any:
        return self.ada.post("/studies/check", document)

    def begin(self, document: dict[str, Any] | None = None) -> str:
        return str(self.ada.post("/studies", document or self.document())["id"])

    def show(self, study: str) -> Any:
        return self.ada.get(f"/studies/{study}")

    def until(self, study: str, *states: str, patience_s: float = 60.0) -> Any:
        """The run, once it is in one of these states."""
        began, version = time.monotonic(), ""
        while True:
            shown = self.ada.get(f"/studies/{study}?after={version}")
            if shown["state"] in states:
                return shown
            assert time.monotonic() - began < patience_s, shown
            version = shown["version"]

    def counts(self, study: str) -> dict[str, Counted]:
        """What it found."""
        found = self.ada.get(f"/studies/{study}/result")["tables"]["frequencies"]
        rows = zip(*(found[name] for name in ("contig", "pos1", "ref", "alt", "het", "hom", "an")), strict=True)
        return {f"{contig}-{at}-{ref}-{alt}": tuple(counts) for contig, at, ref, alt, *counts in rows}


def node_id(country: str) -> str:
    return f"node.{country.lower()}"


def dataset(country: str) -> str:
    return f"{country}-COHORT"


@contextlib.contextmanager
def asleep(network: Network, country: str) -> Iterator[None]:
    """The node's process stands still, so that a run waits for it."""
    process = network.nodes[country].served.process
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def until_answered(network: Network, study: str, country: str) -> None:
    """Until a node did what it is asked."""
    began = time.monotonic()
    while True:
        states = {site["node"]: site["state"] for site in network.show(study)["sites"]}
        if states[node_id(country)] == "answered":
            return
        assert time.monotonic() - began < 30, states
        time.sleep(0.02)


@contextlib.contextmanager
def studying(
    top: Path,
    timing: str = "silence_s = 45",
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    is_open: bool = False,
) -> Iterator[Network]:
    """All of it running. `timing` is of the hub, `settings` are of countries' nodes; `is_open`: so are all data."""
    hub = Process("hub", make_hub(top / "hub", f"\n[studies]\n{timing}\n"))
    for name, role in (("Ada", Role.RESEARCHER), ("Bob", Role.RESEARCHER), ("Signe", Role.SIGNING_OFFICIAL)):
        grant(hub.folder, name, role, organisation="Tartu")
    for name, role in (("Chair", Role.DAC_CHAIR), ("Dora", Role.DAC_MEMBER), ("Dean", Role.DAC_MEMBER)):
        grant(hub.folder, name, role)
    made = {country: make_node(top / country, country, settings.get(country, "")) for country in COUNTRIES}
    nodes = {country: Process("node", folder) for country, folder in made.items()}
    with contextlib.ExitStack() as ending:
        ending.callback(hub.kill)
        hub.start()
        for country, node in nodes.items():
            _load(node.folder, country, *["--open"] * is_open)
            grant(node.folder, f"Decider{country}", Role.COUNTRY_DECIDER, country=country)
            megagenome("node", "join", node.folder, invitation(hub.folder, country))
            ending.callback(node.kill)
            node.start()
        yield Network(hub, nodes)


def _key(folder: Path) -> str:
    return str(json.loads(megagenome("node", "keys", folder, "--json").stdout)["keys"][0]["kid"])


def _load(folder: Path, country: str, *options: str) -> None:
    files = folder.with_name(f"{folder.name}-files")
    files.mkdir()
    people = table(country)
    lines = ["\t".join(people[0]), *("\t".join(row.values()) for row in people)]
    (files / "people.tsv").write_text("\n".join(lines) + "\n")
    text = [HEADER + "".join(f"\t{row['sample_id']}" for row in people)]
    text += [f"22\t{at}\t.\tA\tG\t.\t.\t.\tGT\t" + "\t".join(mine) for at, mine in calls(country).items()]
    with pysam.BGZFile(str(files / "cohort.vcf.gz"), "wb") as file:
        file.write(("\n".join(text) + "\n").encode())
    inputs = ["--assembly", "GRCh37", "--vcf", files / "cohort.vcf.gz", "--individuals", files / "people.tsv"]
    record = files / "dataset.json"
    record.write_text(encode_record(made_up_record(dataset(country))))
    options = [*options, "--metadata", record, "--consent-all", "--publish"]
    run("node", "load", folder, "--dataset", dataset(country), *inputs, *options)
