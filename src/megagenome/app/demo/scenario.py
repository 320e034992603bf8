# SPDX-License-Identifier: Apache-2.0
"""What the demo is made from: a simulation with its truth, or real files."""

from collections.abc import Sequence
from typing import NamedTuple

from megagenome.app.demo.expect import Expectation
from megagenome.app.demo.offers import Offers, offers_of, offers_of_files
from megagenome.app.demo.plan import PlannedNode, plan_simulated, simulate
from megagenome.app.demo.recount import recount
from megagenome.app.demo.say import Say, stage
from megagenome.kernel.output import progress
from megagenome.synthetic.recount import count_truth


class Scenario(NamedTuple):
    """What the nodes will hold, what to try on them, and what they must answer (None: nobody asked for a check)."""

    planned: list[PlannedNode]
    offers: Offers
    expectation: Expectation | None


def simulated(countries: Sequence[str], individuals: int, seed: int, say: Say) -> Scenario:
    """Simulated countries; their truth comes with them."""
    with stage(say, f"simulated {individuals:,} people"), progress(f"Simulating {individuals:,} people", 1) as advance:
        europe = simulate(countries, individuals, seed, advance)
    with stage(say, "counted the truth"), progress("Counting the truth", None):
        truth = count_truth(europe)
    return Scenario(plan_simulated(europe), offers_of(truth), Expectation(truth))


def given(planned: list[PlannedNode], say: Say, *, checking: bool) -> Scenario:
    """The files of a folder. Only a check needs the truth, which bcftools and plain counting then give."""
    offers = offers_of_files(planned)
    if not checking:
        return Scenario(planned, offers, None)
    with stage(say, "recounted with bcftools"), progress("Recounting with bcftools", None):
        recounted = recount(planned)
    return Scenario(planned, offers, Expectation(*recounted))
