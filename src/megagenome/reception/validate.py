# SPDX-License-Identifier: Apache-2.0
"""Validation of a submission: each file in a process of its own, then the files against each other."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from megagenome.kernel import clock
from megagenome.kernel.errors import Invalid
from megagenome.reception.agreement import Said, by_file, compare_contigs, compare_samples, join_people
from megagenome.reception.model import Expectations, Indexed, Inspection, Submitted, Task
from megagenome.reception.quality import add_up, judge_quality
from megagenome.reception.sandbox import inspect_apart
from megagenome.reception.settings import ReceptionSettings
from megagenome.reference.assemblies import assembly
from megagenome.standards.submission import INDEX_FORMATS, indexed_path
from megagenome.standards.validation_report import FileReport, Level, Message, Report, Result

_INDEX_ENDINGS = tuple(f".{each}" for each in INDEX_FORMATS)

_INDEX_OF_READS = (".bai", ".csi")  # against which a file of reads is held as it is read

Progress = Callable[[str, int], None]
"""Called with the name of the file that is read and the bytes of the submission that were read so far."""


def submitted_at(path: Path) -> Submitted:
    """A file on this machine. Raises `Invalid` where there is none."""
    try:
        if not path.is_file():
            raise Invalid(f"{path}: there is no such file")
        return Submitted(str(path), path, path.stat().st_size)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror or error}") from None


def validate(
    files: Sequence[Submitted],
    expectations: Expectations = Expectations(),  # noqa: B008 - frozen
    settings: ReceptionSettings = ReceptionSettings(),  # noqa: B008 - frozen
    progress: Progress = lambda _name, _read: None,
) -> Report:
    """What is found of a submission. Nothing is kept of it, and nothing is changed anywhere.

    With an assembly, genome files are held to all that a load needs: what passes is loaded, but for the state of the
    node (people and contigs that it already has). Without, each is held to its own format.

    Raises `Invalid` for an unknown assembly or no files, and `Unavailable` where files could not be read in isolation
    and `settings` require that. Hostile content of a file makes it fail, nothing else. Cost: one pass over each file,
    one after the other, two over indexes of reads; 0.2 s for each process.
    """
    if not files:
        raise Invalid("no files to validate")
    place = assembly(expectations.assembly).name if expectations.assembly else ""
    # absolute, as each process works in an empty folder of its own
    ontologies = str(Path(expectations.ontologies).absolute()) if expectations.ontologies else ""
    inspections: dict[int, Inspection] = {}
    known: dict[str, Indexed] = {}
    done, left_people = 0, settings.most_people
    for k in sorted(range(len(files)), key=lambda k: files[k].name.endswith(_INDEX_ENDINGS)):
        each = files[k]
        task = Task(
            each.name,
            each.size_bytes,
            place,
            ontologies,
            _indexed_by(each.name, known),
            left_people,
            settings.require_isolation,
        )
        indexes = _indexes_of(each.name, files)
        found = inspect_apart(each, task, settings, partial(_advance, progress, each.name, done), indexes)
        found = msgspec.structs.replace(found, report=msgspec.structs.replace(found.report, name=each.name))
        left_people -= len(found.people)
        inspections[k] = found
        if found.indexed is not None:
            is_whole = found.report.result is Result.PASSED
            known[each.name] = msgspec.structs.replace(found.indexed, is_whole=is_whole)
        done += each.size_bytes
        progress(each.name, done)
    return _report([inspections[k] for k in range(len(files))], expectations)


def _advance(progress: Progress, name: str, before: int, read: int) -> None:
    progress(name, before + read)


def _indexed_by(name: str, known: dict[str, Indexed]) -> Indexed | None:
    of = indexed_path(name, known) if name.endswith(_INDEX_ENDINGS) else None
    return None if of is None else known[of]


def _indexes_of(name: str, files: Sequence[Submitted]) -> list[Submitted]:
    """The submitted indexes of a file of reads."""
    names = {each.name for each in files}
    return [each for each in files if each.name.endswith(_INDEX_OF_READS) and indexed_path(each.name, names) == name]


def _report(inspections: Sequence[Inspection], expectations: Expectations) -> Report:
    people, said = join_people(inspections)
    said += compare_samples(inspections, people, expectations)
    if expectations.assembly:
        said += compare_contigs(inspections)
    said += _named_twice(inspections)
    quality = add_up([each.quality for each in inspections if each.quality is not None], people.sexes)
    if quality is not None:
        said += [Said("", each) for each in judge_quality(quality)]
    messages = by_file(said)
    files = tuple(_with(each.report, messages.get(each.report.name, ())) for each in inspections)
    whole = timed(messages.get("", ()))
    failed = any(each.result is Result.FAILED for each in files) or any(each.level is Level.ERROR for each in whole)
    isolated = all(each.isolated for each in inspections)
    return Report(Result.FAILED if failed else Result.PASSED, files, whole, quality, isolated)


def _named_twice(inspections: Sequence[Inspection]) -> list[Said]:
    names = [each.report.name for each in inspections]
    return [
        Said(name, Message(Level.ERROR, "was submitted twice"))
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _with(report: FileReport, messages: Sequence[Message]) -> FileReport:
    failed = report.result is Result.FAILED or any(each.level is Level.ERROR for each in messages)
    result = Result.FAILED if failed else Result.PASSED
    return msgspec.structs.replace(report, result=result, messages=timed((*report.messages, *messages)))


def timed(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The same, said now as far as they do not say when."""
    now = clock.now().isoformat(timespec="seconds")
    return tuple(each if each.time else msgspec.structs.replace(each, time=now) for each in messages)
