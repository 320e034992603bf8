# SPDX-License-Identifier: Apache-2.0
"""A hub's application process with people, over a real database, at an hour that tests set. A stand-in signs."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access import tables as t
from megagenome.access.attachments import AttachmentFolder
from megagenome.access.case import World
from megagenome.access.exchange import node_caller
from megagenome.access.fold import fold
from megagenome.access.model import Application
from megagenome.access.process import Process
from megagenome.access.reading import GrantedPermit, Reader
from megagenome.access.settings import AccessSettings, Window
from megagenome.access.store import Store
from megagenome.collection.cohort import Cohort, HasSex, canonical, cohort_id
from megagenome.collection.model import Sex
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import NotEntitled
from megagenome.standards.application import (
    Advice,
    ApplicationId,
    ApplicationShown,
    Criterion,
    DatasetRef,
    Outcome,
    Vote,
)
from megagenome.standards.permit import CountryDecision, DatasetDecision, Proposal, Verdict, encode
from tests.kernel.records import are_files, open_records

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""A Monday."""
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
COHORT = HasSex(Sex.FEMALE)
DEFINITION = msgspec.json.encode(canonical(COHORT)).decode()
DATASETS = (
    DatasetRef("node-ee", "EE", "GDI-EE-1"),
    DatasetRef("node-ee", "EE", "GDI-EE-2"),
    DatasetRef("node-fi", "FI", "GDI-FI-1"),
)


def person(name: str, *roles: Role) -> Caller:
    """Somebody who is signed in."""
    return Caller(f"{name.lower()}@https://idp.example", name, frozenset(roles), registered=True)


ADA = person("Ada", Role.RESEARCHER)
BEN = person("Ben", Role.RESEARCHER)
SIGNE = person("Signe", Role.SIGNING_OFFICIAL)
OTTO = person("Otto", Role.SIGNING_OFFICIAL)  # of another organisation
CHAIR = person("Chair", Role.DAC_CHAIR)
DORA = person("Dora", Role.DAC_MEMBER)
DEAN = person("Dean", Role.DAC_MEMBER)
EEVA = person("Eeva", Role.COUNTRY_DECIDER)
FINN = person("Finn", Role.COUNTRY_DECIDER)
ELLE = person("Elle", Role.COUNTRY_DECIDER)
SVEA = person("Svea", Role.COUNTRY_DECIDER)  # of a country that nobody asks
STEW = person("Stew", Role.DATA_STEWARD)
AUDREY = person("Audrey", Role.AUDITOR)
STRANGER = person("Stranger", Role.RESEARCHER)
BOTH = person("Both", Role.SIGNING_OFFICIAL, Role.RESEARCHER, Role.COUNTRY_DECIDER, Role.DATA_STEWARD)
RESEARCHERS = {ADA: {"Tartu"}, BEN: {"Oulu"}, STRANGER: {"Oulu"}, BOTH: {"Tartu"}}
SIGNING = {SIGNE: {"Tartu"}, OTTO: {"Oulu"}, BOTH: {"Oulu"}}
COUNTRIES = {EEVA: {"EE"}, ELLE: {"EE"}, FINN: {"FI"}, SVEA: {"SE"}, BOTH: {"SE"}}
BRINGS = {EEVA: node_caller("node-ee"), ELLE: node_caller("node-ee"), FINN: node_caller("node-fi")}
"""The node at which each decides, which brings what they decided."""
KEEPING = {STEW: {"EE"}, BOTH: {"EE"}}
PLACES = {
    Role.RESEARCHER: RESEARCHERS,
    Role.SIGNING_OFFICIAL: SIGNING,
    Role.COUNTRY_DECIDER: COUNTRIES,
    Role.DATA_STEWARD: KEEPING,
}


class People:
    """The directory: for whom each of these acts."""

    def organisations(self, subject: str, role: Role) -> frozenset[str]:
        return self.countries(subject, role)

    def countries(self, subject: str, role: Role) -> frozenset[str]:
        return frozenset(next((found for who, found in PLACES[role].items() if who.subject == subject), ()))


def identify(definition: str) -> str:
    return cohort_id(msgspec.json.decode(definition, type=Cohort))


def verify(token: str) -> CountryDecision:
    """A stand-in for a signature: `signed.` before the document."""
    signed, _, text = token.partition(".")
    if signed != "signed":
        raise NotEntitled("the signature is not that of the node")
    return msgspec.json.decode(text, type=CountryDecision)


class Walked(NamedTuple):
    """A hub's folder after a step of the way, walked once and copied for every later test that begins there."""

    application: ApplicationId
    database: bytes
    attachments: dict[str, bytes]
    ids: int


WALKED: dict[str, Walked] = {}


def begins_here(step: Callable[["Hub"], ApplicationId]) -> Callable[["Hub"], ApplicationId]:
    """The step, or a copy of where it led when a fresh hub went it before."""

    def walk(hub: "Hub") -> ApplicationId:
        if hub.now != START or hub.last_id or not hub.is_plain or not are_files():
            return step(hub)
        if step.__name__ not in WALKED:
            application = step(hub)
            kept = {each: hub.world.attachments.get(each) for each in hub.world.attachments.ids()}
            hub.store.engine.dispose()
            WALKED[step.__name__] = Walked(application, hub.database.read_bytes(), kept, hub.last_id)
            return application
        walked = WALKED[step.__name__]
        hub.store.engine.dispose()
        for path in hub.database.parent.glob("hub.db*"):
            path.unlink()
        hub.database.write_bytes(walked.database)
        for name, content in walked.attachments.items():
            hub.world.attachments.put(name, content)
        hub.last_id = walked.ids
        return walked.application

    return walk


class Hub:
    """A process, its reader, and an hour."""

    def __init__(self, folder: Path, settings: AccessSettings | None = None) -> None:
        self.database = folder / "hub.db"
        self.is_plain = settings is None
        chosen = settings or AccessSettings(windows=(Window("FI", 10, "FI: 10 working days"),))
        engine = open_records(self.database)
        # what a power cut would lose is not asked here; and Debian's SQLite overwrites what is deleted by itself
        for pragma in ("synchronous=OFF", "secure_delete=OFF") if are_files() else ():
            sa.event.listen(engine, "connect", lambda made, _, pragma=pragma: made.execute(f"PRAGMA {pragma}").close())
        self.store = Store(engine)
        attachments = AttachmentFolder(folder / "attachments")
        self.world = World("org.example.hub", chosen, People(), attachments, identify, verify)
        self.process = Process(self.store, self.world)
        self.reader = Reader(self.store, self.world)
        self.now = START
        self.last_id = 0

    def close(self) -> None:
        self.store.engine.dispose()

    def pass_time(self, **amount: float) -> None:
        self.now += timedelta(**amount)
        self.process.fire_due()

    def id(self) -> str:
        self.last_id += 1
        return f"command-{self.last_id:06}"

    def create(self, caller: Caller = ADA, **other: Any) -> ApplicationId:
        return self.process.create(caller, self.begun(**other)).application

    def begun(self, **other: Any) -> c.Create:
        fields: dict[str, Any] = {
            "id": self.id(),
            "cohort": cohort_id(COHORT),
            "definition": DEFINITION,
            "datasets": DATASETS,
            "form": "data-access",
        }
        return c.Create(**{**fields, **other})

    def view(self, application: ApplicationId) -> Application:
        with self.store.transaction() as transaction:
            return fold(application, transaction.events(application))

    def do(self, caller: Caller, application: ApplicationId, command: c.Command, content: bytes = b"") -> Outcome:
        """Do it at the version that is there; what a decider decided, their node brings."""
        if isinstance(command, c.RecordDecision):
            caller = BRINGS.get(caller, caller)
        version = self.view(application).version
        return self.process.do(caller, application, c.Order(self.id(), version, command), content)

    def show(self, caller: Caller, application: ApplicationId) -> ApplicationShown:
        return self.reader.application(caller, application)

    def proposals(self, node: str) -> tuple[Proposal, ...]:
        """All that a node's countries are asked."""
        with self.store.transaction() as transaction:
            ids = transaction.connection.scalars(sa.select(t.application.c.id)).all()
            asked = (self.reader.proposals_of(transaction, ApplicationId(each), node) for each in ids)
            return tuple(proposal for each in asked for proposal in each)

    def standing(self, application: ApplicationId) -> GrantedPermit | None:
        """The permit of an application that was recommended, as it stands; None where there is none."""
        proposed = self.view(application).recommendation.permit
        return None if proposed is None else self.reader.granted(proposed.id)

    # The way, in steps

    def attach(self, application: ApplicationId, name: str = "plan.pdf", content: bytes = PDF) -> str:
        command = c.Attach(name, hashlib.sha256(content).hexdigest())
        return self.do(ADA, application, command, content).told["attachment"]

    def fill(self, application: ApplicationId) -> dict[str, Any]:
        """Everything that the form asks for."""
        document = self.attach(application)
        view = self.view(application)
        answers = complete_answers(document, {view.applicant, *view.members})
        self.do(ADA, application, c.SaveDraft(answers))
        return answers

    @begins_here
    def submitted(self) -> ApplicationId:
        application = self.create()
        self.fill(application)
        self.do(ADA, application, c.Submit())
        return application

    @begins_here
    def assessing(self) -> ApplicationId:
        application = self.submitted()
        self.do(SIGNE, application, c.Endorse())
        self.do(CHAIR, application, c.BeginAssessment())
        return application

    @begins_here
    def voted(self) -> ApplicationId:
        application = self.assessing()
        self.vote(application)
        self.do(CHAIR, application, c.DeclareInterest(False))
        return application

    def vote(self, application: ApplicationId, vote: Vote = Vote.MET) -> None:
        for member in (DORA, DEAN):
            self.do(member, application, c.DeclareInterest(False))
            for criterion in Criterion:
                self.do(member, application, c.CastVote(criterion, vote, "because"))

    def recommended(self, advice: Advice = Advice.APPROVE) -> ApplicationId:
        application = self.voted()
        self.do(CHAIR, application, recommendation(advice))
        return application

    @begins_here
    def requested(self) -> ApplicationId:
        application = self.recommended()
        self.do(CHAIR, application, c.RequestDecisions())
        return application

    @begins_here
    def active(self) -> ApplicationId:
        """Estonia granted one dataset, refused the other; Finland has not answered."""
        application = self.requested()
        self.decide(EEVA, application, {"GDI-EE-1": Verdict.APPROVED, "GDI-EE-2": Verdict.REFUSED})
        return application

    def decide(self, caller: Caller, application: ApplicationId, verdicts: dict[str, Verdict], **other: Any) -> Outcome:
        token = self.sign(caller, application, verdicts, **other)
        return self.do(caller, application, c.RecordDecision(token))

    def sign(self, caller: Caller, application: ApplicationId, verdicts: dict[str, Verdict], **other: Any) -> str:
        recommendation = self.view(application).recommendation
        permit = recommendation.permit if recommendation else None
        [country] = COUNTRIES.get(caller, {"EE"})
        fields: dict[str, Any] = {
            "permit": permit.id if permit else "",
            "permit_digest": permit.digest if permit else "",
            "node": f"node-{country.lower()}",
            "country": country,
            "decisions": tuple(DatasetDecision(d, v, "" if v == "approved" else "why") for d, v in verdicts.items()),
            "decided_by": caller.subject,
            "decided_at": self.now,
        }
        return "signed." + encode(CountryDecision(**{**fields, **other})).decode()


def complete_answers(document: str, people: set[Any]) -> dict[str, Any]:
    return {
        "people": dict.fromkeys(people, "analyses"),
        "applicant_kind": "university",
        "title": "Seizures in Europe",
        "uses": ["research"],
        "description": "x",
        "benefit": "x",
        "commercial": "no",
        "minimisation": "x",
        "form_of_data": "anonymised",
        "legal_basis": "6-1-e",
        "own_data": "no",
        "opt_out_exception": "no",
        "tools": "x",
        "algorithms": "x",
        "starts": "2026-12-01",
        "months": 12,
        "safeguards": "x",
        "ethics": "x",
        "prohibited": True,
        "stigma": True,
        "no_reidentification": True,
        "publication": True,
        "ethics_approval": [document],
        "project_description": [document],
        "analysis_plan": [document],
        "peer_review": [document],
    }


def recommendation(advice: Advice = Advice.APPROVE) -> c.Recommend:
    if advice is Advice.REJECT:
        return c.Recommend(advice, "no")
    return c.Recommend(
        advice, "yes", ("research",), date(2026, 12, 1), date(2027, 11, 30), ("No attempt to re-identify.",)
    )


@contextmanager
def open_hub(folder: Path, settings: AccessSettings | None = None) -> Iterator[Hub]:
    """A hub whose hour is its own: nothing in it reads the wall clock."""
    hub, wall = Hub(folder, settings), clock.now
    clock.now = lambda: hub.now
    try:
        yield hub
    finally:
        clock.now = wall
        hub.close()
