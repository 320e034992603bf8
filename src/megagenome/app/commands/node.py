# SPDX-License-Identifier: Apache-2.0
"""`megagenome node`: commands of those who run a country's node."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import App, Parameter, validators
from rich.console import Group, RenderableType

from megagenome.app.check_folder import check_folder
from megagenome.app.commands.citizen import citizen
from megagenome.app.commands.erase import erase_commands
from megagenome.app.commands.keys import keys_command
from megagenome.app.commands.ledger import ledger_command
from megagenome.app.commands.results import Done, Host, ListenPort, Port, is_address, show_done, show_findings
from megagenome.app.commands.role import role_commands
from megagenome.app.node import SETTINGS, Node, init_node, open_node, upgrade_node
from megagenome.collection.acts import Act, ConsentReport, say
from megagenome.collection.datasets import DatasetStatement, move_dataset, set_tiers
from megagenome.collection.load import LoadReport, load
from megagenome.collection.model import DatasetState, Tier, Use
from megagenome.collection.people import People
from megagenome.collection.read_people import read_people
from megagenome.collection.read_vcf import count_records
from megagenome.collection.release import ReleaseReport, release
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import IndividualId, parse_dataset_id
from megagenome.kernel.output import Json, progress, show, table

if TYPE_CHECKING:
    from megagenome.app.erasing import Erasure
    from megagenome.kernel.ledger import Ledger

node = App(name="node", help="Make, fill, serve and check a country's node.")
node.command(ledger_command("node", lambda folder: _ledger(open_node(folder))), name="ledger")
node.command(keys_command("node", SETTINGS), name="keys")
node.command(citizen)
node.command(role_commands("node", lambda folder: open_node(folder).collection.engine))

Folder = Annotated[Path, Parameter(help="The node's folder.")]
Year = Annotated[int | None, Parameter(validator=validators.Number(gte=1900, lte=clock.now().year))]
Files = Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")]
Flag = Parameter(negative="")

_ONWARD = {DatasetState.DRAFT: "approve", DatasetState.APPROVED: "publish"}
"""The moves after which the public is told of a dataset."""


@node.command(name="init")
def init(
    folder: Folder,
    /,
    *,
    country: str,
    name: str = "",
    id: str = "",  # noqa: A002 - the option is --id
    port: Port = 8601,
    json: Json = False,
) -> None:
    """Make an empty node in FOLDER.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2, such as EE.
    name
        What people read; default "EE national node".
    id
        The Beacon id, which never changes; default "node.ee".
    port
        Where it will listen; written to node.toml.
    """
    init_node(folder, country=country, name=name, identity=id, port=port)
    more = f"megagenome node load {folder} --dataset ID --assembly GRCh38 --vcf FILE --individuals FILE"
    show_done(Done(str(folder), "made an empty node", more), json=json)


@node.command(name="load")
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
    publish
        Publish the dataset at once.
    alleles_tier
        Who is told how frequent alleles are; default public.
    people_tier
        Who is told how many people match a description; default registered, of open data public.
    """
    if vcf and not assembly:
        raise Invalid("--vcf needs --assembly: GRCh37 or GRCh38")
    if not vcf and not individuals:
        raise Invalid("there is nothing to load: give --individuals, --vcf or both")
    opened = open_node(folder)
    statement = DatasetStatement(
        parse_dataset_id(dataset),
        title,
        description,
        open or None,
        floor,
        collected,
        publish,
        alleles_tier,
        people_tier,
    )
    ontology_for = opened.reference.ontology_for
    people = read_people(individuals, ontology_for, consent_all=consent_all) if individuals else People([], {}, {})
    counts = [count_records(path) for path in vcf]
    total = None if None in counts else sum(count or 0 for count in counts)
    with progress(f"Loading {dataset}", total) as advance:
        read: dict[str, int] = {}

        def follow(place: str, records: int) -> None:
            read[place.split()[0]] = records
            advance(sum(read.values()))

        report = load(opened.collection, statement, people, vcf, assembly, follow)
    state = next(known.state for known in opened.collection.snapshot().datasets if known.id == report.dataset)
    more = f"megagenome node dataset {folder} {report.dataset} {_ONWARD[state]}" if state in _ONWARD else ""
    show(Loaded(report, people.left_out, more), json=json, render=_loaded)


class Loaded(msgspec.Struct, frozen=True):
    """A load's report, what the people tables hold that is not read, and the next command where one is due."""

    report: LoadReport
    left_out_of_tables: dict[str, int]
    next: str = ""


@node.command(name="dataset")
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
            by = getpass.getuser()
            tiers = set_tiers(connection, parse_dataset_id(dataset), by, alleles=alleles, people=people)
        show_done(Done(str(folder), f"{dataset}: alleles are {tiers[0]}, people are {tiers[1]}"), json=json)
        return
    to = {
        "approve": DatasetState.APPROVED,
        "publish": DatasetState.PUBLISHED,
        "withdraw": DatasetState.WITHDRAWN,
        "redraft": DatasetState.DRAFT,
    }[move]
    with begin_writing(opened.collection.engine) as connection:
        before = move_dataset(connection, parse_dataset_id(dataset), to)
    more = f"megagenome node dataset {folder} {dataset} {_ONWARD[to]}" if to in _ONWARD else ""
    show_done(Done(str(folder), f"{dataset} was {before} and is {to}", more), json=json)


@node.command(name="release")
def release_(folder: Folder, /, *, dry_run: Annotated[bool, Flag] = False, json: Json = False) -> None:
    """Bring the public numbers to what people consent to now, in changes that show nobody.

    Parameters
    ----------
    dry_run
        Say what would change, and change nothing.
    """
    opened = open_node(folder)
    delay = opened.settings.collection.release_longest_delay_days
    with progress("Releasing", None) as advance:
        report = release(
            opened.collection,
            longest_delay_days=delay,
            dry_run=dry_run,
            progress=lambda _place, done: advance(done),
        )
    show(report, json=json, render=_released)


@node.command(name="consent")
def consent_(
    folder: Folder,
    individual: str,
    act: Act,
    /,
    *,
    use: Annotated[tuple[Use, ...], Parameter(consume_multiple=True, negative="")] = (),
    json: Json = False,
) -> None:
    """Put down what a person says of the uses of their genome. What it ends, ends at once for readings by permit.

    Parameters
    ----------
    individual
        The holder's id of the person.
    act
        What they say; docs/consent.md has what each does.
    use
        Of withdraw and renew: the kinds of use that they name; default all.
    """
    from megagenome.app.journal import LedgerJournal  # it signs, and cryptography takes 0.1 s to import

    opened = open_node(folder)
    opened.collection.journal = LedgerJournal(_ledger(opened))
    delay = opened.settings.collection.release_longest_delay_days
    by = f"contact point {getpass.getuser()}"
    report = say(opened.collection, IndividualId(individual), act, use, by=by, longest_delay_days=delay)
    show(report, json=json, render=_said)


@node.command(name="serve")
def serve_(folder: Folder, /, *, host: Host = None, port: ListenPort = None) -> None:
    """Serve the node until it is stopped. Address and port are those of node.toml unless given here."""
    from megagenome.app.node_app import node_app  # the web parts take 0.7 s to import, and only serving needs them
    from megagenome.app.server import serve

    opened = open_node(folder)
    listen = opened.settings.server
    serve(node_app(opened), host=host or listen.host, port=listen.port if port is None else port, folder=folder)


@node.command(name="check")
def check(node: str, /, *, deep: Annotated[bool, Flag] = False, json: Json = False) -> int:
    """Check a node, by its folder or its address: each part, what is wrong with it and what to do.

    Parameters
    ----------
    node
        Its folder, or its address such as https://node.example.org.
    deep
        Of a folder: also read every byte of the genotypes again and compare checksums.
    """
    if not is_address(node):
        return show_findings(check_folder(Path(node), deep=deep), json=json)
    from megagenome.app.check_network import check_node_address  # its web client takes 0.1 s to import

    return show_findings(check_node_address(node), json=json)


@node.command(name="join")
def join(folder: Folder, invitation: str, /, *, json: Json = False) -> None:
    """Join a network by the invitation that its hub's operator sent; a running node takes part within seconds.

    Interrupted, the same again finishes it.

    Parameters
    ----------
    invitation
        The whole line, in quotes.
    """
    from megagenome.app.describe import describe_node  # cryptography takes 0.1 s to import
    from megagenome.app.ledger import open_keys
    from megagenome.network.join_hub import join_hub
    from megagenome.standards.joining import read_invitation

    read = read_invitation(invitation)
    opened = open_node(folder)
    hub = join_hub(opened.collection.engine, read, describe_node(opened.settings, open_keys(folder)))
    show_done(Done(str(folder), f"joined the network of {hub.id} ({hub.name}) at {hub.url}"), json=json)


@node.command(name="leave")
def leave(folder: Folder, /, *, json: Json = False) -> None:
    """Leave the network: what its hub proposed or permitted works here no more."""
    from megagenome.network.joined_hub import leave as leave_hub  # cryptography takes 0.1 s to import

    opened = open_node(folder)
    with begin_writing(opened.collection.engine) as connection:
        hub = leave_hub(connection)
    more = f"tell the operator of {hub}, so that it asks this node no more (`megagenome hub remove`)"
    show_done(Done(str(folder), f"left the network of {hub}", more), json=json)


@node.command(name="upgrade")
def upgrade(folder: Folder, /, *, json: Json = False) -> None:
    """Bring a node's database to this version; stop its server before."""
    upgrade_node(folder)
    show_done(Done(str(folder), "is up to date"), json=json)


def _erase_person(folder: Path, subject: str, by: str, really: bool) -> "Erasure":
    from megagenome.app.erasing import erase_person_at_node  # cryptography takes 0.1 s to import

    opened = open_node(folder)
    try:
        return erase_person_at_node(opened, _ledger(opened), subject, by, really=really)
    finally:
        opened.collection.close()


def _ledger(opened: Node) -> "Ledger":
    from megagenome.app.ledger import open_ledger  # cryptography takes 0.1 s to import

    return open_ledger(opened.folder, opened.collection.engine, opened.settings.node.id)


def _released(report: ReleaseReport) -> RenderableType:
    verb = "released" if report.done else "would be released"
    columns = ["dataset", "people", "entered", "left", "waiting to enter", "waiting to leave"]
    rows = [[d.dataset, d.people, d.entered, d.left, d.waiting, d.leaving] for d in report.datasets]
    return Group(f"{verb}; counts of {report.recounted:,} contigs of loads made anew", table(columns, rows))


def _said(report: ConsentReport) -> RenderableType:
    lines = [
        f"{report.individual} consents to {', '.join(report.holds) or 'nothing'}",
        f"changed: {', '.join(report.changed) or 'nothing'}",
    ]
    if report.public_until:
        lines.append(
            f"still in the public numbers of {', '.join(report.public_until)} until a release takes them out, at the "
            f"latest the first one from {report.leaves_by} on"
        )
    return "\n".join(lines)


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


node.command(erase_commands("node", _erase_person))
