# SPDX-License-Identifier: Apache-2.0
"""The pages on which people find what waits for them, with 2,000 applications, over HTTP, by a signed-in session.

The applications are made as people make them, command by command; the proposals as a hub sends them.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import sqlalchemy as sa

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.measure import cpu_s
from benchmarks.parts.node import Served, served
from benchmarks.parts.signed_in import database_of, signed_in, subject_named
from megagenome.access import command_types as c
from megagenome.access.attachments import AttachmentFolder
from megagenome.access.case import World
from megagenome.access.desk import Desk, NodeWorld
from megagenome.access.form import newest_form, read_form
from megagenome.access.process import Process
from megagenome.access.reading import Reader
from megagenome.access.store import Store
from megagenome.app.directory import RoleDirectory
from megagenome.app.hub import ATTACHMENTS, init_hub, open_hub
from megagenome.app.hub_access import identify_cohort
from megagenome.app.ledger import open_keys, open_ledger
from megagenome.app.node import init_node, open_node
from megagenome.app.node_access import CollectionPermits
from megagenome.collection.cohort import HasSex, canonical, cohort_id
from megagenome.collection.model import Sex
from megagenome.identity.roles import Scope, grant_role
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.application import ApplicationId, DatasetRef
from megagenome.standards.application_form import FieldType
from megagenome.standards.exchange import sign_proposal
from megagenome.standards.permit import (
    CountryDecision,
    PermitDataset,
    PermitDocument,
    PermitPerson,
    Proposal,
    digest,
)

APPLICATIONS = 2000
ROUNDS = 20
BAR = "ours < 200"
_HOME = "university.example"
_COHORT = HasSex(Sex.FEMALE)
_DEFINITION = msgspec.json.encode(canonical(_COHORT)).decode()
_DOCUMENT = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
_DATASETS = (DatasetRef("node.ee", "EE", "GDI-EE-1"), DatasetRef("node.fi", "FI", "GDI-FI-1"))
_LAST = f"skip={APPLICATIONS - 50}"


class _Page(NamedTuple):
    """A page that somebody opens, and what it must say for it to be the page."""

    words: str
    who: str
    path: str
    says: str


_OF_HUB = (
    _Page("the committee's desk", "chair", "/desk", "2,000"),
    _Page("the committee's desk, last page", "chair", f"/desk?{_LAST}", "1951 to 2000"),
    _Page("all that came to the committee's desk", "chair", "/desk?show=all", "2,000"),
    _Page("the chair's start page", "chair", "/for-you", "2,000"),
    _Page("the applicant's list", "researcher", "/applications", "2,000"),
    _Page("the applicant's list, last page", "researcher", f"/applications?{_LAST}", "1951 to 2000"),
)
_OF_NODE = (
    _Page("the country's desk at its node", "decider", "/desk", "2,000"),
    _Page("the country's desk, last page", "decider", f"/desk?{_LAST}", "1951 to 2000"),
)


def claims(seed: int) -> Iterator[Claim]:
    """Each page, some rounds; nothing in it is random."""
    del seed
    with tempfile.TemporaryDirectory() as name:
        hub, node = Path(name) / "hub", Path(name) / "node"
        _fill_hub(hub)
        with served(hub, "hub") as at:
            yield from _timed(hub, at, _OF_HUB)
        _fill_node(node)
        with served(node) as at:
            yield from _timed(node, at, _OF_NODE)


def _timed(folder: Path, server: Served, pages: tuple[_Page, ...]) -> Iterator[Claim]:
    for page in pages:
        headers = signed_in(folder, server.port, page.who)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, trust_env=False) as client:
            _open(client, page)
            before, took = cpu_s(server.pid), []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                _open(client, page)
                took.append((time.perf_counter() - began) * 1000)
            spent_ms = (cpu_s(server.pid) - before) / ROUNDS * 1000
        words = f"{page.words}, {APPLICATIONS:,} applications"
        # the slowest is left out: one moment of somebody else's work on the machine is no property of the page
        yield claim(f"{words}: slowest but one of {ROUNDS}", "ms", sorted(took)[-2], bar=BAR)
        yield claim("... processor of one page", "ms", spent_ms)


def _open(client: httpx.Client, page: _Page) -> None:
    answer = client.get(page.path)
    if answer.status_code != 200 or page.says not in answer.text:
        raise RuntimeError(f"{page.path} answers {answer.status_code} without {page.says!r}")


def _carelessly(engine: sa.Engine) -> None:
    """What a power cut would lose is not asked while 2,000 of anything are made."""
    sa.event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF").close())


def _grant(folder: Path, name: str, role: Role, scope: Scope) -> Caller:
    engine = database_of(folder)
    with engine.begin() as connection:
        grant_role(connection, subject_named(name), role, scope, "benchmark")
    engine.dispose()
    return Caller(subject_named(name), name, frozenset({role}), registered=True)


def _fill_hub(folder: Path) -> None:
    """All of one applicant, endorsed, so that they wait for the committee."""
    init_hub(folder, name="Hub", identity="org.example.hub", port=0, assembly="GRCh38")
    researcher = _grant(folder, "researcher", Role.RESEARCHER, Scope(organisation=_HOME))
    official = _grant(folder, "official", Role.SIGNING_OFFICIAL, Scope(organisation=_HOME))
    _grant(folder, "chair", Role.DAC_CHAIR, Scope())
    hub = open_hub(folder)
    hub.engine.dispose()
    _carelessly(hub.engine)
    attachments = AttachmentFolder(folder / ATTACHMENTS)
    world = World(
        hub.settings.hub.id,
        msgspec.structs.replace(hub.settings.access, open_applications=APPLICATIONS),
        RoleDirectory(hub.engine),
        attachments,
        identify_cohort,
        _believe_nobody,
    )
    store = Store(hub.engine)
    made = _Applications(Process(store, world), Reader(store, world))
    for number in range(APPLICATIONS):
        made.apply(researcher, official, number)
    hub.engine.dispose()


def _believe_nobody(_token: str) -> CountryDecision:
    raise NotEntitled("no country decides here")


class _Applications:
    """Makes applications by commands."""

    def __init__(self, process: Process, reader: Reader) -> None:
        self._process, self._reader = process, reader
        self._orders = 0

    def apply(self, researcher: Caller, official: Caller, number: int) -> None:
        """One, up to its endorsement."""
        begun = c.Create(self._order(), cohort_id(_COHORT), _DATASETS, "data-access", _DEFINITION)
        application = self._process.create(researcher, begun).application
        attach = c.Attach("plan.pdf", hashlib.sha256(_DOCUMENT).hexdigest())
        document = self._do(researcher, application, attach, _DOCUMENT)["attachment"]
        person = self._reader.application(researcher, application).people[0].key
        self._do(researcher, application, c.SaveDraft(_answers(person, document, f"Study {number} of seizures")))
        self._do(researcher, application, c.Submit())
        self._do(official, application, c.Endorse())

    def _order(self) -> str:
        self._orders += 1
        return f"order-{self._orders:08}"

    def _do(self, who: Caller, application: ApplicationId, command: Any, content: bytes = b"") -> dict[str, str]:
        version = self._reader.application(who, application).version
        return self._process.do(who, application, c.Order(self._order(), version, command), content).told


def _answers(person: str, document: str, title: str) -> dict[str, Any]:
    """An answer to every question of the form."""
    made: dict[FieldType, Any] = {
        FieldType.TEXT: title,
        FieldType.PARAGRAPH: "Why they come, and what helps against them.",
        FieldType.DATE: clock.now().date().isoformat(),
        FieldType.NUMBER: 12,
        FieldType.ATTACHMENT: [document],
        FieldType.PEOPLE: {person: "analyses"},
        FieldType.DECLARATION: True,
    }
    found = {}
    for field in read_form(newest_form("data-access")).fields():
        first = [option.id for option in field.options][:1]
        found[field.id] = first if field.type is FieldType.MULTISELECT else made.get(field.type, *first)
    return found


def _fill_node(folder: Path) -> None:
    """Proposals to one country, each with a dataset to decide on."""
    init_node(folder, country="FI", name="", identity="node.fi", port=8601)
    _grant(folder, "decider", Role.COUNTRY_DECIDER, Scope(country="FI"))
    node = open_node(folder)
    engine, keys = node.collection.engine, open_keys(folder)
    hub_keys = SigningKeys.open(folder.with_name("hub-keys"))
    ledger = open_ledger(folder, engine, node.settings.node.id)
    world = NodeWorld("node.fi", "FI", keys, RoleDirectory(engine), CollectionPermits(), ledger, lambda: None)
    proposals = [_proposal(number) for number in range(APPLICATIONS)]
    signed = [(sign_proposal(hub_keys, each), each) for each in proposals]
    with engine.begin() as connection:
        Desk(engine, world).take_proposals(connection, "org.example.hub", signed)
    node.collection.close()


def _proposal(number: int) -> Proposal:
    now = clock.now()
    document = PermitDocument(
        id=f"permit{number:06}",
        hub="org.example.hub",
        application=f"application{number:06}",
        cohort=cohort_id(_COHORT),
        definition=_DEFINITION,
        datasets=tuple(PermitDataset(each.node, each.country, each.dataset) for each in _DATASETS),
        uses=("research",),
        people=(PermitPerson(subject_named(f"researcher-{number}"), f"Researcher {number}"),),
        starts=now.date(),
        ends=now.date() + timedelta(days=364),
        conditions=(),
        form_digest="sha256:0",
        proposed_at=now,
    )
    ends = now + timedelta(days=15, seconds=number)
    return Proposal(document, digest(document), "FI", ("GDI-FI-1",), now, ends)
