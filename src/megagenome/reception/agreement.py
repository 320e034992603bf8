# SPDX-License-Identifier: Apache-2.0
"""Whether the files of a submission are of one another's people: samples of genome files against people tables and
manifest, and people tables against each other."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from megagenome.reception.model import Expectations, Inspection
from megagenome.standards.submission import GENOME_FORMATS, GENOTYPE_FORMATS
from megagenome.standards.validation_report import Level, Message

_NAMED_AT_MOST = 5


class Said(NamedTuple):
    """A message about one file, by its name; "" about the submission as a whole."""

    file: str
    message: Message


class People(NamedTuple):
    """All people tables together: the individual of each sample, and the sex that is stated of each sample."""

    individuals: dict[str, str]
    sexes: dict[str, str]


def _error(file: str, text: str, place: str = "") -> Said:
    return Said(file, Message(Level.ERROR, text, place=place))


def _warning(file: str, text: str, place: str = "") -> Said:
    return Said(file, Message(Level.WARNING, text, place=place))


def join_people(inspections: Sequence[Inspection]) -> tuple[People, list[Said]]:
    """The people of all tables, and where these contradict each other: a load joins them, and would refuse."""
    said: list[Said] = []
    samples: dict[str, str] = {}  # by individual
    sexes: dict[str, str] = {}
    owners: dict[str, str] = {}
    tables = [each for each in inspections if each.people]
    any_names = any(each.names_samples for each in tables)
    for each in tables:
        name = each.report.name
        for row in each.people:
            if row.sex != "unknown" and sexes.setdefault(row.individual, row.sex) != row.sex:
                said.append(_error(name, "states another sex of an individual than an earlier table", row.individual))
            if not row.sample or (any_names and not each.names_samples):
                continue
            if samples.setdefault(row.individual, row.sample) != row.sample:
                said.append(_error(name, "gives an individual another sample than an earlier table", row.individual))
            if owners.setdefault(row.sample, row.individual) != row.individual:
                said.append(_error(name, "gives a sample to another individual than an earlier table", row.sample))
    stated = {sample: sexes.get(individual, "unknown") for sample, individual in owners.items()}
    return People(owners, stated), said


def compare_samples(inspections: Sequence[Inspection], people: People, expected: Expectations) -> Iterator[Said]:
    """Samples of genome files that nobody named, and named samples that are in none."""
    has_people = expected.people or any(each.people for each in inspections)
    found: set[str] = set()
    for each in inspections:
        name, samples = each.report.name, each.report.samples
        if each.report.format not in GENOME_FORMATS:
            continue
        found.update(samples)
        if expected.samples is not None and (strange := [s for s in samples if s not in expected.samples]):
            yield _error(name, f"has {_named(strange)}, which the manifest does not name")
        if has_people and samples and (strange := [s for s in samples if s not in people.individuals]):
            what = f"has {_named(strange)}, which no people table names"
            if len(strange) == len(samples):
                yield _error(name, f"{what}: it has nobody else")
            else:
                yield _warning(name, f"{what}; a load leaves them out")
    genomes = any(each.report.format in GENOME_FORMATS for each in inspections)
    if expected.samples is not None and genomes and (missing := sorted(expected.samples - found)):
        yield _error("", f"no file has {_named(missing)}, which the manifest names")
    if has_people and genomes and (missing := [s for s in people.individuals if s not in found]):
        yield _warning("", f"no file has {_named(missing)}, which a people table names")


def compare_contigs(inspections: Sequence[Inspection]) -> Iterator[Said]:
    """Contigs of which two files have variants: a load takes each contig from one file."""
    first: dict[str, str] = {}
    for each in inspections:
        if each.report.format in GENOTYPE_FORMATS:
            for contig in each.report.contigs:
                usual = contig.name.removeprefix("chr")
                other = first.setdefault(usual, each.report.name)
                if other != each.report.name:
                    yield _error(
                        each.report.name, f"has contig {contig.name}, and so has {other}; join them", contig.name
                    )


def by_file(said: Sequence[Said]) -> dict[str, list[Message]]:
    """The messages of each file, and of the submission by ""."""
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for each in said:
        found[each.file].append(each.message)
    return dict(found)


def _named(samples: Sequence[str]) -> str:
    shown = ", ".join(samples[:_NAMED_AT_MOST])
    more = f" and {len(samples) - _NAMED_AT_MOST:,} more" if len(samples) > _NAMED_AT_MOST else ""
    return f"{'sample' if len(samples) == 1 else 'samples'} {shown}{more}"
