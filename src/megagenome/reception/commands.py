# SPDX-License-Identifier: Apache-2.0
"""`megagenome send`, and `megagenome node validate`: the checks of reception alone, without a node."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType

from megagenome.kernel.errors import Conflict, Invalid, Unavailable
from megagenome.kernel.output import Json, printable, progress, show, stages, table
from megagenome.reception.model import Expectations
from megagenome.reception.settings import ReceptionSettings
from megagenome.reception.validate import submitted_at, validate
from megagenome.standards.submission import State
from megagenome.standards.validation_report import FileReport, Level, QualityControl, Report, Result

if TYPE_CHECKING:
    from megagenome.reception.send import Sent

_REFUSED = 3
_FAILED = (State.REFUSED, State.REJECTED, State.CANCELLED)
_MOST_ROWS = 20
_GRAVEST_FIRST = (Level.ERROR, Level.WARNING, Level.INFO)
_MEANS = {
    State.PROCESSING: "the node checks and archives it; the same command later fetches report and receipt",
    State.REFUSED: "what is wrong stands in the report; nothing but that and the list of files was kept",
    State.REPORTED: "the node has all of it, and a data steward decides",
    State.LOADING: "a data steward accepted it, and it is being loaded",
    State.ACCEPTED: "it is in the dataset",
}
"""What a state means to who sent the files; of the others the submission's page says it."""


def validate_(
    files: Annotated[tuple[Path, ...], Parameter(help="VCF, BCF, BAM, CRAM, their indexes, and people tables.")],
    /,
    *,
    assembly: str = "",
    individuals: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")] = (),
    folder: Path | None = None,
    allow_unisolated: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> int:
    """Validate files as a node that receives them does: exit code 0 if all pass, 3 if not.

    Parameters
    ----------
    assembly
        GRCh37 or GRCh38: hold genome files to all that a load needs. Without it each is held to its own format.
    individuals
        People tables: TSV, Beacon individuals JSON or Phenopackets; samples of the files must be theirs.
    folder
        A node's folder, in whose ontologies the people's terms are looked up.
    allow_unisolated
        Read files also where the system gives no namespaces, with your own rights.
    """
    given = [submitted_at(path) for path in (*files, *individuals)]
    expected = Expectations(
        assembly, people=bool(individuals), ontologies=str(folder / "reference") if folder is not None else ""
    )
    settings = ReceptionSettings(require_isolation=not allow_unisolated)
    with progress("Validating", sum(each.size_bytes for each in given)) as advance:
        report = validate(given, expected, settings, lambda _name, read: advance(read))
    show(report, json=json, render=_render)
    return 0 if report.result is Result.PASSED else _REFUSED


def send_(
    folder: Annotated[Path, Parameter(help="The folder that holds the files.")],
    /,
    *,
    to: str,
    dataset: str = "",
    assembly: str = "",
    collected: int | None = None,
    title: str = "",
    description: str = "",
    recipient: str = "",
    token_file: Path | None = None,
    wait: bool = True,
    cancel: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> int:
    """Send a folder to a node, sealed here, and bring back its signed receipt. Killed, the same again goes on.

    Your token is taken from the variable MEGAGENOME_TOKEN; make one on the page of your account at the node.

    Parameters
    ----------
    to
        The node's address.
    dataset
        The dataset that the files are for; not needed where the folder has a manifest.json.
    assembly
        Of the genomes: GRCh37 or GRCh38.
    collected
        The year that ages are stated for.
    title
        Of the dataset.
    description
        More of it.
    recipient
        The fingerprint of the node's key, as its operator told you: nothing is sealed for another one.
    token_file
        A file with your token.
    wait
        Stay until the node has validated and archived everything.
    cancel
        End what is being sent from this folder; nothing of it is kept at the node.
    """
    from megagenome.reception.folder import STATE, Dataset, require_sendable
    from megagenome.reception.inbox_client import Inbox
    from megagenome.reception.send import cancel as cancel_sending
    from megagenome.reception.send import check, recipient_name, send
    from megagenome.standards.by_token import TOKEN_VARIABLE

    said = Dataset(dataset, assembly, collected, title, description)
    token = (_text(token_file) if token_file is not None else os.environ.get(TOKEN_VARIABLE, "")).strip()
    with Inbox(to, token) as inbox:
        if cancel:
            print(f"cancelled {cancel_sending(folder, inbox)}", file=sys.stderr)
            return 0
        state = check(folder, inbox, said)
        inbox.require_known()
        if state is None:
            inbox.require_welcome((require_sendable(folder, said) or said).dataset)
        name = recipient_name(inbox)
        if recipient not in ("", name):
            raise Conflict(f"the node's key is {name}, and not {recipient}: ask its operator before you send anything")
        print(f"sealing for the key {name} of {inbox.url}", file=sys.stderr)
        with stages() as tell:
            try:
                sent = send(folder, inbox, said, tell, wait=wait)
            except KeyboardInterrupt:
                print("interrupted: the same command goes on, `--cancel` ends it", file=sys.stderr)
                raise
            except Unavailable as error:
                if not (folder / STATE).exists():
                    raise
                raise type(error)(f"{error}. What the node has stays there: the same command goes on") from None
    show(sent, json=json, render=_sent)
    return _REFUSED if sent.submission.state in _FAILED else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}: name a file with your token") from None


def _sent(sent: "Sent") -> RenderableType:
    shown = sent.submission
    parts: list[RenderableType] = []
    if sent.report is not None:
        parts.append(_render(sent.report))
    means = f": {_MEANS[shown.state]}" if shown.state in _MEANS else ""
    parts.append(f"submission {shown.id} is {shown.state}{means}")
    if shown.problem:
        parts.append(printable(shown.problem))
    if sent.receipt:
        parts.append(f"receipt, signed by the node: {sent.receipt}")
    return Group(*parts)


def _render(report: Report) -> RenderableType:
    parts: list[RenderableType] = []
    columns = ["file", "format", "result", "records", "samples", "contigs"]
    parts.append(table(columns, [_row(each) for each in report.files]))
    messages = [(each.name, message) for each in report.files for message in each.messages]
    messages += [("(all)", message) for message in report.messages]
    messages.sort(key=lambda each: _GRAVEST_FIRST.index(each[1].level))
    rows = [[name, each.level.value, each.line, each.place or None, each.text] for name, each in messages]
    if rows:
        parts.append(table(["file", "level", "line", "place", "message"], rows))
    if report.qc is not None and report.qc.samples and report.qc.records:
        parts += _quality(report.qc)
    if not report.isolated:
        parts.append("not isolated: the files were read with your own rights, network and files")
    parts.append(_verdict(report))
    return Group(*parts)


def _verdict(report: Report) -> str:
    if report.result is Result.PASSED:
        return f"passed: {_files(len(report.files))}"
    failed = sum(each.result is Result.FAILED for each in report.files)
    together = any(each.level is Level.ERROR for each in report.messages)
    of_files = f"{failed:,} of {_files(len(report.files))}" if failed else ""
    return "failed: " + " and ".join(part for part in (of_files, "all together" if together else "") if part)


def _files(number: int) -> str:
    return f"{number:,} file" if number == 1 else f"{number:,} files"


def _row(each: FileReport) -> list[object]:
    return [each.name, each.format or None, each.result.value, each.records, len(each.samples), len(each.contigs)]


def _quality(quality: QualityControl) -> list[RenderableType]:
    columns = ["sample", "call rate", "het", "hom alt", "het/hom", "Ti/Tv", "X het", "Y called", "stated", "observed"]
    rows = [
        [
            each.sample,
            _shown(each.call_rate, 4),
            each.het,
            each.hom_alt,
            _shown(each.het_hom),
            _shown(each.ti_tv),
            _shown(each.x_het_share),
            _shown(each.y_call_rate),
            each.stated_sex,
            each.observed_sex,
        ]
        for each in quality.samples[:_MOST_ROWS]
    ]
    title = f"{len(quality.samples):,} samples, {quality.records:,} records, Ti/Tv {_shown(quality.ti_tv) or '-'}"
    parts: list[RenderableType] = [table(columns, rows, title=printable(title))]
    if len(quality.samples) > _MOST_ROWS:
        parts.append(f"and {len(quality.samples) - _MOST_ROWS:,} more samples; --json has all")
    return parts


def _shown(value: float | None, digits: int = 2) -> str | None:
    return None if value is None else f"{value:.{digits}f}"
