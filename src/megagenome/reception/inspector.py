# SPDX-License-Identifier: Apache-2.0
"""The process that reads one submitted file: `python -m megagenome.reception.inspector TASK_FD MEMORY_BYTES CPU_S`.

The file comes through the standard input, the `Task` as JSON through the file descriptor TASK_FD, and through others,
which it names, the indexes of the file; on the standard output are lines of JSON: `Advance`, also before the first byte
is read, and at last `Finished`; or `Refused` alone. The working folder must be empty. All that is needed is imported,
then network and files are given up, and only then is the first byte of the file read, and anything made of an index.
"""

import codecs
import importlib
import io
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.isolation import isolate, limit
from megagenome.kernel.native import library
from megagenome.reception.model import Advance, Finished, Inspection, Refused, Task
from megagenome.reception.validators.formats import BEGIN_BYTES, SEALED, format_of_content, format_of_name
from megagenome.reception.validators.found import Found
from megagenome.reception.validators.genotypes import inspect_genotypes
from megagenome.reception.validators.indexes import inspect_index
from megagenome.reception.validators.people import inspect_people, open_ontologies
from megagenome.reception.validators.reads import inspect_bam, inspect_cram
from megagenome.reference.assemblies import ASSEMBLIES, assembly
from megagenome.reference.ontology import OntologyFor

_TELL_EVERY_BYTES = 1 << 24


class _Input(io.RawIOBase):
    """The standard input from its begin, which has been read once already; tells how far it was read."""

    def __init__(self, begin: bytes) -> None:
        self._begin, self._read, self._told = begin, 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        room = memoryview(buffer)
        part = self._begin[: len(room)] or os.read(0, len(room))
        self._begin = self._begin[len(part) :] if self._begin else b""
        room[: len(part)] = part
        self._read += len(part)
        if self._read - self._told >= _TELL_EVERY_BYTES:
            self._told = self._read
            _tell(Advance(self._read))
        return len(part)


def _tell(said: Advance | Finished | Refused) -> None:
    line = msgspec.json.encode(said) + b"\n"
    while line:
        line = line[os.write(1, line) :]


def _read_begin() -> bytes:
    begin = b""
    while len(begin) < BEGIN_BYTES and (more := os.read(0, BEGIN_BYTES - len(begin))):
        begin += more
    return begin


def _read_all(number: int) -> bytes:
    with os.fdopen(number, "rb") as file:
        return file.read()


def inspect(task: Task, ontology_for: OntologyFor, indexes: Mapping[str, bytes] = MappingProxyType({})) -> Inspection:
    """What is found of the file in the standard input; `indexes` of it, by name, have these contents."""
    begin = _read_begin()
    promised, held = format_of_name(task.name), format_of_content(begin)
    found = Found(task, held or promised)
    if not begin:
        found.error("is empty")
        return Inspection(found.report())
    if begin.startswith(SEALED):
        found.error("is a Crypt4GH file still: it was encrypted twice, or is to be opened first")
        return Inspection(found.report())
    if not held and not promised:
        found.error("is of no known format: VCF, BCF, BAM, CRAM, their indexes, a people table or JSON of people")
        return Inspection(found.report())
    if held and promised and held != promised:
        found.error(f"is called as {promised} is, yet it holds {held}; name it as what it is")
        return Inspection(found.report())
    return _inspect_as(held or promised, task, io.BufferedReader(_Input(begin), 1 << 18), ontology_for, indexes)


def _inspect_as(
    format: str,  # noqa: A002 - the field's word
    task: Task,
    file: io.BufferedReader,
    ontology_for: OntologyFor,
    indexes: Mapping[str, bytes],
) -> Inspection:
    match format:
        case "vcf" | "bcf":
            return inspect_genotypes(task, file, format)
        case "bam":
            return inspect_bam(task, file, indexes)
        case "cram":
            return inspect_cram(task, file)
        case "tbi" | "csi" | "bai" | "crai":
            return inspect_index(task, file, format)
    return inspect_people(task, file, format, ontology_for)


def prepare() -> None:
    """Bring into memory what is otherwise read when it is first used."""
    importlib.import_module("numpy.ma")  # by the first `unique`
    library()  # without it everything below works, many times slower
    for name in ASSEMBLIES:
        assembly(name)
    for encoding in ("ascii", "utf-8-sig"):
        codecs.lookup(encoding)


def main(arguments: list[str]) -> None:
    """Read the task, give everything up, read the file, tell."""
    task_file, memory_bytes, cpu_s = map(int, arguments)
    with os.fdopen(task_file, "rb") as file:
        task = msgspec.json.decode(file.read(), type=Task)
    indexes = {name: _read_all(number) for name, number in task.indexes.items()}
    ontology_for = open_ontologies(task.ontologies)
    prepare()
    limit(memory_bytes, cpu_s)
    isolated = True
    try:
        isolate()
    except OSError as error:
        isolated = False
        if task.require_isolation:
            _tell(Refused(str(error)))
            return
    _tell(Advance(0))  # from here on, what goes wrong is the file's doing
    try:
        inspection = inspect(task, ontology_for, indexes)
    except MemoryError:
        inspection = _gave_up(task, "needs more memory than a submitted file may")
    except Exception as error:  # noqa: BLE001 - whatever a hostile file brings about is said of the file
        known = isinstance(error, MegagenomeError)
        inspection = _gave_up(task, str(error) if known else f"cannot be read ({type(error).__name__})")
    _tell(Finished(msgspec.structs.replace(inspection, isolated=isolated)))


def _gave_up(task: Task, why: str) -> Inspection:
    found = Found(task, format_of_name(task.name))
    found.error(why)
    return Inspection(found.report())


if __name__ == "__main__":
    main(sys.argv[1:])
