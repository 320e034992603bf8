# SPDX-License-Identifier: Apache-2.0
"""`megagenome demo`: a whole network on this machine, with simulated people or with given files."""

import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from megagenome.app.demo.model import Checked, Running, Verdict
from megagenome.kernel.callers import Role
from megagenome.kernel.durable_files import make_folder, write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.output import Json, printable, show, table

if TYPE_CHECKING:
    from megagenome.app.demo.expect import Expectation
    from megagenome.app.demo.plan import PlannedNode

demo = App(name="demo", help="Simulate some countries and serve their nodes and the hub, to try it all on one machine.")

TRUTH = "truth.json"
_NO_PERMIT = "--permit is for three simulated countries or more, and 600 people or more: leave it out"


@demo.default
def serve_network(
    *,
    nodes: int = 3,
    individuals: int = 3000,
    data: Path | None = None,
    assembly: str = "",
    port: int = 8600,
    check: Annotated[bool, Parameter(negative="")] = False,
    permit: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 1,
    keep: Path | None = None,
    json: Json = False,
) -> int:
    """Serve a network of national nodes and its hub on this machine until Ctrl-C.

    Parameters
    ----------
    nodes
        Countries to simulate, 1 to 8.
    individuals
        People to simulate, over all countries.
    data
        A folder with VCF or BCF files and people.tsv to use in place of a simulation: one node per country in it, each
        file a dataset of each country that it has people of, not declared open.
    assembly
        GRCh37 or GRCh38, of the files in --data.
    port
        The hub's; the nodes take those above it, and their sign-in service the next.
    check
        Ask questions whose right answers are known another way, then, with two countries or more, walk the way from a
        question to a permit and its end; print each answer and step, and end.
    permit
        Give the researcher a permit over the first three countries, to run studies with from the beginning.
    seed
        Another one simulates other people.
    keep
        An empty or new folder to make the nodes in; it is left when the demo ends.
    """
    # msprime takes half a second to import, and `--help` needs none of it
    from megagenome.app.demo.network import ports_from, run
    from megagenome.app.demo.plan import countries_to_simulate, plan_files
    from megagenome.app.demo.scenario import given, simulated

    if (data is None) != (not assembly):
        raise Invalid("--data and --assembly go together: --data DIR --assembly GRCh37")
    if permit and (data is not None or nodes < 3 or individuals < 600):
        raise Invalid(_NO_PERMIT)
    with _stopped_by_signals(), _folder(keep) as folder:
        if data is None:
            countries = countries_to_simulate(nodes)
            ports = ports_from(port, len(countries))
            scenario = simulated(countries, individuals, seed, _say)
        else:
            planned = plan_files(data, assembly)
            ports = ports_from(port, len(planned))
            scenario = given(planned, _say, checking=check)
        if scenario.expectation:
            with write_durably(folder / TRUTH) as file:
                file.write(msgspec.json.format(msgspec.json.encode(scenario.expectation.truth)))
        with run(folder, scenario.planned, scenario.offers, ports, _say) as network:
            if check and scenario.expectation:
                return _judge(_checked(scenario.planned, scenario.expectation, network), json=json)
            if permit:
                _say(_grant(scenario.planned, scenario.expectation, network))
            return _wait(network, json=json)


def _checked(planned: list["PlannedNode"], expectation: "Expectation", network: Running) -> Iterator[Checked]:
    from megagenome.app.demo.check import check_network, check_registered
    from megagenome.app.demo.walk import walk
    from megagenome.app.demo.walk.plan import way_through

    yield from check_network(expectation, network)
    yield from check_registered(expectation, network, network.login(Role.RESEARCHER))
    if way := way_through(planned, expectation, network):
        yield from walk(way)


def _grant(planned: list["PlannedNode"], expectation: "Expectation | None", network: Running) -> str:
    from megagenome.app.demo.walk import grant
    from megagenome.app.demo.walk.plan import way_through

    way = way_through(planned, expectation, network) if expectation else None
    if way is None or way.study is None:
        raise Invalid(_NO_PERMIT)
    where = ", ".join(site.country for site in way.study.sites)
    return f"the researcher holds permit {grant(way, way.study)} over {where}: {network.hub.url}/study/new"


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="megagenome-demo-") as name:
            yield Path(name)
    elif keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Conflict(f"{keep} is not an empty folder: give another to --keep, or empty it")
    else:
        make_folder(keep)
        yield keep


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does, with its servers and its folder."""

    def stop(_signum: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = [(signum, signal.signal(signum, stop)) for signum in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for signum, handle in before:
            signal.signal(signum, handle)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _wait(network: Running, *, json: bool) -> int:
    show(network, json=json, render=_running)
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    return 0


def _running(network: Running) -> RenderableType:
    rows = [[server.name, server.url] for server in (network.hub, *network.nodes)]
    people = [[login.name, login.password, login.does, login.first] for login in network.logins]
    attempts = "\n".join(f"  {command}" for command in network.attempts)
    return Group(
        table(["", "address"], rows),
        "Sign in as one of these; they are made up, and their passwords are new at each start:",
        table(["name", "password", "what they do", "begin at"], people),
        f"Begin at {network.hub.url}: as the researcher, count a cohort and apply for its data.",
        f"Try, in another terminal:\n{attempts}\nCtrl-C ends it all.",
    )


def _judge(asked: Iterable[Checked], *, json: bool) -> int:
    """Show each question as it is answered (or all as JSON in the end); 0 when every answer is right."""
    questions = []
    for each in asked:
        questions.append(each)
        if not json:
            sys.stdout.write(_line(each) + "\n")  # a line is a line, however wide the terminal is
            sys.stdout.flush()
    wrong = sum(not each.ok for each in questions)
    show(Verdict(len(questions) - wrong, wrong, questions), json=json, render=_summary)
    return 1 if wrong or not questions else 0


def _line(asked: Checked) -> str:
    mark = "ok   " if asked.ok else "WRONG"
    return printable(f"{mark}  {asked.asked}: {asked.question}: expected {asked.expected}; got {asked.got}")


def _summary(verdict: Verdict) -> str:
    total = verdict.right + verdict.wrong
    return f"{verdict.wrong} of {total} answers are WRONG" if verdict.wrong else f"all {total} answers are right"
