# SPDX-License-Identifier: Apache-2.0
"""What validation is asked, and what it tells within the house."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from megagenome.standards.validation_report import FileReport, QualityControl


class Submitted(NamedTuple):
    """A file as it was submitted.

    name        by which the report calls it, and of which its index has the name
    content     where it is, or what gives its bytes from the begin, as often as it is called (so that decrypted bytes
                go from memory to the process that reads them, never to a disk)
    size_bytes  of them
    """

    name: str
    content: Path | Callable[[], Iterator[bytes]]
    size_bytes: int


class Expectations(msgspec.Struct, frozen=True):
    """What a submission must fit.

    assembly    of its genomes, by any usual name; files are then held to all that a load needs. "": each only to its
                own format
    samples     that its manifest names, each of which must be in a file, and no other; None: not compared
    people      whether the samples of its files must be those of its people tables
    ontologies  the folder of packed ontologies that terms are looked up in; "": terms are not looked up
    """

    assembly: str = ""
    samples: frozenset[str] | None = None
    people: bool = False
    ontologies: str = ""


class PersonRow(msgspec.Struct, frozen=True, array_like=True):
    """A person as a people table has them, as far as other files are compared with it."""

    individual: str
    sample: str
    sex: str


class SliceFound(msgspec.Struct, frozen=True, array_like=True):
    """A slice of a CRAM: the place of its container in the file, its own place in that, its contig's number (-1 none,
    -2 several) and which bases its reads cover, [start, end)."""

    container: int
    landmark: int
    contig: int
    start: int
    end: int


class Indexed(msgspec.Struct, frozen=True):
    """What a genome file turned out to hold, as far as its index must agree.

    contigs  records by contig, of all that the header declares and all that have records, in order
    lengths  of the contigs that state one
    slices   of a CRAM
    is_whole whether it passed, so that what it holds says something of its index
    held     of a BAM, by the name of each index that its records were held against, what is wrong with that; "" nothing
    """

    name: str
    format: str
    size_bytes: int
    contigs: dict[str, int] = {}
    declared: tuple[str, ...] = ()
    lengths: dict[str, int] = {}
    slices: tuple[SliceFound, ...] = ()
    is_whole: bool = True
    held: dict[str, str] = {}


class Task(msgspec.Struct, frozen=True):
    """What one process is to read: the file that comes through its standard input.

    indexed      what the file of which this is the index turned out to hold
    most_people  how many a file of people may have
    indexes      of a file of reads, by name its indexes, and the file descriptors from which they come
    """

    name: str
    size_bytes: int
    assembly: str = ""
    ontologies: str = ""
    indexed: Indexed | None = None
    most_people: int = 500_000
    require_isolation: bool = True
    indexes: dict[str, int] = {}


class Inspection(msgspec.Struct, frozen=True):
    """What that process found.

    isolated       whether it had no network and no files
    names_samples  of people: whether the file itself says which sample is whose
    """

    report: FileReport
    isolated: bool = False
    indexed: Indexed | None = None
    people: tuple[PersonRow, ...] = ()
    names_samples: bool = False
    quality: QualityControl | None = None


class Advance(msgspec.Struct, frozen=True, tag=True):
    """Bytes of the file that were read so far."""

    read_bytes: int


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The last that a process says."""

    inspection: Inspection


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It could not be isolated, and so has read nothing."""

    why: str
