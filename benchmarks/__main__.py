# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks [NAME ...] [--seed N] [--state-only] [--json]`: measure the claims of some areas, or of all."""

import importlib
import pkgutil
import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

import benchmarks
from benchmarks.harness.claim import Claim
from megagenome.kernel.output import Json, show, table

app = App(name="benchmarks", help=__doc__, result_action="return_value")


@app.default
def measure(
    *names: Annotated[str, Parameter(help="Areas to measure; none means all.")],
    seed: Annotated[int, Parameter(help="Of everything that is random in them.")] = 1,
    state_only: Annotated[
        bool, Parameter(negative="", help="A bar that is missed is no failure: machines are noisy.")
    ] = False,
    json: Json = False,
) -> int:
    """Measure areas; 0 when every claim holds, 1 when one does not, 2 for an unknown area.

    Answers that differ from the peer's are a failure always.
    """
    known = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.ispkg)
    known.remove("__main__")
    for name in names:
        if name not in known:
            print(f"benchmarks: there is no area {name!r}; known are: {', '.join(known)}", file=sys.stderr)
            return 2
    claims: list[Claim] = []
    for name in names or known:
        print(f"measuring {name} ...", file=sys.stderr)
        claims.extend(importlib.import_module(f"benchmarks.{name}").claims(seed))
    show(claims, json=json, render=as_table)
    fine = all(claim.equal is not False if state_only else claim.holds for claim in claims)
    return 0 if fine else 1


def as_table(claims: list[Claim]) -> Table:
    """Claims for people; numbers with three digits that count."""

    def shown(number: float | None) -> str | None:
        return None if number is None else f"{number:.3g}" if abs(number) < 1000 else f"{number:,.0f}"

    columns = ("Claim", "Unit", "Ours", "Peer", "Peer is", "Ratio", "Bar", "Holds", "Equal")
    rows = [
        (
            claim.claim,
            claim.unit,
            shown(claim.ours),
            shown(claim.peer),
            claim.peer_version or None,
            shown(claim.ratio),
            claim.bar or "stated",
            "yes" if claim.holds else "NO",
            None if claim.equal is None else "yes" if claim.equal else "NO",
        )
        for claim in claims
    ]
    where = f"{claims[0].machine}; load {max(claim.load for claim in claims):.1f}" if claims else None
    return table(columns, rows, title=where)


if __name__ == "__main__":
    sys.exit(app())
