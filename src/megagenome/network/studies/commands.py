# SPDX-License-Identifier: Apache-2.0
"""`megagenome study`: studies over several nodes, by their hub, and the crates in which results are taken away."""

import contextlib
import heapq
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console, Group, RenderableType
from rich.live import Live

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, TooLarge
from megagenome.kernel.output import Json, printable, show, table
from megagenome.network.studies.client import Network, Study, read_document
from megagenome.network.studies.result_files import Value, csv_of, parquet_of
from megagenome.standards import study_crate
from megagenome.standards.study import digest
from megagenome.standards.study_crate import Verified
from megagenome.standards.study_shown import (
    OVER,
    CheckShown,
    ResultShown,
    RunState,
    SiteKeys,
    SiteState,
    StudyList,
    StudyShown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HUB = "http://127.0.0.1:8600"
ROWS = 20
Columns = dict[str, list[Value]]
STATES = {
    RunState.CHECKING: "the nodes look whether their rules let them take part",
    RunState.RUNNING: "running",
    RunState.WAITING: "computed; it waits for a named person to release it",
    RunState.FINISHED: "finished",
    RunState.STOPPED: "stopped",
}

DocumentFile = Annotated[Path, Parameter(help="A study document, JSON; docs/running-studies.md shows one.")]
Ident = Annotated[str, Parameter(help="The study's id, as `study run` printed it.")]
HubUrl = Annotated[str, Parameter(help="The hub.", env_var="MEGAGENOME_HUB")]
TokenFile = Annotated[
    Path | None, Parameter(help="A file with your token; else it is taken from the variable MEGAGENOME_TOKEN.")
]

study = App(name="study", help="Run studies over several nodes, and verify what they found.")


@study.command
def check(file: DocumentFile, /, *, hub: HubUrl = HUB, token_file: TokenFile = None, json: Json = False) -> int:
    """What is against a study, before anything runs: `megagenome study check height.json`."""
    document = read_document(file)
    with _network(hub, token_file) as network:
        findings = CheckShown(digest(document), network.check(document))
    show(findings, json=json, render=_findings)
    return 3 if findings.findings else 0


@study.command
def run(
    file: DocumentFile,
    /,
    *,
    hub: HubUrl = HUB,
    token_file: TokenFile = None,
    wait: Annotated[bool, Parameter(help="Stay and show each node's progress until it is over.")] = True,
    json: Json = False,
) -> int:
    """Run a study: `megagenome study run height.json`. Interrupting this command does not end the study."""
    document = read_document(file)
    with _network(hub, token_file) as network:
        begun = network.run(document)
        print(f"study {begun.id}, also at {network.url}/study/{begun.id}", file=sys.stderr)
        shown = _watch(begun) if wait else begun.status()
    show(shown, json=json, render=_status)
    return _exit_code(shown) if wait else 0


@study.command(name="list")
def list_(*, hub: HubUrl = HUB, token_file: TokenFile = None, json: Json = False) -> int:
    """Your studies, newest first."""
    with _network(hub, token_file) as network:
        found = StudyList(network.studies())
    show(found, json=json, render=_list)
    return 0


@study.command
def sites(*, hub: HubUrl = HUB, token_file: TokenFile = None, json: Json = False) -> int:
    """The network's nodes, each with the key that a study document names it by."""
    with _network(hub, token_file) as network:
        found = SiteKeys(network.sites())
    show(found, json=json, render=lambda told: table(("node", "key"), told.keys.items()))
    return 0


@study.command
def status(
    ident: Ident,
    /,
    *,
    hub: HubUrl = HUB,
    token_file: TokenFile = None,
    wait: Annotated[bool, Parameter(help="Stay until it is over.", negative="")] = False,
    json: Json = False,
) -> int:
    """Where a study is: `megagenome study status S0123456789abcdef`."""
    with _network(hub, token_file) as network:
        found = network.study(ident)
        shown = _watch(found) if wait else found.status()
    show(shown, json=json, render=_status)
    return _exit_code(shown) if wait else 0


@study.command
def result(
    ident: Ident,
    /,
    *,
    hub: HubUrl = HUB,
    token_file: TokenFile = None,
    out: Annotated[Path | None, Parameter(help="A folder for the tables, and the crate.")] = None,
    parquet: Annotated[bool, Parameter(help="Tables as Parquet instead of CSV.", negative="")] = False,
    json: Json = False,
) -> int:
    """What a study found: `megagenome study result S0123456789abcdef --out height`."""
    with _network(hub, token_file) as network:
        found = network.study(ident)
        told = found.shown_result()
        if out is not None:
            _write(told, out, found.crate(), parquet=parquet)
            print(f"its tables and its crate are in {out}", file=sys.stderr)
    show(told, json=json, render=_result)
    return 0


@study.command
def cancel(ident: Ident, /, *, hub: HubUrl = HUB, token_file: TokenFile = None, json: Json = False) -> int:
    """End a study of yours: `megagenome study cancel S0123456789abcdef`."""
    with _network(hub, token_file) as network:
        found = network.study(ident)
        found.cancel()
        shown = found.status()
    show(shown, json=json, render=_status)
    return 0


@study.command
def verify(
    file: Annotated[Path, Parameter(help="A crate, as `study result --out` or a result's page gives it.")],
    /,
    *,
    hub: Annotated[str, Parameter(help="The hub that must have signed it; its keys are asked for.")] = "",
    key: Annotated[str, Parameter(help="The thumbprint of the key that must have signed it.")] = "",
    json: Json = False,
) -> int:
    """Whether a crate is as a hub signed it: `megagenome study verify height.crate.zip --hub https://hub.example`."""
    try:
        size = file.stat().st_size
        if size > study_crate.LARGEST_BYTES:
            raise TooLarge(f"{file}: {size:,} bytes are more than any crate has")
        content = file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file}: {error.strerror}") from None
    trusted = None
    if hub:
        with Network(hub) as network:
            trusted = network.keys()
    verified = study_crate.open_crate(content, trusted)
    if key and verified.key != key:
        raise Corrupt(f"{file} was signed with the key {verified.key}, not {key}")
    show(verified, json=json, render=lambda found: _verified(found, named=bool(hub or key)))
    return 0


def _network(hub: str, token_file: Path | None) -> Network:
    try:
        return Network(hub, "" if token_file is None else token_file.read_text().strip())
    except OSError as error:
        raise Invalid(f"{token_file}: {error.strerror}: name a file with your token") from None


def _exit_code(shown: StudyShown) -> int:
    return 1 if shown.state is RunState.STOPPED else 0


def _watch(found: Study) -> StudyShown:
    """Show each node's progress until the study is over; on a terminal, in place."""
    shown = found.status()
    with _live() as draw:
        for shown in found.follow():
            draw(shown)
    return shown


@contextlib.contextmanager
def _live() -> "Iterator[_Draw]":
    if not sys.stderr.isatty():
        yield _Draw(None)
        return
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield _Draw(live)


class _Draw:
    """Where there is no terminal, a line for each step."""

    def __init__(self, live: Live | None) -> None:
        self._live, self._said = live, ""

    def __call__(self, shown: StudyShown) -> None:
        step = f"{shown.epoch}: {shown.state}: {shown.step}"
        if self._live is not None:
            self._live.update(_status(shown), refresh=True)
        elif step != self._said and shown.state not in OVER:
            print(printable(_where(shown)), file=sys.stderr, flush=True)
        self._said = step


def _findings(found: CheckShown) -> RenderableType:
    if not found.findings:
        return f"Nothing is against it, as far as the hub can say; each node looks for itself. {found.document}"
    return Group(*(printable(f"- {finding}") for finding in found.findings))


def _where(shown: StudyShown) -> str:
    where = STATES[shown.state]
    if shown.state is RunState.RUNNING:
        where += f": round {shown.round + 1}, {shown.step or 'the hub computes'}"
    return f"{where}: {shown.reason}" if shown.reason else where


def _list(found: StudyList) -> RenderableType:
    rows = [(each.id, each.title, each.method, each.state, each.created[:16]) for each in found.studies]
    return table(("study", "title", "method", "state", "begun (UTC)"), rows)


def _status(shown: StudyShown) -> RenderableType:
    people = "" if shown.people is None else f", {shown.people:,} people"
    rows = [
        (site.node, _part(site.state), f"{site.up_bytes:,}", f"{site.down_bytes:,}", site.reason)
        for site in shown.sites
    ]
    return Group(
        printable(f"{shown.id}  {shown.title} ({shown.method}{people})"),
        printable(_where(shown)),
        table(("node", "part", "bytes sent", "bytes received", "reason"), rows),
        *([f"What it found: megagenome study result {shown.id}"] if shown.state is RunState.FINISHED else []),
    )


def _part(state: SiteState) -> str:
    return {SiteState.ASKED: "asked", SiteState.WORKING: "works", SiteState.ANSWERED: "answered"}.get(state, str(state))


def _result(told: ResultShown) -> RenderableType:
    shown: list[RenderableType] = [
        table(("", ""), [(name, value) for name, value in told.summary.items()], title="summary")
    ]
    for name, columns in told.tables.items():
        rows, order = _first(columns)
        total = len(next(iter(columns.values()), []))
        title = f"{name}: {len(rows)} of {total:,} rows{order}; --out DIR writes all" if len(rows) < total else name
        shown.append(table(tuple(columns), rows, title=title))
    return Group(*shown, *(printable(f"- {note}") for note in told.notes))


def _first(columns: Columns) -> tuple[list[list[Value]], str]:
    """The rows that a reader looks for first, and in which order they are, for a title."""
    total, order = len(next(iter(columns.values()), [])), ""
    chosen: Iterable[int] = range(min(total, ROWS))
    if total > ROWS and "p" in columns:
        p, order = columns["p"], ", smallest p first"
        chosen = heapq.nsmallest(ROWS, range(total), key=lambda k: (p[k] is None, p[k]))
    return [[_whole(column[k]) for column in columns.values()] for k in chosen], order


def _whole(value: Value) -> Value:
    """Counts of which some are withheld came as fractions."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _verified(found: Verified, *, named: bool) -> RenderableType:
    run = found.run
    whose = "the one you named" if named else "whose it is was not looked at: name the hub with --hub"
    rows = [
        (site.node, "yes" if site.in_result else "no", ", ".join(site.datasets), site.version, site.up_bytes)
        for site in run.sites
    ]
    bound = max((each.largest_error for step in run.rounds for each in step.sums), default=0.0)
    tests = [site.self_test for site in run.sites if site.in_result]
    known = [each for each in tests if each is not None]
    test = f"{len(known)} of {len(tests)} nodes, at most {max(known):.0e} off on planted people" if known else "none"
    return Group(
        printable(f"The crate is whole. Signed with the key {found.key}: {whose}."),
        printable(f"{run.title}: {run.method}, study {run.document}, run {run.id} at {run.hub}, ended {run.ended}"),
        printable(f"{len(run.rounds)} rounds; fixed-point error of a sum at most {bound:.2g}; self-test: {test}"),
        table(("node", "in the result", "datasets", "version", "bytes sent"), rows),
    )


def _write(told: ResultShown, folder: Path, crate: bytes, *, parquet: bool) -> None:
    """The tables and the crate as files. Raises `Conflict` where one is there already: nothing is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{told.id}.crate.zip": crate, "result.json": msgspec.json.encode(told)}
    for name, columns in told.tables.items():
        ending, content = ("parquet", parquet_of(columns)) if parquet else ("csv", csv_of(columns).encode())
        files[f"{name}.{ending}"] = content
    if there := [name for name in files if (folder / name).exists()]:
        raise Conflict(f"{folder / there[0]} is there already: choose another folder")
    for name, content in files.items():
        with write_durably(folder / name) as opened:
            opened.write(content)
