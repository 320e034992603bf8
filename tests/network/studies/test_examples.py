# SPDX-License-Identifier: Apache-2.0
"""The documents of docs/studies.md are ones that the hub would run."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.collection.cohort import read_cohort
from megagenome.kernel.callers import Caller
from megagenome.network.studies.check import findings
from megagenome.network.studies.needs import KnownPermit
from megagenome.standards.permit import PermitState
from megagenome.standards.study import Method, StudyDocument, Survival, Variable, decode

PAGE = Path(__file__).parents[3] / "docs/studies.md"
WHOLE, *METHODS = (msgspec.json.decode(text) for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL))
EXAMPLES = {str(method["type"]): {**WHOLE, "method": method} for method in (WHOLE["method"], *METHODS)}
TODAY = date(2026, 6, 1)


def example(name: str) -> StudyDocument:
    return decode(msgspec.json.encode(EXAMPLES[name]))


def test_there_is_one_of_each_method() -> None:
    tags = {str(each.__struct_config__.tag) for each in Method.__args__}
    assert tags == set(EXAMPLES)
    assert len(METHODS) + 1 == len(tags)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_against_it(name: str) -> None:
    document = example(name)
    datasets = frozenset((site.node, each) for site in document.sites for each in site.datasets)
    dates = date(2026, 1, 1), date(2026, 12, 31)
    permit = KnownPermit(PermitState.ACTIVE, frozenset({"ada"}), datasets, frozenset({"research"}), *dates)
    keys = {site.node: site.key for site in document.sites}
    assert findings(document, Caller("ada", "Ada"), permit, keys, TODAY) == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_node_can_read_its_cohorts(name: str) -> None:
    document = example(name)
    read_cohort(document.cohort)
    for each in _groups(document.method):
        read_cohort(each)


def _groups(method: Any) -> list[str]:
    variables: tuple[Variable | None, ...] = (getattr(method, "trait", None), *getattr(method, "covariates", ()))
    arms = [each.cohort for each in method.groups] if isinstance(method, Survival) else []
    return [*arms, *(c for each in variables for c in (getattr(each, "cases", ""), getattr(each, "controls", "")) if c)]
