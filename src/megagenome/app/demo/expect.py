# SPDX-License-Identifier: Apache-2.0
"""What nodes and hub must answer: the truth, with the rule of what may be told applied by `rule`."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from megagenome.app.demo.fill import node_id
from megagenome.app.demo.rule import Cells, Genotypes, people_told, sum_cells, told_cells
from megagenome.reference import EXPECTED_PLOIDY, assembly
from megagenome.synthetic.truth import AlleleTruth, CohortQuestion, CohortTruth, DatasetTruth, Truth

FLOOR = 10
"""Of data that is not open; the demo raises it nowhere."""

Facts = dict[str, str]
"""One answer as text by what it is about, so that two can be compared and their difference be named."""

OVER_ALL = ""
"""In the truth's cells: all datasets of a country, each person once."""


class Sharing(NamedTuple):
    """Datasets of one node that have people in common: pairs of ids with exactly the same people, and other pairs."""

    same: frozenset[frozenset[str]] = frozenset()
    partly: frozenset[frozenset[str]] = frozenset()

    def any(self, one: str, other: str) -> bool:
        """Whether they have anybody in common."""
        return frozenset((one, other)) in self.same | self.partly


NOBODY_TWICE = Sharing()


class ExpectedNode(NamedTuple):
    """What one node must tell: by dataset, where that tells something, and over all of them.

    told      the node tells that there is something, or that there certainly is nothing
    """

    id: str
    told: bool
    datasets: dict[str, Cells]
    cells: Cells
    row: Cells
    people_by_dataset: dict[str, int]
    people: int


class Expectation:
    """The truth of a network, asked as its public may. Nodes are countries, in the truth's order."""

    def __init__(self, truth: Truth, sharing: Sharing = NOBODY_TWICE) -> None:
        self.truth = truth
        self._sharing = sharing
        countries = dict.fromkeys(dataset.country for dataset in truth.datasets)
        self._nodes: dict[str, Sequence[DatasetTruth]] = {
            country: [dataset for dataset in truth.datasets if dataset.country == country] for country in countries
        }

    def allele(self, asked: AlleleTruth) -> list[ExpectedNode]:
        """What each node tells of an allele."""
        kind = assembly(self.truth.assembly).ploidy_class(asked.contig, asked.start)
        return [self._allele(country, asked, EXPECTED_PLOIDY[kind]) for country in self._nodes]

    def _allele(self, country: str, asked: AlleleTruth, copies: Mapping[str, int]) -> ExpectedNode:
        recorded: dict[str, dict[str, Genotypes]] = {}
        for cell in asked.cells:
            if cell.country == country:
                counts = Genotypes(cell.heterozygous, cell.homozygous, cell.hemizygous, cell.allele_number)
                recorded.setdefault(cell.dataset, {})[cell.sex] = counts
        datasets = self._nodes[country]
        told = {
            each.id: cells
            for each in datasets
            if each.id in recorded
            and not self._is_eclipsed(each, [other for other in datasets if other.id in recorded])
            and (cells := told_cells(country, recorded[each.id], copies, _floor(each)))
        }
        # open data tell a plain zero, too; only the sum has it, so that it counts in whom the allele was looked for
        observed = {each: cells for each, cells in told.items() if cells["Total"].ac}
        all_open = all(each.open for each in datasets)
        shares = any(self._sharing.any(one, other) for one, other in combinations(told, 2))
        if shares and all_open:
            cells = told_cells(country, recorded[OVER_ALL], copies, 0)
        else:
            cells = sum_cells(told[each] for each in self._apart(country, told))
        row = sum_cells(observed[each] for each in self._apart(country, observed))
        return ExpectedNode(node_id(country), bool(observed) or all_open, observed, cells, row, {}, 0)

    def _is_eclipsed(self, dataset: DatasetTruth, others: Iterable[DatasetTruth]) -> bool:
        """Beside one that is open, or larger, and shares some of its people, one that is not open says nothing."""
        return not dataset.open and any(
            frozenset((dataset.id, other.id)) in self._sharing.partly
            and (other.open or self._is_larger(other, dataset))
            for other in others
        )

    def _is_larger(self, one: DatasetTruth, other: DatasetTruth) -> bool:
        order = self._by_size(one.country)
        return order.index(one.id) < order.index(other.id)

    def _by_size(self, country: str) -> list[str]:
        return [each.id for each in sorted(self._nodes[country], key=lambda each: -_people(each))]

    def _apart(self, country: str, ids: Iterable[str]) -> list[str]:
        """Of these datasets, the largest first, those that share nobody with one taken before."""
        wanted, taken = set(ids), list[str]()
        for each in self._by_size(country):
            if each in wanted and not any(self._sharing.any(each, other) for other in taken):
                taken.append(each)
        return taken

    def cohorts(self, *, registered: bool = False) -> list[CohortTruth]:
        """The truth's cohorts that every node understands, asked by the public or by who has registered access.

        A node refuses a term of an ontology that it has not loaded when nobody there is described with it whom the
        asker may know of; the truth shows that somebody is where it counts somebody.
        """
        known = {each.id for datasets in self._nodes.values() for each in _open_to(datasets, registered)}
        met: set[tuple[str, str]] = set()
        for cohort in self.truth.cohorts:
            words = _words(cohort.question)
            counts = [count for count in cohort.counts if count.members and count.dataset in known]
            met |= {(count.country, word) for count in counts for word in words}
        return [
            cohort
            for cohort in self.truth.cohorts
            if all((country, word) in met for country in self._nodes for word in _words(cohort.question))
        ]

    def cohort(self, asked: CohortTruth, *, registered: bool = False) -> list[ExpectedNode]:
        """How many people each node tells of: the public, or who has registered access."""
        return [self._cohort(country, asked, registered) for country in self._nodes]

    def _cohort(self, country: str, asked: CohortTruth, registered: bool) -> ExpectedNode:
        members = {count.dataset: count.members for count in asked.counts if count.country == country}
        datasets = _open_to(self._nodes[country], registered)
        told = {
            each.id: members[each.id] for each in datasets if people_told(members[each.id], _people(each), _floor(each))
        }
        if all(each.open for each in self._nodes[country]):
            count, certain = members[OVER_ALL], True
        else:
            count = sum(told[each] for each in self._apart(country, told))
            shares = any(self._sharing.any(a.id, b.id) for a, b in combinations(datasets, 2))
            # of a node that has data of which the asker may not be told, no sum is certain to be the whole
            certain = len(told) == len(datasets) == len(self._nodes[country]) and not shares
        return ExpectedNode(node_id(country), count > 0 or certain, {}, {}, {}, told, count)


def _open_to(datasets: Sequence[DatasetTruth], registered: bool) -> list[DatasetTruth]:
    """Those whose people may be counted: one that is not open starts at registered access."""
    return [each for each in datasets if registered or each.open]


def _words(question: CohortQuestion) -> list[str]:
    """What a node may not know: terms of no loaded ontology, and values of the holder's own columns."""
    terms = [term for term in (*question.terms, *question.excluded) if not term.startswith("HP:")]
    return [*terms, question.smoking] if question.smoking else terms


def _floor(dataset: DatasetTruth) -> int:
    return 0 if dataset.open else FLOOR


def _people(dataset: DatasetTruth) -> int:
    return sum(dataset.consenting.values())


def cell_facts(cells: Cells, prefix: str = "") -> Facts:
    """A fact for each cell."""
    return {prefix + label: str(cell) for label, cell in cells.items()}


def variant_facts(nodes: Sequence[ExpectedNode]) -> Facts:
    """The hub's answer about an allele, with each node's and dataset's part."""
    facts = {"found": _yes(any(node.datasets for node in nodes)), **cell_facts(sum_cells(n.cells for n in nodes))}
    for node in nodes:
        facts[node.id] = _status(node)
        facts |= cell_facts(node.cells, f"{node.id} ")
        for dataset, cells in node.datasets.items():
            facts |= cell_facts(cells, f"{dataset} ")
    return facts


def combined_facts(nodes: Sequence[ExpectedNode]) -> Facts:
    """A Beacon's answer about an allele, over these nodes: whether it is there, and the sums."""
    return {"found": _yes(any(node.datasets for node in nodes)), **cell_facts(sum_cells(n.cells for n in nodes))}


def region_facts(alleles: Mapping[str, Sequence[ExpectedNode]]) -> Facts:
    """The hub's answer about a region: by allele, in order, the sums over nodes."""
    told = {text: sum_cells(node.row for node in nodes) for text, nodes in alleles.items()}
    rows = {text: cells for text, cells in told.items() if cells}
    facts = {"alleles": f"{len(rows):,}", "complete": "yes"}
    for text, cells in rows.items():
        facts |= cell_facts(cells, f"{text} ")
    return facts


def cohort_facts(nodes: Sequence[ExpectedNode]) -> Facts:
    """The hub's answer about a cohort."""
    facts = people_facts(nodes)
    for node in nodes:
        facts[node.id] = f"{_status(node)} {node.people:,}" if node.told else _status(node)
        facts |= {dataset: f"{count:,}" for dataset, count in node.people_by_dataset.items() if count}
    return facts


def people_facts(nodes: Sequence[ExpectedNode]) -> Facts:
    """A Beacon's answer about a cohort."""
    count = sum(node.people for node in nodes)
    return {"found": _yes(count > 0), "people": f"{count:,}"}


def _status(node: ExpectedNode) -> str:
    return "answered" if node.told else "withheld"


def _yes(found: bool) -> str:
    return "yes" if found else "no"
