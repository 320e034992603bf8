# SPDX-License-Identifier: Apache-2.0
"""Consent at once by permit, and by release in public: random days of a node against a plain account of them.

After each step what the public counts and what a permit reads is compared with counts person by person. Who is in the
public numbers is partly chance (who is held back); that is held to the rule: nobody without consent enters, who is due
leaves, and no two states that were told show fewer than ten people.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from megagenome.collection.acts import TERMS, Act, say
from megagenome.collection.cohort import EVERYONE, Cohort, FromCountry, HasSex
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES
from megagenome.collection.permits import change_permit, store_permit
from megagenome.collection.reading import Reading
from megagenome.collection.release import release
from megagenome.collection.released import read_released
from megagenome.kernel.callers import Caller
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.ids import DatasetId, IndividualId, PermitId
from megagenome.standards.permit import PermitState
from tests.collection import clocks
from tests.collection.clocks import ALICE, CLOSED, DATASETS, OPEN, OTHER, POOL
from tests.collection.files import LENGTHS, cells
from tests.oracles.releases import exposed

REGISTERED = Caller("carol@example.org", "Carol", registered=True)
CONSENTS = st.sampled_from([YES, YES, YES, None, frozenset(), frozenset({Use.RESEARCH}), frozenset(Use)])
COHORTS: dict[str, tuple[Cohort, set[int]]] = {
    "everyone": (EVERYONE, set(range(POOL))),
    "women": (HasSex(Sex.FEMALE), {n for n in range(POOL) if clocks.someone(n).sex == "female"}),
    "EE": (FromCountry("EE"), {n for n in range(POOL) if clocks.someone(n).country == "EE"}),
}


def read(reading: Reading, dataset: str) -> dict[object, object]:
    """What a reading counts in one dataset."""
    found = {}
    for contig in ("22", "X"):
        counts = reading.count_alleles(Region("GRCh38", contig, 0, LENGTHS[contig]), {DatasetId(dataset)})
        for row, allele in enumerate(counts.alleles):
            found[allele[1:]] = cells(reading, counts, row)
    return found


class Days(RuleBasedStateMachine):
    """A node over its days."""

    def __init__(self) -> None:
        super().__init__()
        self.top = tempfile.TemporaryDirectory()
        folder = shutil.copytree(empty(), Path(self.top.name) / "node")
        self.collection = Collection.open_folder(folder, lambda _: None)
        self.collection.journal = clocks.NoJournal()
        self.plain = clocks.PlainNode()
        self.told: dict[str, list[set[int]]] = {dataset: [] for dataset in DATASETS}
        self.permits: dict[str, tuple[tuple[str, ...], str, Use, str]] = {}  # datasets, cohort, use, state

    def teardown(self) -> None:
        self.collection.close()
        self.top.cleanup()

    def public(self, dataset: str) -> set[int]:
        """Who is in the public numbers."""
        with self.collection.engine.connect() as connection:
            planes = read_released(connection, DatasetId(dataset), 1)
            names = dict(map(tuple, connection.exec_driver_sql("SELECT number, id FROM individual").all()))
        return {int(names[k][1:]) for k in range(POOL) if planes[0, k >> 3] >> (k & 7) & 1}

    def after_step(self, dataset: str) -> set[int]:
        """The public people now; notes them as told."""
        now = self.public(dataset)
        if dataset in self.plain.said:
            self.told[dataset].append(now)
        return now

    @rule(dataset=st.sampled_from(DATASETS), first=st.integers(0, POOL - 1), size=st.integers(1, 30), seed=st.randoms())
    def people_are_loaded(self, dataset: str, first: int, size: int, seed: object) -> None:
        is_known = bool(self.told[dataset])
        before = {each: self.public(each) for each in DATASETS}
        kinds = [YES] * 8 + [None, frozenset(), frozenset({Use.RESEARCH}), frozenset(Use)]
        consents = {n: seed.choice(kinds) for n in range(first, min(first + size, POOL))}
        new = set(consents) - self.plain.members(dataset)
        sources = [clocks.source_of(sorted(new))] if new else []
        report = load(self.collection, clocks.statement(dataset), clocks.table(consents), sources, "GRCh38")
        self.plain.load(dataset, consents)
        live = self.plain.consenting(Use.AGGREGATES)
        for each in DATASETS:
            now = self.after_step(each)
            if each != dataset:
                assert now == before[each]
            elif not is_known:
                assert now == live & self.plain.members(each)
            else:
                assert before[each] <= now <= before[each] | (live & self.plain.members(each))
                assert each != OPEN or now == before[each] | (live & self.plain.members(each))
                assert report.waiting == len(live & self.plain.members(each) - now)

    @precondition(lambda self: self.plain.said)
    @rule(data=st.data(), act=st.sampled_from(Act), uses=st.sets(st.sampled_from(Use), max_size=2))
    def somebody_says_something(self, data: st.DataObject, act: Act, uses: set[Use]) -> None:
        who = data.draw(st.sampled_from(sorted(set().union(*self.plain.said.values()))))
        named = uses if TERMS[act].chooses else set()
        about = named or TERMS[act].uses
        report = say(self.collection, IndividualId(f"I{who}"), act, named, by="desk", longest_delay_days=30)
        ended = self.plain.ended.setdefault(who, set())
        if act is Act.RENEW:
            ended -= about
        else:
            ended |= about
        assert set(report.holds) == {use for use in Use if who in self.plain.consenting(use)}
        still = {each for each in DATASETS if who in self.public(each)}
        assert set(report.public_until) == (still if Use.AGGREGATES not in report.holds else set())

    @precondition(lambda self: self.plain.said)
    @rule(days=st.sampled_from([0, 30]))
    def a_release_is_made(self, days: int) -> None:
        before = {each: self.public(each) for each in DATASETS}
        said = release(self.collection, longest_delay_days=days)
        live = self.plain.consenting(Use.AGGREGATES)
        for each in DATASETS:
            target = live & self.plain.members(each)
            now = self.after_step(each)
            assert now <= before[each] | target
            if days == 0:
                assert now <= target
            if each == OPEN or not exposed([*map(self.named, self.told[each][:-1]), self.named(target)]):
                assert now == target
        for each in said.datasets:
            target = live & self.plain.members(each.dataset)
            now = self.public(each.dataset)
            assert (each.people, each.waiting, each.leaving) == (len(now), len(target - now), len(now - target))

    @rule(
        name=st.sampled_from(["p1", "p2"]),
        datasets=st.sets(st.sampled_from(DATASETS), min_size=1),
        cohort=st.sampled_from(sorted(COHORTS)),
        use=st.sampled_from([Use.RESEARCH, Use.POLICY]),
    )
    def a_permit_is_granted(self, name: str, datasets: set[str], cohort: str, use: Use) -> None:
        if name in self.permits:
            return
        granted = clocks.permit(name, sorted(datasets), [use], COHORTS[cohort][0])
        with self.collection.engine.begin() as connection:
            store_permit(connection, granted)
        self.permits[name] = tuple(sorted(datasets)), cohort, use, PermitState.ACTIVE

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), state=st.sampled_from(PermitState))
    def a_permit_is_changed(self, data: st.DataObject, state: PermitState) -> None:
        name = data.draw(st.sampled_from(sorted(self.permits)))
        with self.collection.engine.begin() as connection:
            change_permit(connection, PermitId(name), state, "because")
        datasets, cohort, use, before = self.permits[name]
        self.permits[name] = datasets, cohort, use, before if before == PermitState.REVOKED else state

    @staticmethod
    def named(people: set[int]) -> dict[str, tuple[str, str, str]]:
        some = [clocks.someone(n) for n in people]
        return {one.sample: (one.country, one.population, one.sex) for one in some}

    @invariant()
    def no_difference_shows_a_few(self) -> None:
        for dataset in (CLOSED, OTHER):
            assert exposed(map(self.named, self.told[dataset])) == []

    @invariant()
    def public_numbers_are_of_the_public_people(self) -> None:
        self.collection.refresh()
        reading = self.collection.open(REGISTERED, Use.AGGREGATES)
        women = self.collection.open(REGISTERED, Use.AGGREGATES, COHORTS["women"][0])
        assert {each.id for each in reading.datasets} == set(self.plain.said)
        for k, dataset in enumerate(reading.datasets):
            public = self.public(dataset.id)
            assert read(reading, dataset.id) == clocks.counted(public)
            assert read(women, dataset.id) == clocks.counted(public & COHORTS["women"][1])
            people = women.count_people()
            assert (people.members[k], people.totals[k]) == (len(public & COHORTS["women"][1]), len(public))
            assert dataset.individuals == len(public)

    @invariant()
    def permits_read_who_consents_now(self) -> None:
        for name, (datasets, cohort, use, state) in self.permits.items():
            here = [each for each in datasets if each in self.plain.said]
            if state != PermitState.ACTIVE or not here:
                try:
                    self.collection.open(ALICE, use, permit=PermitId(name))
                    raise AssertionError(name)
                except NotEntitled:
                    continue
            reading = self.collection.open(ALICE, use, permit=PermitId(name))
            assert {each.id for each in reading.datasets} == set(here)
            live = self.plain.consenting(use) & COHORTS[cohort][1]
            everybody: set[int] = set()
            for k, dataset in enumerate(reading.datasets):
                mine = live & self.plain.members(dataset.id)
                everybody |= mine
                assert read(reading, dataset.id) == clocks.counted(mine)
                assert reading.count_people().members[k] == len(mine)
            assert reading.count_people().distinct == len(everybody)
            records = reading.individuals(0, POOL)
            assert {record.birth_year for record in records} == {1900 + n for n in everybody}
            assert [record.id for record in records] == list(reading.individual_ids)


@cache
def empty() -> Path:
    """A folder with an empty collection, made once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    Collection.create(folder / "node", lambda _: None).close()
    return folder / "node"


TestDays = Days.TestCase
TestDays.settings = settings(
    max_examples=15, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
