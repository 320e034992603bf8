# SPDX-License-Identifier: Apache-2.0
"""What ends reading by a permit, over real processes: a revocation at the hub, and a person's withdrawal of consent.

Both are promises to people, so the longest time of all rounds counts.
"""

import contextlib
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness.claim import Claim, claim
from megagenome.app.demo.model import Running
from megagenome.app.demo.network import ports_from, run
from megagenome.app.demo.scenario import Scenario, simulated
from megagenome.app.demo.walk import walk
from megagenome.app.demo.walk.apply import apply, assess
from megagenome.app.demo.walk.browser import Browser
from megagenome.app.demo.walk.decide import decide
from megagenome.app.demo.walk.model import Way
from megagenome.app.demo.walk.party import Party
from megagenome.app.demo.walk.plan import way_through
from megagenome.app.demo.walk.stop import MY_GENOME, REVOCATION_S, WITHDRAWAL_S, revoke, withdraw
from megagenome.app.demo.walk.tiers import register
from megagenome.kernel.errors import Conflict

COUNTRIES = ("FI", "EE")
INDIVIDUALS = 300
ROUNDS = 5
PORTS = 18_000, 19_000, 4

_COURSE = (Party.sign_in, register, apply, assess, decide, withdraw, revoke)
"""Without what is read in between, and without the ledgers."""


def claims(seed: int) -> Iterator[Claim]:
    """A permit in each round, asked for, granted and used; then somebody withdraws, then it is revoked."""
    scenario = simulated(COUNTRIES, INDIVIDUALS, seed, _say)
    with (
        tempfile.TemporaryDirectory() as folder,
        run(Path(folder), scenario.planned, scenario.offers, _free_ports(), _say) as network,
    ):
        way = _way(scenario, network)
        rounds = [_walk(way) for _ in range(ROUNDS)]
    longest = {what: max(each[what] for each in rounds) for what in ("revocation", "withdrawal")}
    ended = f"a revocation at the hub ends reading at a node, longest of {ROUNDS}"
    yield claim(ended, "s", longest["revocation"], bar=f"ours < {REVOCATION_S:g}")
    left = f"a withdrawal of consent reaches readings by permit, longest of {ROUNDS}"
    yield claim(left, "s", longest["withdrawal"], bar=f"ours < {WITHDRAWAL_S:g}")


def _way(scenario: Scenario, network: Running) -> Way:
    way = way_through(scenario.planned, scenario.expectation, network) if scenario.expectation else None
    if way is None:
        raise RuntimeError("the scenario has no truth, or nobody to read about")
    return way


def _walk(way: Way) -> dict[str, float]:
    """What was measured; endless where the walk ended before. Before both there is nothing to measure."""
    seconds: dict[str, float] = {}
    for step in walk(way, seconds, _COURSE):
        if not step.ok and not seconds:
            raise RuntimeError(f"{step.question}: expected {step.expected}, got {step.got}")
    _renew(way)
    return {"withdrawal": math.inf, "revocation": math.inf} | seconds


def _renew(way: Way) -> None:
    """The citizen consents again, for the next round."""
    with Browser() as browser:
        browser.sign_in(way.grants.url, way.citizen.name, way.citizen.password)
        browser.submit(browser.open(way.grants.url + MY_GENOME), MY_GENOME, {"act": "renew"})


def _free_ports() -> list[int]:
    """As many in a row as the network takes."""
    for first in range(*PORTS):
        with contextlib.suppress(Conflict):
            return ports_from(first, len(COUNTRIES))
    raise RuntimeError(f"no free ports from {PORTS[0]} to {PORTS[1]}")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
