# SPDX-License-Identifier: Apache-2.0
"""`megagenome node metadata`: the record of a dataset, its metadata and governance, from a file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from megagenome.app.commands.operator import given_by
from megagenome.app.node import Node, open_node
from megagenome.collection.publication import in_words, missing_of, read_history
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId, parse_dataset_id
from megagenome.kernel.output import Json, printable, show
from megagenome.standards.catalogue_pages import ToWrite
from megagenome.standards.dataset_fields import FIELDS, Kind, Need, begun, topics
from megagenome.standards.dataset_record import DatasetRecord, Problem, RecordVersion, read_record, value_at

if TYPE_CHECKING:
    from megagenome.catalogue.steward import Stewardship

Folder = Annotated[Path, Parameter(help="The node's folder.")]

SHOW, TEMPLATE = "show", "template"
_EMPTY_USES = '[] # such as [{term = "DUO:0000006"}, {term = "DUO:0000007", values = ["MONDO:0005027 epilepsy"]}]'


class Recorded(msgspec.Struct, frozen=True):
    """What was recorded, or is: `missing` is what must still be stated before the dataset can be published."""

    dataset: str
    version: int
    draft: bool
    record: DatasetRecord
    missing: tuple[Problem, ...]
    history: tuple[RecordVersion, ...] = ()


def metadata_(
    folder: Folder,
    dataset: str,
    file: str = SHOW,
    /,
    *,
    draft: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Record a dataset's metadata and governance, or show what is recorded.

    Parameters
    ----------
    dataset
        Its id, as it was loaded.
    file
        A TOML or JSON file of the record; `show` prints what is recorded, `template` a TOML file to fill in.
    draft
        Keep it without what is missing; nothing of a draft is shown to anybody but stewards.
    """
    if file == TEMPLATE:
        sys.stdout.write(template(dataset))
        return
    opened, named = open_node(folder), parse_dataset_id(dataset)
    if file == SHOW:
        show(_recorded(opened, named), json=json, render=_shown)
        return
    record = read_file(Path(file))
    written = stewardship_of(opened).write_as(given_by(), named, ToWrite(record, draft))
    if written.problems:
        raise Invalid(f"{file}: {in_words(written.problems)}; correct it, or keep it with --draft")
    show(_recorded(opened, named), json=json, render=_shown)


def read_file(path: Path) -> DatasetRecord:
    """The record in a file. Raises `Invalid` naming the file and the place in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from None
    return read_record(content, path.name)


def check_file(node: Node, dataset: DatasetId, path: Path, *, is_open: bool) -> DatasetRecord:
    """The record that a load brings, held to the same rules as every other. Raises `Invalid` with what is wrong."""
    record = read_file(path)
    if found := stewardship_of(node).check_new(dataset, record, is_open=is_open):
        raise Invalid(f"{path}: {in_words(found)}")
    return record


def stewardship_of(node: Node) -> "Stewardship":
    """The records of a node's datasets."""
    from megagenome.app.place import place_of  # cryptography takes 0.1 s to import
    from megagenome.catalogue.steward import Stewardship

    return Stewardship(node.collection, place_of(node.settings))


def template(dataset: str) -> str:
    """A TOML file with each field empty, and what it is for beside it."""
    lines = [f"# The record of dataset {dataset}. What is marked * is needed unless the data are declared open.", ""]
    tables: dict[str, list[str]] = {}
    for field in FIELDS:
        table, _, name = field.path.rpartition(".")
        mark = "* " if field.need is Need.CONTROLLED else ""
        choices = f" One of: {', '.join(filter(None, field.choices))}." if field.choices else ""
        stated = value_at(begun(dataset), field.path)
        value = _EMPTY_USES if field.kind is Kind.USES else msgspec.json.encode(stated).decode()  # as TOML has it, too
        tables.setdefault(table, []).append(f"# {mark}{field.label}. {field.help}{choices}\n{name} = {value}")
    for table, fields in tables.items():
        lines += [f"[{table}]"] if table else []
        lines += [*fields, ""]
    return "\n".join(lines)


def _recorded(node: Node, dataset: DatasetId) -> Recorded:
    with node.collection.engine.connect() as connection:
        history = read_history(connection, dataset)
        left = missing_of(connection, dataset)
    newest = history[0] if history else RecordVersion(0, False, "", "", DatasetRecord())
    return Recorded(dataset, newest.version, newest.draft, newest.record, left, history)


def _shown(recorded: Recorded) -> str:
    if not recorded.version:
        what = f"{recorded.dataset}: nothing is recorded"
    else:
        what = f"{recorded.dataset}: version {recorded.version}{', a draft' if recorded.draft else ''}"
    left = f"before it can be published: {topics(recorded.missing)}" if recorded.missing else "it can be published"
    stated = msgspec.json.format(msgspec.json.encode(recorded.record)).decode() if recorded.version else ""
    return "\n".join(printable(line) for line in (what, left, *stated.splitlines()))
