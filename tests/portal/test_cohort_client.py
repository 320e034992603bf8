# SPDX-License-Identifier: Apache-2.0
"""Calls of `/access/cohorts`: no address but those of cohorts is ever asked, and a changed meaning is told."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Conflict, NotFound, Unavailable
from megagenome.portal.client import Hub, Reader, Reply
from megagenome.portal.cohort_client import Cohorts, ask_again
from tests.portal import fake_hub
from tests.portal.saved import ID, saved

NOBODY: Any = Reader(None, None, ())


def answering(status: int, content: object) -> tuple[Any, list[tuple[str, Mapping[str, str]]]]:
    asked: list[tuple[str, Mapping[str, str]]] = []

    async def ask(_reader: Reader, path: str, query: Mapping[str, str]) -> Reply:
        asked.append((path, query))
        await asyncio.sleep(0)
        return Reply(status, msgspec.json.encode(content))

    return ask, asked


def test_one_of_the_readers_own() -> None:
    ask, asked = answering(200, saved())
    assert asyncio.run(Cohorts(NOBODY, ask).one(ID)) == saved()
    assert asked == [(f"/access/cohorts/{ID}", {})]


def test_one_that_is_not_there() -> None:
    ask, _ = answering(404, {"detail": "no"})
    assert asyncio.run(Cohorts(NOBODY, ask).find(ID)) is None
    failing, _ = answering(503, {"detail": "no"})
    with pytest.raises(Unavailable):
        asyncio.run(Cohorts(NOBODY, failing).find(ID))


@pytest.mark.parametrize("cohort", ["", "..", "sha256:x", f"{ID}/../../applications", f"{ID}\n", ID.upper(), "%2e%2e"])
def test_what_is_no_id_is_asked_nowhere(cohort: str) -> None:
    ask, asked = answering(200, saved())
    cohorts = Cohorts(NOBODY, ask)
    for call in (cohorts.one(cohort), cohorts.delete(cohort)):
        with pytest.raises(NotFound):
            asyncio.run(call)
    assert asked == []


def test_a_question_that_means_another_cohort_by_now() -> None:
    ask, asked = answering(200, msgspec.structs.replace(fake_hub.counts(), cohort=ID))
    assert asyncio.run(ask_again(Hub(ask, NOBODY), saved())).count == 1639
    assert asked == [("/api/cohort", {"q": "sex=female"})]
    other, _ = answering(200, msgspec.structs.replace(fake_hub.counts(), cohort="sha256:" + "b" * 64))
    with pytest.raises(Conflict, match="another"):
        asyncio.run(ask_again(Hub(other, NOBODY), saved()))
