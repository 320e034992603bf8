# SPDX-License-Identifier: Apache-2.0
"""`megagenome node load | dataset`: people and genomes into datasets, and what becomes of these."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter, validators
from msgspec.structs import replace
from rich.console import Group, RenderableType

from megagenome.app.commands.metadata import check_file
from megagenome.app.commands.operator import given_by
from megagenome.app.commands.results import Done, show_done
from megagenome.app.node import Node, open_node
from megagenome.collection.datasets import DatasetStatement, change_state, set_tiers
from megagenome.collection.load import LoadReport, load
from megagenome.collection.model import DatasetState, Tier
from megagenome.collection.needs import Actor
from megagenome.collection.people import People
from megagenome.collection.read_people import read_people
from megagenome.collection.read_vcf import count_records
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.durable_files import require_free
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import parse_dataset_id
from megagenome.kernel.output import Json, progress, show, table

Folder = Annotated[Path, Parameter(help="The node's folder.")]
Year = Annotated[int | None, Parameter(validator=validators.Number(gte=1900, lte=clock.now().year))]
Files = Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")]
Flag = Parameter(negative="")

_ONWARD = {DatasetState.DRAFT: "approve", DatasetState.APPROVED: "publish"}
"""The moves after which the public is told of a dataset."""


def load_(
    folder: Folder,
    /,
    *,
    dataset: str,
    assembly: str = "",
    vcf: Files = (),
    individuals: Files = (),
    title: str | None = None,
    description: str | None = None,
    collected: Year = None,
    floor: int | None = None,
    consent_all: Annotated[bool, Flag] = False,
    open: Annotated[bool, Flag] = False,  # noqa: A002 - the option is --open
    metadata: Path | None = None,
    publish: Annotated[bool, Flag] = False,
    alleles_tier: Tier | None = None,
    people_tier: Tier | None = None,
    json: Json = False,
) -> None:
    """Load people and their genotypes into a dataset, all or nothing.

    Parameters
    ----------
    dataset
        Id of the dataset, such as GDI-EE-COHORT-001; made when it is new.
    assembly
        GRCh37 or GRCh38; needed with --vcf.
    vcf
        VCF.gz or BCF files. Each contig in one file, sorted.
    individuals
        People tables: TSV or Beacon individuals JSON, joined by individual id.
    title
        What people read.
    description
        More of it.
    collected
        The year that ages are stated for; it cannot be changed later.
    floor
        Smallest count that the public sees, 10 or more; below only with --open.
    consent_all
        State a yes (to aggregates and research) for everybody whose tables say nothing.
    open
        Declare the data open or synthetic: exact counts for everybody.
    metadata
        A TOML or JSON file of its record: metadata and governance (`megagenome node metadata DIR ID template`).
    publish
        Publish the dataset at once; without --open this needs its record.
    alleles_tier
        Who is told how frequent alleles are; default public.
    people_tier
        Who is told how many people match a description; default registered, of open data public.
    """
    if vcf and not assembly:
        raise Invalid("--vcf needs --assembly: GRCh37 or GRCh38")
    if not vcf and not individuals:
        raise Invalid("there is nothing to load: give --individuals, --vcf or both")
    named = parse_dataset_id(dataset)
    statement = DatasetStatement(
        named, title, description, open or None, floor, collected, publish, alleles_tier, people_tier, by=given_by()
    )
    loaded = _load_files(folder, statement, individuals, vcf, assembly, consent_all=consent_all, metadata=metadata)
    show(loaded, json=json, render=_loaded)


class Loaded(msgspec.Struct, frozen=True):
    """A load's report, what the people tables hold that is not read, and the next command where one is due."""

    report: LoadReport
    left_out_of_tables: dict[str, int]
    next: str = ""


def _load_files(
    folder: Path,
    statement: DatasetStatement,
    individuals: tuple[Path, ...],
    vcf: tuple[Path, ...],
    assembly: str,
    *,
    consent_all: bool,
    metadata: Path | None,
) -> Loaded:
    opened = open_node(folder)
    require_free(folder, opened.settings.archive.least_free_bytes)
    if statement.publish:
        _enter_in_ledger(opened)
    if metadata is not None:
        known = next((each.open for each in opened.collection.snapshot().datasets if each.id == statement.id), None)
        is_open = bool(statement.open) if known is None else known
        record = check_file(opened, statement.id, metadata, is_open=is_open)
        statement = replace(statement, record=record)
    ontology_for = opened.reference.ontology_for
    people = read_people(individuals, ontology_for, consent_all=consent_all) if individuals else People([], {}, {})
    counts = [count_records(path) for path in vcf]
    total = None if None in counts else sum(count or 0 for count in counts)
    with progress(f"Loading {statement.id}", total) as advance:
        read: dict[str, int] = {}

        def follow(place: str, records: int) -> None:
            read[place.split()[0]] = records
            advance(sum(read.values()))

        report = load(opened.collection, statement, people, vcf, assembly, follow)
    state = next(known.state for known in opened.collection.snapshot().datasets if known.id == report.dataset)
    more = f"megagenome node dataset {folder} {report.dataset} {_ONWARD[state]}" if state in _ONWARD else ""
    return Loaded(report, people.left_out, more)


def dataset_(
    folder: Folder,
    dataset: str,
    move: Literal["approve", "publish", "withdraw", "redraft", "tier"],
    /,
    *,
    alleles: Tier | None = None,
    people: Tier | None = None,
    json: Json = False,
) -> None:
    """Move a dataset's state, or choose its tiers. A draft is approved, then published; what is withdrawn needs a new
    approval.

    Parameters
    ----------
    dataset
        Its id, as it was loaded.
    move
        What becomes of it. Only what is published is told of. `tier` changes who is told.
    alleles
        With `tier`: who is told how frequent alleles are.
    people
        With `tier`: who is told how many people match a description.
    """
    opened = open_node(folder)
    if (move == "tier") != (alleles is not None or people is not None):
        raise Invalid("tier takes --alleles, --people or both: public, registered or controlled; other moves take none")
    if move == "tier":
        with begin_writing(opened.collection.engine) as connection:
            tiers = set_tiers(connection, parse_dataset_id(dataset), given_by(), alleles=alleles, people=people)
        show_done(Done(str(folder), f"{dataset}: alleles are {tiers[0]}, people are {tiers[1]}"), json=json)
        return
    to = {
        "approve": DatasetState.APPROVED,
        "publish": DatasetState.PUBLISHED,
        "withdraw": DatasetState.WITHDRAWN,
        "redraft": DatasetState.DRAFT,
    }[move]
    _enter_in_ledger(opened)
    before = change_state(opened.collection, parse_dataset_id(dataset), to, by=Actor(given_by()))
    more = f"megagenome node dataset {folder} {dataset} {_ONWARD[to]}" if to in _ONWARD else ""
    show_done(Done(str(folder), f"{dataset} was {before} and is {to}", more), json=json)


def _enter_in_ledger(opened: Node) -> None:
    from megagenome.app.journal import keep_journal  # it signs, and cryptography takes 0.1 s to import

    keep_journal(opened)


def _loaded(loaded: Loaded) -> RenderableType:
    report = loaded.report
    lines = [
        f"{report.dataset}: {report.individuals:,} people ({report.new_individuals:,} new)",
        f"{report.consenting:,} of them consent to be counted",
        f"genotypes of {report.samples:,} samples; {report.samples_left_out:,} samples are in no people table",
    ]
    if report.contigs and report.individuals > report.samples:
        lines.append(f"{report.individuals - report.samples:,} of its people have no genotypes in these files")
    if report.overruled:
        lines.append(f"{report.overruled:,} say yes here but not in another dataset: they are not counted")
    if report.withdrawn:
        lines.append(
            f"{report.withdrawn:,} earlier people no longer consent: they leave the public numbers by a release"
        )
    if report.waiting:
        lines.append(f"{report.waiting:,} wait for a release: so few would show in a difference of the public numbers")
    lines += [f"not read: {part} ({count:,} records)" for part, count in loaded.left_out_of_tables.items()]
    named = ("records", "alleles", "split", "trimmed", "symbolic", "repeated", "without_alternate")
    odd = ("haploid_homozygous", "haploid_heterozygous", "unexpected")
    shown = [key for key in (*named, *odd) if key in named[:2] or any(t[key] for t in report.contigs.values())]
    rows = [[contig, *(tally[key] for key in shown)] for contig, tally in report.contigs.items()]
    parts: list[RenderableType] = ["\n".join(lines)]
    if rows:
        parts.append(table(["contig", *(key.replace("_", " ") for key in shown)], rows))
    if loaded.next:
        parts.append(f"Next: {loaded.next}")
    return Group(*parts)
