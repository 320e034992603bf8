# SPDX-License-Identifier: Apache-2.0
"""A hub with one node that joined it, their people, and the way of an application up to the countries' decisions, all
by the JSON APIs of real processes."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from megagenome.app.node import Node, open_node
from megagenome.collection.cohort import HasSex, canonical, cohort_id
from megagenome.collection.model import Sex, Use
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.ids import PermitId
from megagenome.network.freshness import Freshness
from tests.access.hub import PDF, complete_answers
from tests.journeys.nations import run
from tests.journeys.network import Served, megagenome, serving
from tests.journeys.signed_in import Person, grant, subject
from tests.journeys.small import load_options
from tests.journeys.test_joining import invitation, make_hub, make_node

COHORT = HasSex(Sex.FEMALE)
CRITERIA = (
    "institutional_sign_off",
    "analysis_plan",
    "data_minimisation",
    "algorithms",
    "ethics",
    "funding",
    "project_description",
    "peer_review",
)
_ids = itertools.count(1)


class Way:
    """The network, and one application on its way."""

    def __init__(self, hub: Served, node: Served, node_url: str = "") -> None:
        self.hub, self.node = hub, node
        names = ("Ada", "Signe", "Chair", "Dora", "Dean")
        self.ada, self.signe, self.chair, self.dora, self.dean = (Person(hub, name) for name in names)
        self.finn, self.fred = (Person(node, name, node_url) for name in ("Finn", "Fred"))
        self.application = ""

    def show(self, who: Person | None = None) -> Any:
        return (who or self.ada).get(f"/access/applications/{self.application}")

    def command(self, who: Person, kind: str, **fields: object) -> Any:
        """At the version that is there."""
        order = {"id": f"command-{next(_ids):06}", "version": self.show(who)["version"]}
        path = f"/access/applications/{self.application}/commands"
        return who.post(path, {**order, "command": {"type": kind, **fields}})

    def submit(self) -> None:
        """Ada saves a cohort and applies with it, with all that the form asks for."""
        definition = msgspec.json.encode(canonical(COHORT)).decode()
        cohort = {"cohort": cohort_id(COHORT), "definition": definition, "question": "sex=female", "title": "Women"}
        saved = self.ada.post("/access/cohorts", cohort)
        begun = {
            "id": f"create-{next(_ids):06}",
            "cohort": saved["cohort"]["id"],
            "datasets": [{"node": "node.fi", "country": "FI", "dataset": "FI-SMALL"}],
            "form": "data-access",
        }
        self.application = self.ada.post("/access/applications", begun)["application"]
        shown = self.show()
        query = {"id": f"attach-{next(_ids):06}", "version": shown["version"], "name": "plan.pdf"}
        path = f"/access/applications/{self.application}/attachments"
        attached = self.ada.call("POST", path, params=query, content=PDF)
        assert attached.status_code == 201, attached.text
        people = {each["key"] for each in self.show()["people"] if each["role"] in ("applicant", "member")}
        answers = complete_answers(attached.json()["told"]["attachment"], people)
        self.command(self.ada, "save-draft", answers=answers)
        self.command(self.ada, "submit")

    def request(self) -> str:
        """From submission to the request to the countries; the id of the permit."""
        self.submit()
        self.command(self.signe, "endorse")
        self.command(self.chair, "begin-assessment")
        for who in (self.chair, self.dora, self.dean):
            self.command(who, "declare-interest", conflict=False)
        for who, criterion in itertools.product((self.dora, self.dean), CRITERIA):
            self.command(who, "vote", criterion=criterion, vote="met", note="because")
        dates = {"starts": "2020-01-01", "ends": "2029-12-31"}
        self.command(self.chair, "recommend", advice="approve", reasons="yes", uses=["research"], **dates)
        self.command(self.chair, "request-decisions")
        return str(self.chair.get(f"/access/applications/{self.application}/permit")["id"])

    def waiting(self) -> list[str]:
        """Permits that wait at the node's desk."""
        return [item["permit"] for item in self.finn.get("/access/desk")["items"] if item["waits"]]

    def decide(self, permit: str, verdict: str = "approved", who: Person | None = None, reasons: str = "") -> Any:
        """What somebody of Finland decides at the node."""
        body = {"decisions": [{"dataset": "FI-SMALL", "verdict": verdict, "reasons": reasons}]}
        return (who or self.finn).post(f"/access/desk/{permit}/decision", body)


@contextlib.contextmanager
def folders(top: Path, node_settings: str = "", node_url: str = "") -> Iterator[tuple[Path, Path]]:
    """A hub and a Finnish node that joined it, with their people; none is served any more.

    node_url  the address that the node says it has, in place of its own
    """
    hub_folder, node_folder = make_hub(top / "hub"), make_node(top / "fi", "FI", node_settings)
    if node_url:
        path = node_folder / "node.toml"
        path.write_text(path.read_text().replace("[node]\n", f'[node]\nurl = "{node_url}"\n'))
    run("node", "load", node_folder, *load_options(top / "files", "FI"))
    for name in ("Ada",):
        grant(hub_folder, name, Role.RESEARCHER, organisation="Tartu")
    grant(hub_folder, "Signe", Role.SIGNING_OFFICIAL, organisation="Tartu")
    grant(hub_folder, "Chair", Role.DAC_CHAIR)
    for name in ("Dora", "Dean"):
        grant(hub_folder, name, Role.DAC_MEMBER)
    for name in ("Finn", "Fred"):
        grant(node_folder, name, Role.COUNTRY_DECIDER, country="FI")
    with serving("hub", [hub_folder], own_ports=True):
        megagenome("node", "join", node_folder, invitation(hub_folder, "FI"))
    yield hub_folder, node_folder


@contextlib.contextmanager
def way(top: Path, node_settings: str = "", node_url: str = "") -> Iterator[Way]:
    """The same, both served."""
    with (
        folders(top, node_settings, node_url) as (hub_folder, node_folder),
        serving("hub", [hub_folder], own_ports=True) as [hub],
        serving("node", [node_folder], own_ports=True) as [node],
    ):
        yield Way(hub, node, node_url)


class Reader:
    """Ada's reading by permit at the node's collection, from a process beside the node's server."""

    def __init__(self, folder: Path, longest_silence_s: float = 300) -> None:
        from megagenome.app.journal import LedgerJournal
        from megagenome.app.ledger import open_ledger

        self.node: Node = open_node(folder)
        collection = self.node.collection
        collection.journal = LedgerJournal(open_ledger(folder, collection.engine, self.node.settings.node.id))
        collection.require_fresh = Freshness(collection.engine, longest_silence_s).require

    def why_not(self, permit: str) -> str:
        """Why she may not read now; empty where she may."""
        try:
            self.node.collection.open(
                Caller(subject("Ada"), "Ada"), Use.RESEARCH, permit=PermitId(permit)
            ).count_people()
        except MegagenomeError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def close(self) -> None:
        self.node.collection.close()
