# SPDX-License-Identifier: Apache-2.0
"""What a hub may ask in a run: all that the methods ask passes, and questions that would single out people do not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from megagenome.analytics.course import COURSES, MOST_RETURNS, Course
from megagenome.analytics.methods import METHODS as SITES
from megagenome.analytics.model import Table
from megagenome.kernel.errors import NotEntitled
from megagenome.network.studies.methods import METHODS as HUBS
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
    Survival,
    Variants,
    Weight,
)
from megagenome.standards.study_arrays import Arrays
from megagenome.standards.study_exchange import PEOPLE_STEP, Summed
from tests.oracles import study_people
from tests.oracles.federation import run

VARIANTS = Variants("GRCh38", least_count=2)
EVERYONE = '{"type":"everyone"}'
GROUP = Group(EVERYONE, EVERYONE)
PEOPLE = study_people.draw(3, (120, 90, 80), 60, 2, missing=0.02)
CASES = (PEOPLE.trait > np.quantile(PEOPLE.trait, 0.8)).astype(np.float64)
WEIGHTS = tuple(Weight("22", 100 * k + 5, "G", "A", 0.1 * k - 2) for k in range(60))
ARMS = (Arm("a", EVERYONE), Arm("b", EVERYONE))
X = (Measured("x0"), Measured("x1"))

METHODS: Mapping[str, Method] = {
    "frequencies": Frequencies(VARIANTS),
    "linear": Linear(VARIANTS, Measured("y"), X),
    "mean": Linear(VARIANTS, Measured("y"), X, "mean"),
    "logistic": Logistic(VARIANTS, GROUP, X, 1.0),
    "components": Components(VARIANTS, 3),
    "score": Score("GRCh38", "PGS1", WEIGHTS, trait=Measured("y")),
    "cases": Score("GRCh38", "PGS1", WEIGHTS, trait=GROUP),
    "survival": Survival(Measured("time"), "event", groups=ARMS),
}


class Guarded:
    """A site that holds its hub to the course, as `StudySite` does."""

    def __init__(self, method: Method, k: int) -> None:
        people = PEOPLE._replace(trait=CASES) if isinstance(getattr(method, "trait", None), Group) else PEOPLE
        table, genotypes = people.site(k)
        if isinstance(method, Survival):
            arms = np.arange(len(table.trait)) % 2
            table = Table(np.abs(table.trait - 150), np.column_stack((arms[::-1], arms)), ("event", "group"))
        self.course, self.number, self.steps = Course(method), 0, [PEOPLE_STEP]
        self.course.require(0, PEOPLE_STEP, {}, is_opened=False)
        self.site = SITES[type(method)](method, table, genotypes, 2)

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        self.number += 1
        self.course.require(self.number, step, parameters, is_opened=self.number > 3)
        self.steps.append(step)
        return self.site.answer(step, parameters)


@pytest.mark.parametrize("name", METHODS)
def test_what_methods_ask_is_their_course(name: str) -> None:
    method = METHODS[name]
    sites = {f"n{k}": Guarded(method, k) for k in range(3)}
    run(HUBS[type(method)](method, 3, 0), sites)
    legs = [leg.steps for leg in COURSES[type(method)]]
    if name != "cases":  # without a trait that is a number, nobody asks for its scale
        assert all(set(leg) & set(sites["n0"].steps) for leg in legs)


def at_allele(**other: Any) -> dict[str, Any]:
    return {**study_people.alleles(4).to_arrays(), **other}


def onehot(rows: int, columns: int) -> np.ndarray[Any, Any]:
    return np.eye(rows)[:, :columns]


MEAN = np.array([0.5, 1.0, 0.25, 0.4])
STANDARD = {"mean": MEAN, "deviation": np.sqrt(MEAN * (1 - MEAN / 2))}
SCALE = {"means": np.zeros(2), "scales": np.ones(2)}
MODEL = {**SCALE, "null": np.zeros(3), "copies": MEAN}


@pytest.mark.parametrize(
    ("name", "asked", "why"),
    [
        ("linear", [("products", at_allele(**SCALE)), ("products", at_allele(**SCALE))], "oftener"),
        ("linear", [("count", at_allele()), ("alleles", {})], "does not come now"),
        ("linear", [("multiply", {})], "does not come now"),
        ("linear", [("spread", SCALE), ("products", at_allele(**{**SCALE, "means": np.ones(2)}))], "changes means"),
        ("linear", [("scales", {"means": np.array([np.nan, 0])})], "asks with means"),
        ("linear", [("spread", {**SCALE, "scales": np.array([1.0, 0.0])})], "asks with scales"),
        ("frequencies", [("count", at_allele()), ("count", at_allele())], "oftener"),
        ("logistic", [("scores", at_allele(**MODEL)), ("reach", at_allele(**{**MODEL, "null": np.ones(3)}))], "null"),
        ("logistic", [("null", {**SCALE, "null": np.full(3, 1e6)})], "asks with null"),
        ("logistic", [("scores", at_allele(**{**MODEL, "copies": MEAN * 9}))], "asks with copies"),
        ("logistic", [("scores", at_allele(**{**MODEL, "copies": MEAN[:2]}))], "asks with copies"),
        ("logistic", [("slopes", at_allele(**MODEL, t=np.full((4, 2), 1e6)))], "asks with t"),
        ("logistic", [("slopes", at_allele(**MODEL, t=np.zeros((4, 2000))))], "asks with t"),
        ("logistic", [("reach", at_allele(**MODEL, explained=np.full((4, 3), 1e5)))], "asks with explained"),
        ("logistic", [("scores", at_allele(**MODEL))] * 2, "oftener"),
        ("components", [("multiply", at_allele(**STANDARD, H=2 * onehot(4, 2)))], "asks with H"),
        ("components", [("multiply", at_allele(**STANDARD, H=np.ones((4, 2)) / 2))], "asks with H"),
        ("components", [("multiply", at_allele(**STANDARD, H=np.zeros((4, 5000))))], "asks with H"),
        ("components", [("multiply", at_allele(**STANDARD, H=onehot(4, 4)))] * 400, "asks with H"),
        ("components", [("map", at_allele(**STANDARD, H=onehot(4, 3)))], "asks with H"),
        ("components", [("trace", at_allele(mean=MEAN, deviation=MEAN * 1e-6))], "asks with deviation"),
        (
            "components",
            [("trace", at_allele(**STANDARD)), ("map", at_allele(**{**STANDARD, "mean": MEAN[::-1]}))],
            "changes mean",
        ),
        ("score", [("bins", at_allele(weights=np.full(4, np.inf), missing=MEAN))], "asks with weights"),
        ("survival", [("horizons", {"horizons": np.arange(10**6)})], "asks with horizons"),
        ("survival", [("counts", {"bins": np.array(8)}), ("counts", {"bins": np.array(16)})], "oftener"),
    ],
)
def test_what_no_method_asks_is_refused(name: str, asked: Any, why: str) -> None:
    course = Course(METHODS[name])
    course.require(0, PEOPLE_STEP, {}, is_opened=False)
    with pytest.raises(NotEntitled, match=why):  # noqa: PT012 - whichever of them it is
        for number, (step, parameters) in enumerate(asked):
            course.require(number + 1, step, parameters, is_opened=True)


def test_alleles_are_those_that_were_counted() -> None:
    course = Course(METHODS["linear"])
    few = study_people.alleles(2).to_arrays()
    course.require(1, "count", few, is_opened=False)
    with pytest.raises(NotEntitled, match="had not counted"):
        course.require(2, "products", at_allele(**SCALE), is_opened=True)
    course.require(2, "products", {**few, **SCALE}, is_opened=True)


def test_a_round_is_asked_the_same_again_and_no_other() -> None:
    course = Course(METHODS["frequencies"])
    course.require(2, "count", at_allele(), is_opened=True)
    course.require(2, "count", at_allele(), is_opened=True)
    with pytest.raises(NotEntitled, match="something else"):
        course.require(2, "count", study_people.alleles(3).to_arrays(), is_opened=True)
    with pytest.raises(NotEntitled, match="goes back"):
        course.require(1, "alleles", {}, is_opened=True)
    course.require(0, PEOPLE_STEP, {}, is_opened=True)  # without somebody who withdrew at another node


def test_how_large_a_value_is_cannot_be_tried_out() -> None:
    course = Course(METHODS["survival"])
    course.require(1, "horizons", {}, (Summed("seen", (1,), 20),), is_opened=False)
    with pytest.raises(NotEntitled, match="something else"):
        course.require(1, "horizons", {}, (Summed("seen", (1,), 21),), is_opened=False)


@pytest.mark.parametrize("is_opened", [False, True])
def test_a_run_begins_again_a_few_times(is_opened: bool) -> None:
    course = Course(METHODS["frequencies"])
    for _ in range(MOST_RETURNS + 1):
        course.require(0, PEOPLE_STEP, {}, is_opened=is_opened)
        course.require(1, "alleles", {}, is_opened=is_opened)
    with pytest.raises(NotEntitled, match="goes back"):
        course.require(0, PEOPLE_STEP, {}, is_opened=is_opened)
