# SPDX-License-Identifier: Apache-2.0
"""Every decision can be told rule by rule, and the telling agrees with the decision."""

import json
import random

import msgspec
import pytest

from benchmarks.parts.passports import FORGERIES
from benchmarks.parts.passports.forging import Forgery, forge
from benchmarks.parts.passports.world import NOW, SHAPES, TRUST, policy, valid
from megagenome.identity.clearinghouse import decide
from megagenome.identity.explain import ASKS, PASSPORT_RULES, RULE_OF, VISA_RULES, Result, explain
from megagenome.identity.model import Code, Rule


def test_every_refusal_has_its_rule_and_every_rule_its_sentence() -> None:
    assert set(Code) - set(RULE_OF) == {Code.ACCEPTED, Code.USED, Code.GRANTED}
    assert set(RULE_OF.values()) == set(Rule)
    assert set(ASKS) == set(Rule) == {*PASSPORT_RULES, *VISA_RULES, Rule.DATASET}


@pytest.mark.parametrize("rules", [PASSPORT_RULES, VISA_RULES])
def test_rules_are_told_in_the_order_in_which_they_are_asked(rules: tuple[Rule, ...]) -> None:
    assert list(rules) == [rule for rule in Rule if rule in rules]


def test_an_accepted_passport_met_every_rule() -> None:
    shape = valid("conditional", random.Random(1))
    told = explain(decide(shape.text(), TRUST, policy(shape.dataset), NOW))
    assert (told.accepted, told.code) == (True, Code.GRANTED)
    assert told.subject == "h-1@https://hub.example/"
    assert "u-1@https://uni.example/" in told.linked
    assert [grant.dataset for grant in told.grants] == [shape.dataset]
    for account in (told.passport, *told.visas):
        assert {step.result for step in account.steps} == {Result.MET}
    assert len(told.passport.steps) == len(PASSPORT_RULES)


def test_what_is_not_needed_is_set_aside_and_no_fault() -> None:
    shape = valid("linked", random.Random(1))
    told = explain(decide(shape.text(), TRUST, policy("https://fi.example/datasets/other"), NOW))
    aside = [visa for visa in told.visas if visa.result is Result.SET_ASIDE]
    assert [visa.type for visa in aside] == ["ControlledAccessGrants"]
    results = [step.result for step in aside[0].steps]
    assert results == [Result.MET, Result.SET_ASIDE, *[Result.NOT_REACHED] * (len(VISA_RULES) - 2)]
    assert (told.accepted, told.code) == (False, Code.NOT_GRANTED)


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_refusal_is_one_rule_after_others_that_were_met(forgery: Forgery) -> None:
    random_ = random.Random(forgery.name)
    made = [forge(valid(name, random_), forgery, random_) for name in SHAPES]
    for forged in filter(None, made):
        told = explain(decide(forged.text, TRUST, forged.policy, NOW))
        assert not told.accepted
        for account in (told.passport, *told.visas):
            results = [step.result for step in account.steps]
            failed = results.index(account.result) if account.result is not Result.MET else len(results)
            assert results[:failed] == [Result.MET] * failed
            assert set(results[failed + 1 :]) <= {Result.NOT_REACHED}
        assert forged.text.split(".")[1] not in json.dumps(msgspec.to_builtins(told))
