# SPDX-License-Identifier: Apache-2.0
"""A network in memory: runs a method's hub side against its site sides, with or without masks and the ring."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.analytics.masking import RoundSecret
from megagenome.network.studies.model import Ask, Combine, StudyResult, Sums
from megagenome.standards import ring
from megagenome.standards.study_arrays import Arrays, pack, unpack
from megagenome.standards.study_masks import Round


class SiteSide(Protocol):
    """What a site's side of a method is."""

    def answer(self, step: str, parameters: Arrays) -> Arrays: ...


class Traffic(msgspec.Struct):
    """What went over the wire, were there one: bytes of parameters and answers for one site, and rounds."""

    down: int = 0
    up: int = 0
    rounds: int = 0


def run(
    combine: Combine, sites: Mapping[str, SiteSide], *, masks: bool = True, traffic: Traffic | None = None
) -> StudyResult:
    """The result of a study. With `masks`, sums are made as they really are: fixed point, masked, in the ring; without,
    they are float64 sums."""
    traffic = traffic or Traffic()
    try:
        ask = next(combine)
        while True:
            ask = combine.send(_ask_all(ask, sites, masks, traffic))
    except StopIteration as ended:
        return ended.value


def _ask_all(ask: Ask, sites: Mapping[str, SiteSide], masks: bool, traffic: Traffic) -> Sums:
    sent = pack(ask.parameters)
    traffic.down += len(sent)
    traffic.rounds += 1
    answers = {node: site.answer(ask.step, unpack(sent)) for node, site in sites.items()}
    for node, answer in answers.items():
        wanted = {each.name: each.shape for each in ask.sums}
        assert {name: answer[name].shape for name in wanted} == wanted, (ask.step, node)
    found: dict[str, npt.NDArray[Any]] = {}
    for name in ask.opened:
        found |= {f"{name}/{node}": answer[name] for node, answer in answers.items()}
    for each in ask.sums:
        parts = [answer[each.name] for answer in answers.values()]
        traffic.up += 8 * parts[0].size
        found[each.name] = _sum_masked(parts, each.bits, traffic.rounds) if masks else np.sum(parts, axis=0)
    return found


def _sum_masked(parts: list[npt.NDArray[Any]], bits: int, number: int) -> npt.NDArray[Any]:
    vectors = [ring.encode(part, bits, len(parts)).reshape(-1) for part in parts]
    if len(parts) > 1:
        names = tuple(f"site{k:03}" for k in range(len(parts)))
        turn = Round("sha256:test", 1, number, names)
        secrets = {name: RoundSecret() for name in names}
        publics = {name: secret.public for name, secret in secrets.items()}
        vectors = [secrets[n].mask(v, turn, n, publics) for n, v in zip(names, vectors, strict=True)]
    return ring.decode(ring.add(vectors), bits).reshape(parts[0].shape)
