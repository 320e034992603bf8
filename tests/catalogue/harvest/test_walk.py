# SPDX-License-Identifier: Apache-2.0
"""A walk along containers, without sockets and reading processes: each address once, bounded, and what ends it."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence

import httpx
import pytest
from msgspec.structs import replace

from megagenome.catalogue.harvest.model import Kind, Known, Outcome, Read, Visited
from megagenome.catalogue.harvest.reading_process import Readers, TooSlow
from megagenome.catalogue.harvest.settings import HarvestSettings
from megagenome.catalogue.harvest.walk import Walk, Walked
from megagenome.kernel.errors import Corrupt
from tests.catalogue.harvest.visits import POINT, URL

SETTINGS = HarvestSettings(request_s=1.0, deadline_s=2.0, connections=3)
Site = dict[str, Sequence[str] | int]
"""By path: what a container lists (a dataset's path begins with `/d`), or the status that is answered."""


class FakeReaders(Readers):
    """Reads what `Server` writes; slow or wrong of paths that say so."""

    def __init__(self) -> None:
        super().__init__(processes=0)
        self.was_read: list[str] = []

    async def read(self, address: str, content: bytes) -> Read:
        self.was_read.append(address)
        if "slow" in address:
            raise TooSlow("it takes longer than 5 s to read")
        if "wrong" in address:
            raise Corrupt("it is no Turtle")
        kind = Kind.DATASET if address.startswith(f"{URL}/d") else Kind.CONTAINER
        return Read(kind, address, tuple(json.loads(content)))


class Harvested:
    """One walk over a site: what came of it, what was asked, and what was kept in which batches."""

    def __init__(
        self, site: Site, known: Mapping[str, Known] | None = None, settings: HarvestSettings = SETTINGS
    ) -> None:
        self.site, self.known, self.settings = site, known or {}, settings
        self.asked: list[str] = []
        self.batches: list[Sequence[Visited]] = []
        self.readers = FakeReaders()

    def run(self, *, containers_only: bool = False) -> Walked:
        async def keep(visited: Sequence[Visited]) -> None:
            self.batches.append(visited)

        async def walk() -> Walked:
            async with httpx.AsyncClient(transport=httpx.MockTransport(self._answer)) as client:
                made = Walk(POINT, self.known, client, self.readers, self.settings, containers_only=containers_only)
                return await made.run(keep)

        return asyncio.run(walk())

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {each.address.removeprefix(URL): each.outcome for batch in self.batches for each in batch}

    def learned(self) -> dict[str, Known]:
        """What is known after it."""
        visited = (each for batch in self.batches for each in batch if each.read)
        return {v.address: Known(v.read.kind, v.tag, "", v.digest, v.read.children, 100) for v in visited if v.read}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rstrip("/"))
        if "silent" in request.url.path:
            raise httpx.ConnectError("refused")
        said = self.site.get(request.url.path.rstrip("/"), 404)
        if isinstance(said, int):
            return httpx.Response(said)
        content = json.dumps([each if "://" in each else URL + each for each in said]).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304)
        return httpx.Response(
            200, stream=httpx.ByteStream(content), headers={"etag": tag, "content-type": "text/turtle"}
        )


def test_each_address_is_asked_once_however_often_it_is_listed() -> None:
    harvested = Harvested(
        {"": ["/c1", "/c2", "/"], "/c1": ["/d1", "/d2", "/d1#part"], "/c2": ["/d2", ""], "/d1": [], "/d2": []}
    )
    found = harvested.run()
    assert Counter(harvested.asked) == {"": 2, "/c1": 1, "/c2": 1, "/d1": 1, "/d2": 1}  # with a slash and without
    assert (found.is_whole, found.has_changed, found.problem) == (True, True, "")
    assert found.listed == {URL, f"{URL}/", *(f"{URL}/{each}" for each in ("c1", "c2", "d1", "d2"))}
    assert set(harvested.outcomes.values()) == {Outcome.READ}


def test_what_did_not_change_is_not_read_again_and_leads_on() -> None:
    site: Site = {"": ["/c"], "/c": ["/d1", "/d2"], "/d1": [], "/d2": []}
    first = Harvested(site)
    first.run()
    again = Harvested({**site, "/d2": ["/d3"], "/d3": []}, first.learned())
    found = again.run()
    assert again.outcomes == {"": "same", "/c": "same", "/d1": "same", "/d2": "read", "/d3": "read"}
    assert (found.is_whole, found.has_changed) == (True, False)  # no container lists anything else
    # of a server that knows no tags the bytes tell
    untagged = {address: each._replace(tag="") for address, each in first.learned().items()}
    third = Harvested(site, untagged)
    third.run()
    assert (set(third.outcomes.values()), third.readers.was_read) == ({Outcome.SAME}, [])


def test_a_look_asks_containers_alone() -> None:
    site: Site = {"": ["/c"], "/c": ["/d1"], "/d1": ["/d1way"], "/d1way": []}
    first = Harvested(site)
    first.run()
    look = Harvested(site, first.learned())
    found = look.run(containers_only=True)
    assert (look.asked, found.has_changed, found.is_whole) == (["", "/c"], False, True)
    assert found.listed == {URL, *(f"{URL}{path}" for path in ("/c", "/d1", "/d1way"))}
    changed = Harvested({**site, "/c": ["/d1", "/d2"], "/d2": []}, first.learned())
    assert changed.run(containers_only=True).has_changed
    assert changed.asked == ["", "/c", "/d2"]


@pytest.mark.parametrize(("status", "says"), [(500, "it answers 500"), (410, "there is no catalogue here any more")])
def test_without_its_root_nothing_else_is_asked(status: int, says: str) -> None:
    known = {URL: Known(Kind.CONTAINER, '"t"', "", "d", (f"{URL}/c",), 0)}
    harvested = Harvested({"": status, "/c": []}, known)
    found = harvested.run()
    assert (harvested.asked, found.is_whole, says in found.problem) == ([""], False, True)


def test_a_container_that_cannot_be_had_leads_where_it_led_before() -> None:
    first = Harvested({"": ["/c"], "/c": ["/d1"], "/d1": []})
    first.run()
    harvested = Harvested({"": ["/c"], "/c": 503, "/d1": []}, first.learned())
    found = harvested.run()
    assert f"{URL}/d1" in found.listed
    assert harvested.outcomes == {"": "same", "/c": "fault", "/d1": "same"}
    assert (found.is_whole, found.problem) == (True, f"{URL}/c: it answers 503")
    gone = Harvested({"": ["/c"], "/c": 410, "/d1": []}, first.learned())
    assert f"{URL}/d1" not in gone.run().listed


def test_it_goes_six_steps_deep_and_no_more() -> None:
    site: Site = {"": ["/1"], **{f"/{n}": [f"/{n + 1}"] for n in range(1, 12)}}
    harvested = Harvested(site)
    found = harvested.run()
    assert harvested.asked == ["", "/1", "/2", "/3", "/4", "/5", "/6"]
    assert (found.is_whole, "it leads too deep" in found.problem) == (True, True)


@pytest.mark.parametrize(
    ("listed", "settings", "says", "most"),
    [
        ([f"/silent{n}" for n in range(50)], SETTINGS, "it fell silent", 8),
        ([f"/slow{n}" for n in range(50)], SETTINGS, "3 of its descriptions took too long to read", 6),
        ([f"/d{n}" for n in range(50)], replace(SETTINGS, most_resources=20), "more than 20 descriptions", 1),
        ([f"/d{n}" for n in range(50)], replace(SETTINGS, most_bytes=2000), "more than 2,000 bytes would be kept", 30),
    ],
)
def test_what_costs_too_much_is_left(listed: list[str], settings: HarvestSettings, says: str, most: int) -> None:
    harvested = Harvested({"": listed, **dict.fromkeys(listed, ())}, settings=settings)
    found = harvested.run()
    assert (found.is_whole, says in found.problem) == (False, True)
    assert len(harvested.asked) <= most + SETTINGS.connections


def test_what_was_kept_before_counts_as_long_as_it_is_kept() -> None:
    """New addresses at each harvest, and never one that is whole, would fill the disk."""
    known = {f"{URL}/d{n}": Known(Kind.DATASET, "", "", "d", (), 100) for n in range(100)}
    settings = replace(SETTINGS, most_bytes=10_050)
    found = Harvested({"": ["/new"], "/new": []}, known, settings).run()
    assert (found.is_whole, "with what it listed before" in found.problem) == (False, True)
    assert Harvested({"": ["/new"], "/new": []}, known, replace(SETTINGS, most_bytes=11_000)).run().is_whole


def test_single_faults_do_not_end_it_and_five_are_named() -> None:
    listed = [f"/wrong{n}" for n in range(9)] + ["/silent", "/d1", "https://elsewhere.example/d2", "/old"]
    harvested = Harvested({"": listed, **dict.fromkeys(listed, ()), "/old": 304})
    found = harvested.run()
    assert found.is_whole
    assert harvested.outcomes["/d1"] is Outcome.READ
    assert harvested.outcomes["/old"] is Outcome.FAULT  # nothing is known that it could be the same as
    assert "it lists https://elsewhere.example/d2, at a host that it may not lead to" in found.problem
    assert found.problem.endswith("(and 7 more)")
    assert "elsewhere" not in "".join(harvested.asked)


def test_everything_is_kept_once_in_batches() -> None:
    names = [f"/d{n}" for n in range(250)]
    harvested = Harvested({"": names, **dict.fromkeys(names, ())})
    harvested.run()
    kept = [each.address for batch in harvested.batches for each in batch]
    assert len(kept) == len(set(kept)) == 251
    assert max(map(len, harvested.batches)) <= 100


def test_a_deadline_ends_it_and_what_was_visited_is_kept() -> None:
    class Stuck(FakeReaders):
        async def read(self, address: str, content: bytes) -> Read:
            if "stuck" in address:
                await asyncio.sleep(60)
            return await super().read(address, content)

    harvested = Harvested(
        {"": ["/d1", "/stuck"], "/d1": [], "/stuck": []}, settings=replace(SETTINGS, request_s=0.1, deadline_s=0.4)
    )
    harvested.readers = Stuck()
    found = harvested.run()
    assert (found.is_whole, found.problem) == (False, "its harvest took longer than 0.4 s and was ended")
    assert harvested.outcomes == {"": "read", "/d1": "read"}
