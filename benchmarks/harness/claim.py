# SPDX-License-Identifier: Apache-2.0
"""One claim, measured: a number of ours, the peer's if there is one, and whether the bar is met."""

import operator
import os
import re

import msgspec

from benchmarks.harness.measure import machine

_BAR = re.compile(r"(ours|ratio) (<|<=|>=|>) ([0-9.]+)")
_COMPARE = {"<": operator.lt, "<=": operator.le, ">=": operator.ge, ">": operator.gt}


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A measured claim, as it is printed and as JSON.

    claim         what is claimed, in words, with its workload
    unit          of `ours` and `peer`
    peer          the same by the peer, on the same machine and input, alternating with ours; None without a peer
    peer_version  program and version; empty without a peer
    ratio         ours / peer
    bar           `ours <= 10` or `ratio <= 6`; empty for a number that is only stated
    holds         whether the bar is met, and the results are not unequal
    equal         whether both gave the same result; None where nothing is compared
    machine       processor, cores, memory, system, Python
    load          the machine's load average of the last minute, when the measurement ended
    """

    claim: str
    unit: str
    ours: float
    peer: float | None
    peer_version: str
    ratio: float | None
    bar: str
    holds: bool
    equal: bool | None
    machine: str
    load: float


def claim(
    words: str,
    unit: str,
    ours: float,
    *,
    bar: str = "",
    peer: float | None = None,
    peer_version: str = "",
    equal: bool | None = None,
) -> Claim:
    """The claim with all that follows from what was measured."""
    ratio = None if peer is None else ours / peer
    return Claim(
        claim=words,
        unit=unit,
        ours=ours,
        peer=peer,
        peer_version=peer_version,
        ratio=ratio,
        bar=bar,
        holds=_met(bar, ours, ratio) and equal is not False,
        equal=equal,
        machine=machine(),
        load=round(os.getloadavg()[0], 2),
    )


def _met(bar: str, ours: float, ratio: float | None) -> bool:
    if not bar:
        return True
    parts = _BAR.fullmatch(bar)
    if not parts:
        raise ValueError(f"bar {bar!r}: write it as 'ours <= 10' or 'ratio <= 6'")
    number = ours if parts[1] == "ours" else ratio
    if number is None:
        raise ValueError(f"bar {bar!r} needs a peer")
    return bool(_COMPARE[parts[2]](number, float(parts[3])))
