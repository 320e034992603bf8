# SPDX-License-Identifier: Apache-2.0
"""A description is asked for where a catalogue may lead, and taken as far as it is one."""

import asyncio
from collections.abc import Iterator

import pytest

from megagenome.catalogue.harvest.fetch import Answered, Fault, Fetched, connect, fetch, is_allowed
from megagenome.catalogue.harvest.model import Kind, Known, Point
from megagenome.catalogue.harvest.settings import HarvestSettings
from tests.catalogue.harvest.foreign import Answer, Foreign, serving_foreign

QUICK = HarvestSettings(request_s=0.5, largest_bytes=1_000)
POINT = Point(
    "1", "https://fdp.example.org/root", "F", "EE", "", ("data.example.org", "more.example.org:8443"), "command"
)


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    with serving_foreign() as served:
        yield served


def get(address: str, known: Known | None = None) -> Fetched:
    async def ask() -> Fetched:
        async with connect(QUICK) as client:
            return await fetch(client, address, known, QUICK)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://fdp.example.org/x", True),
        ("https://fdp.example.org:443/x", True),
        ("https://data.example.org/x", True),
        ("https://more.example.org:8443/x", True),
        ("https://more.example.org/x", False),
        ("http://fdp.example.org/x", False),
        ("https://fdp.example.org:8080/x", False),
        ("https://fdp.example.org.evil.org/x", False),
        ("https://fdp.example.org@evil.org/x", False),
        ("https://a@fdp.example.org/x", False),
        ("http://127.0.0.1/x", False),
        ("file:///etc/passwd", False),
        ("https://[::1", False),
        ("urn:x", False),
    ],
)
def test_a_catalogue_leads_to_its_own_host_and_those_listed(address: str, fine: bool) -> None:
    assert is_allowed(POINT, address) is fine


def test_what_is_known_is_not_sent_again(foreign: Foreign) -> None:
    foreign.say("/", "<{url}/> a fdp:FAIRDataPoint .")
    first = get(f"{foreign.url}/")
    assert first.answered is Answered.CONTENT
    assert b"FAIRDataPoint" in first.content
    known = Known(Kind.CONTAINER, first.tag, "", "", (), 0)
    assert get(f"{foreign.url}/", known) == Fetched(Answered.SAME)
    sent = {name.lower(): value for name, value in foreign.headers[0].items()}
    assert (sent["accept"], sent["accept-encoding"]) == ("text/turtle", "identity")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"x", 500), "answers 500"),
        (Answer(b"x", 404), "answers 404"),
        (Answer(b"", 302, headers=(("location", "http://127.0.0.1:1/"),)), "redirects are not followed"),
        (Answer(b"<html>", kind="text/html; charset=utf-8"), "text/html instead of text/turtle"),
        (Answer(b"x" * 2_000), "longer than 1,000 bytes"),
        (Answer(b"x", headers=(("content-encoding", "gzip"),)), "compressed"),
        (Answer(b"x", delay_s=2), "no whole answer within 0.5 s"),
    ],
)
def test_what_is_no_description_is_a_fault(foreign: Foreign, answer: Answer, reason: str) -> None:
    foreign.answers["/x"] = answer
    with pytest.raises(Fault, match=reason):
        get(f"{foreign.url}/x")
    assert [path for path, _ in foreign.asked] in (["/x"], [])


def test_silence_is_told_from_a_wrong_answer(foreign: Foreign) -> None:
    with pytest.raises(Fault) as silent:
        get("http://127.0.0.1:1/")
    assert silent.value.is_silence
    foreign.answers["/gone"] = Answer(b"", 410)
    assert get(f"{foreign.url}/gone").answered is Answered.GONE
