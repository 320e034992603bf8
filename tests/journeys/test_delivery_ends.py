# SPDX-License-Identifier: Apache-2.0
"""What ends what leaves a real node: a permit, a consent, a dataset, an environment, a receiver who is slow or gone."""

import base64
import contextlib
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.app.archive import open_archive
from megagenome.app.node import open_node
from megagenome.collection.acts import Act, say
from megagenome.collection.datasets import move_dataset
from megagenome.collection.environments import end_environment, register_environment
from megagenome.collection.model import DatasetState
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId, IndividualId
from megagenome.kernel.sealed_files import Described, FileId
from tests.delivery.world import OPEN, OPEN_PEOPLE, World, archive_file, copy_of, write_large
from tests.journeys.delivering import DRS, Reader, error_of, nobody, opened
from tests.journeys.network import Served
from tests.journeys.permit_node import DATASET, PERMIT, revoke, serving_at_its_address, table

AT_ONCE_S = 1.0
"""The promise: a withdrawal and a revocation have reached every reading by permit by then."""


def until(holds: Callable[[], bool]) -> float:
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < 10
    return time.monotonic() - start


@pytest.mark.promise
def test_a_revocation_ends_tickets_at_once(own: Served, world: World) -> None:
    reader = Reader(own)
    passports = {"passports": [reader.headers["authorization"].removeprefix("Bearer ")]}
    objects = [f"{DRS}/objects/{world.mine[kind]}" for kind in ("BAM", "CRAM")]
    tickets = [
        reader.ticket(f"variants/{DATASET}"),
        reader.ticket(f"reads/{world.mine['BAM']}"),
        drs_ticket(own.client.get(f"{objects[0]}/access/https", headers=reader.headers)),
        drs_ticket(own.client.post(f"{objects[1]}/access/https", json=passports)),
    ]
    assert all(own.client.get(url, headers=headers).status_code == 200 for url, headers in tickets)
    revoke(own.folder)
    assert until(lambda: all(own.client.get(u, headers=h).status_code == 403 for u, h in tickets)) < AT_ONCE_S
    assert error_of(reader.ask(f"variants/{DATASET}")) == (403, "PermissionDenied")
    for path in (each + way for each in objects for way in ("", "/access/https")):
        assert own.client.post(path, json=passports).status_code == 403
        assert own.client.get(path, headers=reader.headers).status_code == 403
    many = passports | {"bulk_object_ids": list(world.mine.values())}
    assert refused_of(own.client.post(f"{DRS}/objects", json=many)) == {403: set(world.mine.values())}
    wanted = [{"bulk_object_id": each, "bulk_access_ids": ["https"]} for each in world.mine.values()]
    pairs = passports | {"bulk_object_access_ids": wanted}
    assert refused_of(own.client.post(f"{DRS}/objects/access", json=pairs)) == {403: set(world.mine.values())}


def drs_ticket(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where the data are by DRS, and with which headers."""
    assert answer.status_code == 200, answer.text
    access = answer.json()
    return access["url"], dict(field.split(": ", 1) for field in access["headers"])


def refused_of(answer: httpx.Response) -> dict[int, set[str]]:
    """What DRS did not give of many objects of which it gave none, by why."""
    found = answer.json()
    assert found["summary"]["resolved"] == 0
    return {each["error_code"]: set(each["object_ids"]) for each in found["unresolved_drs_objects"]}


def withdraw(served: Served, individual: str) -> None:
    """Somebody ends every use of their genome at the country's desk."""
    node = open_node(served.folder)
    say(node.collection, IndividualId(individual), Act.WITHDRAW, by="desk", longest_delay_days=30)
    node.collection.close()


def my_individual(world: World) -> str:
    return next(row["individual_id"] for row in table() if row["sample_id"] == world.me)


def index_of(served: Served, file: FileId) -> FileId:
    """The index of an archived file."""
    node = open_node(served.folder)
    found = open_archive(node).index_of(file)
    node.collection.close()
    assert found
    return found.id


def archive_large(folder: Path, plain: Path, dataset: str, sample: str) -> str:
    """A file that takes long to fetch."""
    write_large(plain / "large")
    node = open_node(folder)
    described = Described(DatasetId(dataset), "large", "CRAM", (sample,))
    file = archive_file(open_archive(node), plain / "large", described)
    node.collection.close()
    return file


def columns(content: bytes) -> list[str]:
    """The samples of a VCF."""
    [line] = [line for line in gzip.decompress(content).decode().splitlines() if line.startswith("#CHROM")]
    return line.split("\t")[9:]


def status_of(served: Served, ticket: tuple[str, dict[str, str]]) -> int:
    return served.client.get(ticket[0], headers=ticket[1]).status_code


@pytest.mark.promise
def test_who_withdraws_is_gone_at_once_with_their_files(own: Served, world: World) -> None:
    """From the next slice, also by a ticket of before; their files by either door, with their indexes."""
    reader = Reader(own)
    url, headers = reader.ticket(f"variants/{DATASET}")
    whole = reader.ticket(f"reads/{world.mine['BAM']}")
    part = reader.ticket(f"reads/{world.mine['CRAM']}", format="CRAM", referenceName="1")
    indexes = [index_of(own, file) for file in world.mine.values()]
    ways = [f"{DRS}/objects/{each}{way}" for each in indexes for way in ("", "/access/https")]
    objects = [f"{DRS}/objects/{world.mine['BAM']}", f"{DRS}/objects/{world.mine['CRAM']}/access/https", *ways]
    places = [drs_ticket(own.client.get(path, headers=reader.headers)) for path in ways[1::2]]
    assert {status_of(own, each) for each in places} == {200}
    assert all(own.client.get(path, headers=reader.headers).status_code == 200 for path in objects)
    before = columns(opened(own.client.get(url, headers=headers).content, world))
    withdraw(own, my_individual(world))
    assert until(lambda: {status_of(own, each) for each in (whole, part, *places)} == {404}) < AT_ONCE_S
    after = columns(opened(own.client.get(url, headers=headers).content, world))
    assert len(after) == len(before) - 1
    assert set(after) < set(before), "nobody else has another name by it"
    assert error_of(reader.ask(f"reads/{world.mine['BAM']}")) == (404, "NotFound")
    assert {own.client.get(path, headers=reader.headers).status_code for path in objects} == {404}
    asked = {"bulk_object_ids": [*world.mine.values(), *indexes]}
    assert refused_of(own.client.post(f"{DRS}/objects", json=asked, headers=reader.headers)) == {
        404: {*world.mine.values(), *indexes}
    }


@pytest.mark.promise
def test_who_withdraws_is_gone_from_open_data_too(own: Served, world: World) -> None:
    reader, me = nobody(own), OPEN_PEOPLE[0]
    url, headers = reader.ticket(f"variants/{OPEN}")
    file = reader.ticket(f"reads/{world.opened['BAM']}")
    assert me in columns(own.client.get(url, headers=headers).content)
    withdraw(own, f"IND-{me}")
    assert until(lambda: status_of(own, file) == 404) < AT_ONCE_S
    assert columns(own.client.get(url, headers=headers).content) == sorted(OPEN_PEOPLE[1:11])
    assert error_of(reader.ask(f"reads/{world.opened['BAM']}")) == (404, "NotFound")
    assert own.client.get(f"{DRS}/objects/{world.opened['CRAM']}").status_code == 404


def test_a_ticket_is_good_for_fifteen_minutes_at_most(own: Served, world: World) -> None:
    """By either door, for files and slices, by permit and of open data; a node cannot be told to give longer ones."""
    reader = Reader(own)
    fields = [reader.ticket(f"variants/{DATASET}")[1], nobody(own).ticket(f"reads/{world.opened['BAM']}")[1]]
    access = own.client.get(f"{DRS}/objects/{world.mine['BAM']}/access/https", headers=reader.headers)
    fields.append(drs_ticket(access)[1])
    for each in fields:
        body = each["Authorization"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        assert 0 < claims["exp"] - claims["iat"] <= 15 * 60
        assert abs(claims["iat"] - time.time()) < 60
    settings = own.folder / "node.toml"
    settings.write_text(settings.read_text() + "\n[delivery]\nticket_s = 901\n")
    with pytest.raises(Invalid, match="ticket_s"):
        open_node(own.folder)


@pytest.mark.parametrize("ending", ["permit", "consent"])
def test_a_download_under_way_stops(own: Served, world: World, tmp_path: Path, ending: str) -> None:
    """A slow reader gets no more of it than was on its way, and sees that it is not whole."""
    large = archive_large(own.folder, tmp_path, DATASET, world.me)
    url, headers = Reader(own).ticket(f"reads/{large}", format="CRAM")
    with own.client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw(1 << 16)
        next(pieces)
        if ending == "permit":
            revoke(own.folder)
        else:
            withdraw(own, my_individual(world))
        time.sleep(0.5)
        with pytest.raises(httpx.RemoteProtocolError):
            sum(map(len, pieces))
        assert answer.num_bytes_downloaded < 48 << 20


def test_slow_and_lost_receivers_hold_nobody_up(
    delivery_world: tuple[Path, World], tmp_path: Path, world: World
) -> None:
    """As many as there are places for nobody in particular take nothing: others are told to come again, but for who
    said who they are, and who has a share of what is left and no more; everything else is answered; when they leave,
    their places are free."""
    folder = copy_of(delivery_world[0], tmp_path / "node")
    with (folder / "node.toml").open("a") as settings:
        settings.write("\n[delivery]\nmost_streams = 12\n")
    large = archive_large(folder, tmp_path, OPEN, OPEN_PEOPLE[0])
    theirs = archive_large(folder, tmp_path, DATASET, world.me)
    with serving_at_its_address(folder) as served, contextlib.ExitStack() as held:
        url, headers = nobody(served).ticket(f"reads/{large}", format="CRAM")
        client = held.enter_context(httpx.Client(trust_env=False, timeout=30))
        for _ in range(9):
            answer = held.enter_context(client.stream("GET", url, headers=headers))
            assert answer.status_code == 200
        refused = served.client.get(url, headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert "ask again" in refused.json()["detail"]
        hers, named = Reader(served).ticket(f"reads/{large}", format="CRAM")
        assert served.client.get(hers, headers=named | {"range": "bytes=0-9"}).status_code == 206
        mine, fields = Reader(served).ticket(f"variants/{DATASET}")
        own, keys = Reader(served).ticket(f"reads/{theirs}", format="CRAM")
        for _ in range(2):
            assert held.enter_context(client.stream("GET", own, headers=keys)).status_code == 200
        refused = served.client.get(mine, headers=fields)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert refused.json()["detail"].startswith("2 files and slices are being sent to you")
        start = time.monotonic()
        for _ in range(20):
            assert served.client.get("/beacon/v2/info").status_code == 200
            assert served.client.head(url, headers=headers).status_code == 200
        assert time.monotonic() - start < 20
        held.close()
        until(lambda: served.client.get(url, headers=headers | {"range": "bytes=0-9"}).status_code == 206)


def test_what_else_ends_ends_tickets_too(own: Served, world: World) -> None:
    reader = Reader(own)
    sealed, free = reader.ticket(f"reads/{world.mine['BAM']}"), nobody(own).ticket(f"reads/{world.opened['BAM']}")
    node = open_node(own.folder)
    key = world.key.public_key().public_bytes_raw()
    with node.collection.engine.begin() as connection:
        end_environment(connection, PERMIT, key)
        move_dataset(connection, DatasetId(OPEN), DatasetState.WITHDRAWN)
    until(lambda: own.client.get(sealed[0], headers=sealed[1]).status_code == 403)
    until(lambda: own.client.get(free[0], headers=free[1]).status_code == 404)
    assert error_of(reader.ask(f"variants/{DATASET}")) == (403, "PermissionDenied")
    unknown = nobody(own).ask("variants/UNKNOWN").text.replace("UNKNOWN", OPEN)
    assert nobody(own).ask(f"variants/{OPEN}").text == unknown
    with node.collection.engine.begin() as connection:
        for number in range(2):
            another = X25519PrivateKey.generate().public_key().public_bytes_raw()
            register_environment(connection, PERMIT, another, f"workspace {number}", "operator")
    node.collection.close()
    assert error_of(reader.ask(f"variants/{DATASET}")) == (400, "InvalidInput")
