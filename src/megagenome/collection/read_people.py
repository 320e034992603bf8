# SPDX-License-Identifier: Apache-2.0
"""The people of a dataset, from one or more files that are joined by individual."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from megagenome.collection.people import YES, People, Person, join
from megagenome.collection.read_people_beacon import JsonPeople
from megagenome.collection.read_people_table import PeopleTable
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import IndividualId, SampleId
from megagenome.reference.ontology import OntologyFor

_GZIP = b"\x1f\x8b"


def read_people(paths: Sequence[Path], ontology_for: OntologyFor, *, consent_all: bool = False) -> People:
    """Read people tables (tab-separated), Beacon individuals and Phenopackets (JSON), plain or gzipped; content tells
    which is which.

    Records of one individual in several files fill each other in. An individual's sample is the one that a file names;
    when no file has the column `sample_id`, the sample is called as the individual. `consent_all` says a plain
    yes for all whose consent no file states; a stated no stays no.

    Raises `Invalid`, naming file, line and individual, for what cannot be understood, an individual twice in one file,
    a sample of two individuals, contradicting records, and a term that a loaded ontology does not have. Holds all
    people in memory (about 0.5 kB each), of the files one line at a time (a JSON list whole).
    """
    return read_people_files(_opened(paths), ontology_for, consent_all=consent_all)


def read_people_files(
    files: Iterable[tuple[str, BinaryIO]], ontology_for: OntologyFor, *, consent_all: bool = False
) -> People:
    """The same of files that need not be on a disk, each with what it is called; closed one after the other."""
    vocabulary = Vocabulary(ontology_for)
    left_out: Counter[str] = Counter()
    joined = _Joined()
    names_samples = False
    for name, file in files:
        with file:
            records = _read_file(file, name, vocabulary, left_out, joined)
            names_samples = names_samples or records.names_samples
    return People(joined.finished(names_samples, consent_all), vocabulary.labels, dict(left_out))


def _opened(paths: Iterable[Path]) -> Iterator[tuple[str, BinaryIO]]:
    for path in paths:
        try:
            file = path.open("rb")
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}") from None
        yield str(path), file


def read_people_file(file: BinaryIO, name: str, ontology_for: OntologyFor) -> tuple[People, str, bool]:
    """The people of one file, which need not be on a disk, and what kind of file it is (people-table,
    beacon-individuals or phenopackets), and whether it says itself which sample is whose. Raises as `read_people`."""
    vocabulary, joined = Vocabulary(ontology_for), _Joined()
    left_out: Counter[str] = Counter()
    records = _read_file(file, name, vocabulary, left_out, joined)
    persons = joined.finished(records.names_samples, consent_all=False)
    return People(persons, vocabulary.labels, dict(left_out)), records.kind, records.names_samples


def _read_file(
    file: BinaryIO, name: str, vocabulary: Vocabulary, left_out: Counter[str], joined: "_Joined"
) -> JsonPeople | PeopleTable:
    with _lines_of(file, name) as (lines, is_json):
        records = JsonPeople(lines, name, vocabulary, left_out) if is_json else PeopleTable(lines, name, vocabulary)
        for number, person in records:
            try:
                joined.add(name, person)
            except Invalid as error:
                place = f"{name} {records.unit} {number} ({person.individual_id})"
                raise Invalid(f"{place}: {error}; correct it") from None
    return records


class _Joined:
    """The people so far, by individual, with the file that mentioned each last."""

    def __init__(self) -> None:
        self._persons: dict[IndividualId, Person] = {}
        self._last_file: dict[IndividualId, str] = {}
        self._owners: dict[SampleId, IndividualId] = {}

    def add(self, file: str, person: Person) -> None:
        individual = person.individual_id
        known = self._persons.get(individual)
        if known is not None:
            earlier = self._last_file[individual]
            if earlier == file:
                raise Invalid("the individual stands twice in this file")
            try:
                person = join(known, person)
            except Invalid as error:
                raise Invalid(f"{error} ({earlier})") from None
        if person.sample_id is not None:
            owner = self._owners.setdefault(person.sample_id, individual)
            if owner != individual:
                raise Invalid(f"sample {person.sample_id} is {owner}'s already")
        self._persons[individual] = person
        self._last_file[individual] = file

    def finished(self, names_samples: bool, consent_all: bool) -> list[Person]:
        """Everybody, with what follows from the files as a whole."""
        persons = self._persons
        for individual, person in persons.items():
            if not names_samples:
                person = msgspec.structs.replace(person, sample_id=SampleId(individual))
            if consent_all and person.consent is None:
                person = msgspec.structs.replace(person, consent=YES)
            persons[individual] = person
        return list(persons.values())


@contextmanager
def _lines_of(file: BinaryIO, name: str) -> Iterator[tuple[Iterator[str], bool]]:
    """The lines of a plain or gzipped text, and whether it begins as JSON does. Raises `Invalid` for damaged files."""
    try:
        begin = file.peek(2)  # type: ignore[attr-defined]  # what a buffered file has
        plain = gzip.GzipFile(fileobj=file) if begin.startswith(_GZIP) else file
        stream = io.BufferedReader(plain)  # type: ignore[type-var]  # both can be read from
        start = stream.peek(64).removeprefix(b"\xef\xbb\xbf").lstrip()
        if not start:
            raise Invalid(f"{name} is empty; it must name the individuals")
        with io.TextIOWrapper(stream, encoding="utf-8-sig") as lines:
            yield lines, start[:1] in b"[{"
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8 text ({error.reason}): save it as tab-separated text") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Invalid(f"{name} is a damaged or truncated gzip file ({error}): copy it again") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}") from None
