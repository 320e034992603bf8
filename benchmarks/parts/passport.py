# SPDX-License-Identifier: Apache-2.0
"""The passport clearinghouse: no forged passport counts, every valid one does, and a decision takes milliseconds."""

import random
import time
from collections.abc import Iterator

from benchmarks.harness.claim import Claim, claim
from benchmarks.parts.passports import FORGERIES
from benchmarks.parts.passports.forging import forge
from benchmarks.parts.passports.world import (
    FINLAND,
    HUB,
    NOW,
    SHAPES,
    TRUST,
    Mint,
    policy,
    sign,
    sign_passport,
    valid,
)
from megagenome.identity.clearinghouse import decide
from megagenome.kernel.output import progress

FORGED = 100_000
VALID = 1_000
VISAS = 50
ROUNDS = 40


def claims(seed: int) -> Iterator[Claim]:
    """Counts of wrong decisions, and the time of one."""
    forged = f"forged passports of {len(FORGERIES)} kinds that are accepted, of {FORGED:,}"
    yield claim(forged, "passports", forged_accepted(seed, FORGED), bar="ours <= 0")
    refused = f"valid passports of {len(SHAPES)} shapes that are refused, of {VALID:,}"
    yield claim(refused, "passports", valid_refused(seed, VALID), bar="ours <= 0")
    yield claim(
        f"decision over a passport of {VISAS} visas, least of {ROUNDS}", "CPU ms", _decision_ms(seed), bar="ours < 5"
    )


def forged_accepted(seed: int, count: int) -> int:
    """How many of `count` forged passports, of all kinds in turn, are accepted or grant anything."""
    random_ = random.Random(seed)
    accepted = made = 0
    with progress("Forging passports", count) as on_progress:
        while made < count:
            forgery = FORGERIES[made % len(FORGERIES)]
            forged = forge(valid(random_.choice(list(SHAPES)), random_), forgery, random_)
            if forged is None:
                continue
            decision = decide(forged.text, TRUST, forged.policy, NOW)
            accepted += decision.accepted or bool(decision.grants)
            made += 1
            on_progress(made)
    return accepted


def valid_refused(seed: int, count: int) -> int:
    """How many of `count` valid passports, of all shapes in turn, are refused or understood otherwise than meant."""
    random_ = random.Random(seed)
    refused = 0
    for number in range(count):
        shape = valid(list(SHAPES)[number % len(SHAPES)], random_, noise=True)
        decision = decide(shape.text(), TRUST, policy(shape.dataset), NOW)
        right = decision.accepted and {grant.dataset for grant in decision.grants} == {shape.dataset}
        refused += not (right and decision.registered == shape.registered)
    return refused


def _decision_ms(seed: int) -> float:
    """CPU time of one decision on a link and 49 grants, all needed: the least of many, what is above is the machine."""
    mint = Mint(random.Random(seed))
    visas = [mint.link(HUB, "h-1", FINLAND.identity("p-1"))]
    visas += [mint.grant(FINLAND, "p-1", f"{FINLAND.iss}datasets/{n}") for n in range(VISAS - 1)]
    passport = sign_passport(mint.passport(HUB, "h-1"), [sign(visa) for visa in visas])
    spent = []
    for _round in range(ROUNDS):
        start = time.process_time()
        decision = decide(passport, TRUST, policy(), NOW)
        spent.append(time.process_time() - start)
        if len(decision.grants) != VISAS - 1:
            raise RuntimeError("not every visa was needed, so this would measure another decision")
    return min(spent) * 1000
