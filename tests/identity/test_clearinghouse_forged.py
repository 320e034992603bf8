# SPDX-License-Identifier: Apache-2.0
"""Forged passports of every kind are refused with their reason; valid ones of every shape are accepted."""

import random

import pytest

from benchmarks.parts import passport as claims
from benchmarks.parts.passports import FORGERIES
from benchmarks.parts.passports.forging import Forgery, forge
from benchmarks.parts.passports.world import NOW, SHAPES, TRUST, policy, valid
from megagenome.identity.clearinghouse import decide

FORGED = 2_000
VALID = 140


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forged_passport_is_refused_with_its_reason(forgery: Forgery) -> None:
    random_ = random.Random(forgery.name)
    made = 0
    for name in [*SHAPES] * 4:
        forged = forge(valid(name, random_), forgery, random_)
        if forged is None:
            continue
        made += 1
        decision = decide(forged.text, TRUST, forged.policy, NOW)
        assert not decision.accepted
        assert decision.grants == ()
        # where the passport itself is refused, no visa is looked at
        codes = {reason.code for reason in decision.reasons if reason.visa == forged.place or decision.identity is None}
        assert codes & forgery.codes, decision.reasons
    assert made >= 3


@pytest.mark.parametrize("name", SHAPES)
def test_a_valid_passport_is_accepted(name: str) -> None:
    shape = valid(name, random.Random(name))
    decision = decide(shape.text(), TRUST, policy(shape.dataset), NOW)
    assert decision.accepted, decision.reasons
    assert [grant.dataset for grant in decision.grants] == [shape.dataset]
    assert decision.registered is shape.registered


@pytest.mark.parametrize("name", SHAPES)
def test_every_visa_of_a_shape_is_needed(name: str) -> None:
    """Or the forgeries of it would show nothing."""
    shape = valid(name, random.Random(name))
    for place in range(len(shape.needed)):
        fewer = shape._replace(needed=shape.needed[:place] + shape.needed[place + 1 :])
        assert not decide(fewer.text(), TRUST, policy(shape.dataset), NOW).accepted


def test_many_forged_and_valid_ones() -> None:
    """A small part of `python -m benchmarks access`."""
    seed = random.SystemRandom().randrange(2**32)
    assert claims.forged_accepted(seed, FORGED) == 0, seed
    assert claims.valid_refused(seed, VALID) == 0, seed
