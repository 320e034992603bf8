# SPDX-License-Identifier: Apache-2.0
"""What is kept of people between readings by permit is kept no longer than it is true, and in bounded memory."""

import base64
import hashlib
import hmac

import numpy as np
import pytest

from megagenome.collection import bitmap, permit_reading, reading, standing
from megagenome.collection.acts import Act, say
from megagenome.collection.cohort import FromCountry, HasSex
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES
from megagenome.collection.permits import store_permit
from megagenome.collection.standing import Names, Standing, pseudonyms
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.ids import Country, DatasetId, IndividualId, PermitId
from tests.collection import clocks
from tests.collection.clocks import ALICE, CLOSED

ONE, TWO = PermitId("permit-1"), PermitId("permit-2")
ON_22 = Allele("GRCh38", "22", 100, "A", "C")
SECRET = bytes(range(32))


def add(node: Collection, people: range) -> None:
    consents = dict.fromkeys(people, YES)
    source = clocks.source_of(people)
    load(node, clocks.statement(CLOSED), clocks.table(consents), [source], "GRCh38")


@pytest.fixture
def node(collection: Collection) -> Collection:
    """Thirty people; a permit for all of them, and one for the women."""
    collection.journal = clocks.NoJournal()
    add(collection, range(30))
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(ONE))
        store_permit(connection, clocks.permit(TWO, cohort=HasSex(Sex.FEMALE)))
    return collection


def read(node: Collection, permit: PermitId = ONE) -> tuple[set[int], int]:
    """Whose records a new reading gives, and how many alleles it counts."""
    opened = node.open(ALICE, Use.RESEARCH, permit=permit)
    born = {(each.birth_year or 0) - 1900 for each in opened.individuals(0, 100)}
    return born, int(opened.count_alleles(ON_22).an.sum())


def act(node: Collection, number: int, what: Act) -> None:
    say(node, IndividualId(f"I{number}"), what, by="desk", longest_delay_days=30)


def test_pseudonyms_are_those_that_were_given_out_before() -> None:
    numbers = [0, 1, 65_536, 10**9]
    codes = [hmac.new(SECRET, f"individual {n}".encode(), hashlib.sha256).digest()[:10] for n in numbers]
    assert list(Names(pseudonyms(SECRET, numbers))) == ["P" + base64.b32encode(code).decode() for code in codes]
    assert len(pseudonyms(SECRET, [])) == 0


def test_names_are_a_sequence_of_strings() -> None:
    names = Names(np.array([b"A", b"B", b"C"]))
    assert (len(names), names[0], names[-1], names[1:], names[3:]) == (3, "A", "C", ("B", "C"), ())
    assert "B" in names
    with pytest.raises(IndexError):
        names[3]


def test_after_each_act_a_new_reading_is_right(node: Collection) -> None:
    everybody = set(range(30))
    assert read(node) == (everybody, 60)
    act(node, 4, Act.WITHDRAW)
    assert read(node) == (everybody - {4}, 58)
    act(node, 4, Act.RENEW)
    assert read(node) == (everybody, 60)
    women = {number for number in everybody if clocks.someone(number).sex == "female"}
    assert read(node, TWO) == (women, 2 * len(women))


def test_a_load_is_seen_with_its_people_and_their_strata(node: Collection) -> None:
    opened = node.open(ALICE, Use.RESEARCH, FromCountry(Country("FI")), permit=ONE)
    finns = {n for n in range(60) if clocks.someone(n).country == "FI"}
    assert opened.count_people().distinct == len([n for n in finns if n < 30])
    add(node, range(30, 60))
    node.refresh()
    assert read(node) == (set(range(60)), 120)
    opened = node.open(ALICE, Use.RESEARCH, permit=ONE)
    counts = opened.count_alleles(ON_22).an[0]
    by_country = {each.country: int(counts[k]) for k, each in enumerate(opened.strata) if each.country == "FI"}
    assert by_country == {"FI": 2 * len(finns)}


def test_it_is_made_once_however_often_it_is_read(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def noting(name: str, module: object) -> None:
        original = getattr(module, name)

        def noted(*asked: object) -> object:
            made.append(name)
            return original(*asked)

        monkeypatch.setattr(module, name, noted)

    noting("pseudonyms", standing)
    noting("strata_of", reading)
    noting("canonical", permit_reading)
    for number in range(5):
        read(node)
        act(node, number, Act.WITHDRAW)
    assert sorted(made) == ["canonical", "pseudonyms", "strata_of"]
    add(node, range(30, 32))
    node.refresh()
    read(node)
    assert len(made) == 6


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, asked = Standing(), []

    def select(k: int) -> tuple[bitmap.Planes, ...]:
        asked.append(k)
        return (bitmap.from_numbers(np.arange(100), 1),)

    def use(k: int) -> None:
        kept.order((PermitId(f"permit-{k}"), (DatasetId("A"),)), SECRET, lambda: select(k))

    each_bytes = bitmap.PLANE_BYTES + 100 * 25
    monkeypatch.setattr(standing, "MOST_BYTES", 3 * each_bytes)
    for k in (0, 1, 2, 0, 3, 4, 0):
        use(k)
    assert asked == [0, 1, 2, 3, 4]  # 0 was used again and again
    use(1)
    assert asked[-1] == 1  # which was forgotten
    monkeypatch.setattr(standing, "MOST_BYTES", 1)
    use(2)
    use(2)
    assert asked[-2:] != [2, 2]  # what was used last is kept
