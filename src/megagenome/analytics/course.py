# SPDX-License-Identifier: Apache-2.0
"""What a node lets a hub ask in a run: the steps of the study's method, in their order and no oftener than it needs
them, about the alleles and on the scale that were stated before, with parameters that such a step can have.

A sum over everybody whose weights are the hub's to choose can be of one person, and many such sums of everybody. A node
cannot recompute what a hub found from sums that it does not see, but it can hold the hub to one course through a run.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np

from megagenome.kernel.errors import NotEntitled
from megagenome.standards.study import Components, Frequencies, Linear, Logistic, Method, Score, Survival
from megagenome.standards.study_arrays import Arrays, pack
from megagenome.standards.study_exchange import PEOPLE_STEP, Summed

MOST_RETURNS = 10
"""So often a run may begin again: nodes are lost, people withdraw."""
MOST_COLUMNS = 1300
"""Of all products of a study of components together."""
MORE_COLUMNS = 10
"""Of one product, beyond the components that are asked for."""
FARTHEST = 1000.0
"""Of a saddle point, of a coefficient, and of copies that covariates explain."""


class Leg(NamedTuple):
    """Steps that may be asked in turn, each at most so often."""

    steps: tuple[str, ...]
    most: int = 1


_PEOPLE = Leg((PEOPLE_STEP,))
_ALLELES = (_PEOPLE, Leg(("alleles",)), Leg(("count",)))
_COLUMNS = (Leg(("means",)), Leg(("scales",)), Leg(("spread",)), Leg(("leverages",)))
COURSES: Mapping[type, tuple[Leg, ...]] = {
    Frequencies: _ALLELES,
    Linear: (*_ALLELES, *_COLUMNS, Leg(("products",))),
    Logistic: (
        *_ALLELES,
        *_COLUMNS,
        Leg(("null",), 25),
        Leg(("scores",)),
        Leg(("reach",)),
        Leg(("slopes",), 50),
        Leg(("cumulants",)),
        Leg(("effects", "firth"), 125),
    ),
    Components: (*_ALLELES, Leg(("trace",)), Leg(("multiply",), MOST_COLUMNS), Leg(("map",))),
    Score: (_PEOPLE, Leg(("match",)), Leg(("moments",)), *_COLUMNS, Leg(("bins",))),
    Survival: (_PEOPLE, Leg(("horizons",)), Leg(("counts",))),
}
"""The legs of each method's way, which is never gone back."""

_STATED_ONCE = {"means": "spread", "scales": "spread", "null": "scores", "mean": "trace", "deviation": "trace"}
"""Parameters that stay as they are from this step on (`deviation` is of the alleles in studies of components only)."""
_OF_EACH_ALLELE = frozenset(
    {"copies", "explained", "deviation", "t", "effects", "inverse", "mean", "H", "weights", "missing"}
)
_LARGEST = {"t": FARTHEST, "null": FARTHEST, "effects": FARTHEST, "explained": FARTHEST, "copies": 2.0}


@dataclass(slots=True)
class Course:
    """One run as its hub has asked it until now, at one node. After the node was restarted it begins where the hub is:
    what was asked before is forgotten, and bounds count anew."""

    method: Method
    number: int = -1
    leg: int = 0
    returns: int = 0
    columns: int = 0
    question: bytes = b""
    asked: dict[str, int] = field(default_factory=dict)
    stated: dict[str, bytes] = field(default_factory=dict)
    alleles: set[tuple[bytes, int, bytes]] | None = None

    def require(
        self, number: int, step: str, parameters: Arrays, sums: Sequence[Summed] = (), *, is_opened: bool
    ) -> None:
        """Raise `NotEntitled` where the run cannot come to this question in round `number`.

        `is_opened`: whether the hub has a sum of values. Asked again, a round must be asked the same: a node that
        restarts, or a new epoch, changes nothing of it. So are the digits of `sums`: whether a value is too large for
        them tells how large it is. Cost: linear in the parameters.
        """
        question = hashlib.sha256(msgspec.msgpack.encode((step, pack(parameters), sums))).digest()
        if number == self.number:
            if question != self.question:
                raise NotEntitled("the hub asks something else in a round that it asked before")
            return
        if number < self.number:
            self._return(number, is_opened)
        leg = self._leg(step)
        if self.asked.get(step, 0) >= COURSES[type(self.method)][leg].most:
            raise NotEntitled(f"the hub asks step {step[:40]} oftener than the method needs it")
        self._require_parameters(step, parameters)
        self.number, self.leg, self.question = number, leg, question
        self.asked[step] = self.asked.get(step, 0) + 1

    def _return(self, number: int, is_opened: bool) -> None:
        """To the beginning. Where the hub has a sum, it is there that it must begin again, and with the same sites
        (`site.py` sees to that): only somebody who withdrew at another node brings it there, and that node holds so
        many others back that the difference of two sums is of no few people."""
        if (is_opened and number > 0) or self.returns >= MOST_RETURNS:
            raise NotEntitled("the hub goes back to a round whose sum it has: two sums would show their difference")
        self.returns += 1
        self.leg, self.columns, self.asked, self.stated, self.alleles = 0, 0, {}, {}, None

    def _leg(self, step: str) -> int:
        legs = COURSES[type(self.method)]
        found = next((k for k, leg in enumerate(legs) if step in leg.steps), None)
        if found is None or found < self.leg:
            raise NotEntitled(f"the hub asks step {step[:40]}, which does not come now in a study of this method")
        return found

    def _require_parameters(self, step: str, parameters: Arrays) -> None:
        rows = len(parameters["start"]) if parameters.get("start", np.zeros(())).ndim == 1 else None
        for name, each in parameters.items():
            if each.dtype.kind == "f":
                known = each[~np.isnan(each)] if name == "t" else each
                _require(bool((np.abs(known) <= _LARGEST.get(name, np.inf)).all()) and np.isfinite(known).all(), name)
            if rows is not None and name in _OF_EACH_ALLELE and not (step == "match" or each.ndim == 0):
                _require(len(each) == rows, name)
        if "start" in parameters:
            self._require_alleles(step, parameters)
        self._require_stated(step, parameters)
        if "scales" in parameters:
            _require((parameters["scales"] > 0).all(), "scales")
        if "t" in parameters:
            _require(parameters["t"].shape == (rows, 2), "t")
        if "horizons" in parameters:
            _require(parameters["horizons"].ndim == 1 and parameters["horizons"].size <= 64, "horizons")
        if isinstance(self.method, Components) and "mean" in parameters:
            self._require_standard(self.method, step, parameters)

    def _require_alleles(self, step: str, parameters: Arrays) -> None:
        """Of those that were counted."""
        contigs, text = parameters["contigs"].tobytes().split(b"\n"), parameters["text"].tobytes().split(b"\n")
        places = zip(parameters["contig"].tolist(), parameters["start"].tolist(), text, strict=False)
        try:
            alleles = {(contigs[contig], start, ref_alt) for contig, start, ref_alt in places}
        except (IndexError, TypeError):
            raise NotEntitled("the hub asks about alleles that are nowhere") from None
        if step in ("count", "match") or self.alleles is None:
            self.alleles = alleles
        elif not alleles <= self.alleles:
            raise NotEntitled("the hub asks about alleles that it had not counted")

    def _require_stated(self, step: str, parameters: Arrays) -> None:
        legs = COURSES[type(self.method)]
        order = {name: k for k, leg in enumerate(legs) for name in leg.steps}
        for name, since in _STATED_ONCE.items():
            if name not in parameters or since not in order or order[step] < order[since]:
                continue
            said = parameters[name].tobytes()
            if self.stated.setdefault(name, said) != said:
                raise NotEntitled(f"the hub changes {name} on the way")

    def _require_standard(self, method: Components, step: str, parameters: Arrays) -> None:
        """Genotypes are standardised by the alleles' frequency, and multiplied with few vectors, each of length 1 and
        at right angles to the others."""
        mean = parameters["mean"]
        _require(((mean > 0) & (mean < 2)).all(), "mean")
        _require(np.allclose(parameters["deviation"] ** 2, mean * (1 - mean / 2), rtol=1e-6), "deviation")
        if step not in ("multiply", "map"):
            return
        h = parameters["H"]
        _require(h.ndim == 2 and h.shape[1] <= (method.components + MORE_COLUMNS if step == "multiply" else 2), "H")
        _require(np.allclose(h.T @ h, np.eye(h.shape[1]), atol=1e-6), "H")
        self.columns += h.shape[1]
        _require(self.columns <= MOST_COLUMNS, "H")


def _require(holds: bool | np.bool_, name: str) -> None:
    if not holds:
        raise NotEntitled(f"the hub asks with {name[:40]} that the step cannot have")
