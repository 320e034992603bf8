# SPDX-License-Identifier: Apache-2.0
"""`megagenome node validate`: the checks of reception alone, without a node."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType

from megagenome.kernel.output import Json, printable, progress, show, table
from megagenome.reception.model import Expectations
from megagenome.reception.settings import ReceptionSettings
from megagenome.reception.validate import submitted_at, validate
from megagenome.standards.validation_report import FileReport, QualityControl, Report, Result

_REFUSED = 3
_MOST_ROWS = 20


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


def _render(report: Report) -> RenderableType:
    parts: list[RenderableType] = []
    columns = ["file", "format", "result", "records", "samples", "contigs"]
    parts.append(table(columns, [_row(each) for each in report.files]))
    rows = [
        [each.name, message.level.value, message.line, message.place or None, message.text]
        for each in report.files
        for message in each.messages
    ]
    rows += [["(all)", message.level.value, None, message.place or None, message.text] for message in report.messages]
    if rows:
        parts.append(table(["file", "level", "line", "place", "message"], rows))
    if report.qc is not None and report.qc.samples:
        parts += _quality(report.qc)
    if not report.isolated:
        parts.append("not isolated: the files were read with your own rights, network and files")
    parts.append(
        f"{report.result.value}: {sum(f.result is Result.PASSED for f in report.files)} of {len(report.files)}"
    )
    return Group(*parts)


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
