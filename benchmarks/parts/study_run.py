# SPDX-License-Identifier: Apache-2.0
"""One study over the nodes of a folder that `study_people` made: `python -m benchmarks.parts.study_run FOLDER METHOD
OUT`. Everything but HTTP: each node's own check, its key for each sum, masks, the hub's records, the rules of release.

Prints rounds, bytes and seconds as JSON; writes the method's longest table as CSV.
"""

import csv
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.parts.study_people import COUNTRIES, PERMIT, READER
from megagenome.analytics import site
from megagenome.analytics.masking import RoundSecret
from megagenome.analytics.settings import AnalyticsSettings
from megagenome.analytics.site import StudySite
from megagenome.app.hub import init_hub, open_hub
from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_keys, open_ledger
from megagenome.app.node import open_node
from megagenome.kernel.callers import Caller
from megagenome.network.studies.coordinate import Coordinator
from megagenome.network.studies.needs import KnownPermit
from megagenome.network.studies.settings import StudySettings
from megagenome.network.studies.store import StudyStore
from megagenome.network.studies.studies import Studies
from megagenome.standards.permit import PermitState
from megagenome.standards.study import (
    Arm,
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Method,
    Score,
    Sex,
    Site,
    StudyDocument,
    Survival,
    Variable,
    Variants,
    Weight,
    encode,
)
from megagenome.standards.study_exchange import Stage

EVERYONE = '{"type":"everyone"}'
_COVARIATES: tuple[Variable, ...] = (Sex(), *(Measured(f"c{k}") for k in range(1, 5)))
_ARMS = tuple(Arm(sex, json.dumps({"type": "sex", "sex": sex}, separators=(",", ":"))) for sex in ("female", "male"))
_RESEARCHER = Caller(READER, "Reader")


def _cases(column: str) -> Group:
    return Group(json.dumps({"type": "custom", "name": column, "value": "1"}, separators=(",", ":")), EVERYONE)


def methods(contigs: int = 22) -> dict[str, Method]:
    """By name; over the first so many chromosomes."""
    variants = Variants("GRCh38", tuple(str(k + 1) for k in range(contigs)))
    return {
        "linear": Linear(variants, Measured("height"), _COVARIATES),
        "logistic": Logistic(variants, _cases("sick"), _COVARIATES),
        "components": Components(variants, 10),
        "frequencies": Frequencies(variants),
        "score": Score("GRCh38", "random", _weights(contigs), trait=Measured("height")),
        "survival": Survival(Measured("days"), "dead", groups=_ARMS),
    }


def _weights(contigs: int) -> tuple[Weight, ...]:
    """Of the first hundred alleles of each chromosome."""
    random = np.random.default_rng(1)
    places = ((str(k + 1), 1_000_000 + 60 * n) for k in range(contigs) for n in range(100))
    return tuple(Weight(contig, start, "G", "A", float(random.normal())) for contig, start in places)


class _AtOnce(Executor):
    """Does what is submitted before it returns: one core's work is what is measured."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class _Permits:
    """The hub knows the one permit."""

    def __init__(self, countries: Sequence[str]) -> None:
        self._countries = countries

    def find(self, permit: str, /) -> KnownPermit | None:
        if permit != PERMIT:
            return None
        datasets = frozenset((_node(country), f"D-{country}") for country in self._countries)
        people, uses = frozenset({READER}), frozenset({"research"})
        return KnownPermit(PermitState.ACTIVE, people, datasets, uses, date(2020, 1, 1), date(2099, 1, 1))


def _node(country: str) -> str:
    return f"node.{country.lower()}"


def main(folder: Path, method: Method, out: Path) -> dict[str, Any]:
    """Run it, write the table, and say what it took."""
    sites: dict[str, StudySite] = {}
    documented: list[Site] = []
    countries = [each for each in COUNTRIES if (folder / f"node-{each}").exists()]
    for country in countries:
        node = open_node(folder / f"node-{country}")
        keys = open_keys(node.folder)
        ledger = open_ledger(node.folder, node.collection.engine, _node(country))
        node.collection.journal = LedgerJournal(ledger)
        sites[_node(country)] = StudySite(node.collection, _node(country), keys, ledger, AnalyticsSettings(), _AtOnce())
        documented.append(Site(_node(country), (f"D-{country}",), keys.kid))
    init_hub(folder / out.stem, name="Hub", identity="org.hub", port=8600, assembly="GRCh38")
    hub = open_hub(folder / out.stem)
    thumbprints = {each.node: each.key for each in documented}
    permits = _Permits(countries)
    coordinator = Coordinator(StudyStore(hub.engine, lambda *_: None), permits, StudySettings(), _AtOnce())
    studies = Studies(coordinator, permits, lambda: thumbprints, 1)
    document = StudyDocument(
        1, "A benchmark", PERMIT, EVERYONE, tuple(sorted(documented, key=lambda each: each.node)), method
    )
    began = time.perf_counter()
    run = studies.begin(_RESEARCHER, encode(document)).id
    traffic = {"tasks": 0, "down": 0, "up": 0, "secure_s": 0.0}
    _time_masks(traffic)
    _go(coordinator, sites, traffic)
    wall_s = time.perf_counter() - began
    result = studies.result(_RESEARCHER, run)
    table = max(result.tables.values(), key=lambda each: len(next(iter(each.values()))))
    columns = [np.asarray(column).tolist() for column in table.values()]
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*columns, strict=True))
    of_a_node = (traffic["up"] + traffic["down"]) / len(countries)
    return {**traffic, "wall_s": wall_s, "bytes_of_a_node": of_a_node}


def _time_masks(traffic: dict[str, float]) -> None:
    """From now on `secure_s` grows by what masking and reading the others' keys takes."""

    def timed(compute: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                return compute(*args)
            finally:
                traffic["secure_s"] += time.perf_counter() - began

        return run

    RoundSecret.mask = timed(RoundSecret.mask)  # type: ignore[method-assign]  # it is timed, not replaced
    site.read_keys = timed(site.read_keys)  # type: ignore[attr-defined]  # where the node looks it up


def _go(coordinator: Coordinator, sites: dict[str, StudySite], traffic: dict[str, float]) -> None:
    """Tasks of which only the keys are asked are all for the sums' sake."""
    busy = True
    while busy:
        busy = False
        for name, worker in sites.items():
            began = time.perf_counter()
            offer = coordinator.offer(name, worker.holds(), worker.at_work())
            worker.forget(offer.over)
            if offer.task is not None:
                traffic["tasks"] += 1
                traffic["down"] += len(offer.payload)
                worker.give(offer.task, offer.payload)
                busy = True
            while (found := worker.next_reply()) is not None:
                traffic["up"] += len(found[1])
                coordinator.take(name, *found)
                worker.taken(found[0])
                busy = True
            if offer.task is not None and offer.task.place.stage is Stage.KEYS:
                traffic["secure_s"] += time.perf_counter() - began


if __name__ == "__main__":
    chosen = methods(int(sys.argv[4]) if len(sys.argv) > 4 else 22)[sys.argv[2]]
    print(json.dumps(main(Path(sys.argv[1]), chosen, Path(sys.argv[3]))))
