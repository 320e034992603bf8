# SPDX-License-Identifier: Apache-2.0
"""What leaves a node: whole files, parts of files of reads, genotypes of the collection. Asked for once by whoever says
who they are, which gives a ticket; and fetched by the ticket, when all is looked at again."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.collection import Collection
from megagenome.collection.file_admission import FileAdmission
from megagenome.collection.open_reading import OpenReading
from megagenome.delivery.layouts import Layouts, require_references
from megagenome.delivery.needs import Files, Sealed
from megagenome.delivery.permitted import DataReading, Terms, open_dataset, recipient_for
from megagenome.delivery.pieces import Names
from megagenome.delivery.tickets import Ticket, Tickets
from megagenome.delivery.variant_files import regions_of, variant_file
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid, MegagenomeError, NotFound, Unauthenticated
from megagenome.kernel.ids import DatasetId, parse_dataset_id
from megagenome.kernel.ledger import Kind
from megagenome.kernel.sealed_files import ArchivedFile, FileState, parse_file_id
from megagenome.reference import assembly
from megagenome.standards.crypt4gh import header_bytes
from megagenome.standards.crypt4gh_keys import fingerprint
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, sealed_size
from megagenome.standards.crypt4gh_stream import seal
from megagenome.standards.htsget import Format, SliceRequest, UnsupportedFormat

_READS = (Format.BAM, Format.CRAM)
_ENDINGS = {"VCF": "vcf.gz", "TBI": "vcf.gz.tbi"}


def leaving(files: Iterable[ArchivedFile], *, is_open: bool) -> int:
    """How many of a published dataset's files leave: of open data all that tell whose genomes are in them, of others,
    by permit, reads and their indexes, for what else there is names people."""
    by_id = {each.id: each for each in files if each.state is FileState.READY}
    of = [(each, by_id.get(each.index_of) if each.index_of else None) for each in by_id.values()]
    if is_open:
        return sum(bool(each.samples or (main and main.samples)) for each, main in of)
    return sum((main or each).format in _READS for each, main in of)


class FoundFile(NamedTuple):
    """A file that somebody may read now."""

    file: ArchivedFile
    reading: DataReading
    admission: FileAdmission

    @property
    def name(self) -> str:
        """What it is called where it leaves: what its provider calls it is told of open data alone."""
        if isinstance(self.reading, OpenReading):
            return self.file.name
        kind = self.file.format
        return f"{self.file.id}.{_ENDINGS.get(kind, kind.lower())}"


class Content(NamedTuple):
    """A whole file, opened, as it is given out.

    size_bytes  of it
    checksums   by what they are; `etag` of one that no file in the archive has, which is the same as long as it is
    """

    size_bytes: int
    checksums: dict[str, str]


class Granted(NamedTuple):
    """A ticket, and the object that it is for: what follows `/delivery/` in the address."""

    object: str
    token: str


class Whole(NamedTuple):
    """A file of which any bytes can be fetched.

    etag  the same as long as its bytes are the same
    open  enters it in the ledger; what it returns reads a range
    """

    size_bytes: int
    etag: str
    name: str
    open: Callable[[], Callable[[int, int], Iterator[bytes]]]


class Stream(NamedTuple):
    """A file that is made while it is sent; `open` enters it in the ledger."""

    name: str
    open: Callable[[], Iterator[bytes]]


class Delivery:
    """Files and slices of one node. Safe to use from many threads."""

    def __init__(self, collection: Collection, files: Files, tickets: Tickets) -> None:
        self._collection, self._files, self._tickets = collection, files, tickets
        self._layouts = Layouts(files)

    def find(self, caller: Caller, file: str, terms: Terms) -> FoundFile:
        """A file that may be read now, by its id.

        Raises `NotFound`, in the same words, for one that there is not, that is not ready, that holds the genome of
        somebody who is not (any more) among the people of the caller's permit, or whose dataset the public does not
        know of; `NotFound` in other words for one that does not leave by permit, because it names people: all but reads
        and their indexes; `Unauthenticated` or `NotEntitled` for one of a published dataset that needs a permit.
        """
        missing = NotFound(f"there is no file {file[:100]} here that you may read")
        try:
            found = self._files.find(parse_file_id(file))
        except Invalid:
            raise missing from None
        if found is None or found.state is not FileState.READY:
            raise missing
        try:
            reading = open_dataset(self._collection, caller, found.dataset, terms)
        except NotFound:
            raise missing from None
        samples = frozenset(found.samples)
        admission = reading.admit(found.dataset, samples)
        if not (samples and samples <= admission.samples):
            raise missing
        if admission.names is not None and self._reads_of(found) is None:
            raise NotFound(_elsewhere(found))
        return FoundFile(found, reading, admission)

    def content(self, found: FoundFile) -> Content:
        """What is told of a whole file. Raises `NotFound` for an index of what leaves with another beginning than it
        has in the archive, and is to be made anew."""
        file, names = found.file, found.admission.names
        if names is not None and (reads := self._reads_of(file)) is not None:
            begins = self._layouts.replaced(reads, names)
            if reads.id == file.id:
                size = file.size_bytes - begins.instead_of + len(begins.content)
                return Content(size, {"etag": _etag(file.sha256, begins.content)})
            if begins.is_moved:
                raise NotFound(f"{file.id} is no index of {reads.id} as that leaves: make one of it (samtools index)")
        return Content(file.size_bytes, {"sha-256": file.sha256} | ({"md5": file.md5} if file.md5 else {}))

    def open_files(self) -> list[ArchivedFile]:
        """The ready files of all published datasets that are declared open: of others no numbers are told."""
        known = [each.id for each in self._collection.published if each.open]
        return [each for dataset in known for each in self._files.files_of(dataset) if each.state is FileState.READY]

    def published(self, file: str) -> tuple[ArchivedFile, bool] | None:
        """A ready file of a published dataset, and whether that is open to everybody; else None."""
        try:
            found = self._files.find(parse_file_id(file))
        except Invalid:
            return None
        if found is None or found.state is not FileState.READY:
            return None
        return next(((found, each.open) for each in self._collection.published if each.id == found.dataset), None)

    def file_ticket(self, caller: Caller, file: str, terms: Terms) -> Granted:
        """A ticket for a whole file. Raises what `find` and `recipient_for` raise."""
        found = self.find(caller, file, terms)
        self.content(found)
        return self._ticket(caller, found.reading, found.file.id, terms)

    def reads_ticket(self, caller: Caller, file: str, asked: SliceRequest, terms: Terms) -> Granted:
        """A ticket for a file of reads or a part of it. Raises what `file_ticket` raises; `UnsupportedFormat` where the
        file is of the other format; `NotFound` for an unknown reference. Cost: some ms."""
        found = self.find(caller, file, terms)
        if found.file.format not in _READS:
            raise NotFound(_elsewhere(found.file, is_open=isinstance(found.reading, OpenReading)))
        if found.file.format != asked.format:
            raise UnsupportedFormat(f"{found.file.id} is kept as {found.file.format} and given as no other")
        if asked.slices is None and not asked.header_only:
            return self._ticket(caller, found.reading, found.file.id, terms)
        if asked.slices is not None:
            layout = self._layouts.of(found.file)
            require_references(layout, asked.slices)
            if layout.places is None:
                raise Invalid(f"{found.file.id} has no index, so no part of it can be given; ask for the whole file")
        return self._ticket(caller, found.reading, found.file.id, terms, asked)

    def variants_ticket(self, caller: Caller, place: str, asked: SliceRequest, terms: Terms) -> Granted:
        """A ticket for genotypes of a dataset; `place` is its id, with `/` and an assembly where it has several."""
        dataset, name = _place(place)
        try:
            reading = open_dataset(self._collection, caller, dataset, terms)
        except NotFound:
            self._refuse_file(caller, place, terms)
            raise
        name = _assembly(reading, dataset, name)
        regions_of(name, asked.slices)
        return self._ticket(caller, reading, f"{dataset}/{name}", terms, asked)

    def _refuse_file(self, caller: Caller, place: str, terms: Terms) -> None:
        """Raise `NotFound` that says more for the id of a file that the caller may read."""
        try:
            found = self.find(caller, place, terms)
        except MegagenomeError:
            return
        raise NotFound(_elsewhere(found.file, is_open=isinstance(found.reading, OpenReading)))

    def redeem(self, token: str, object: str) -> Whole | Stream:  # noqa: A002 - the ticket's word
        """What a ticket is for, if all that it was given for still holds. Nothing is opened yet.

        Raises `Unauthenticated` for a ticket that is none, is over or is for another object; `NotFound` or
        `NotEntitled` where permit, environment, dataset, file or somebody's consent is not what it was.
        """
        ticket = self._tickets.read(token)
        if ticket.object != object:
            raise Unauthenticated("the ticket is for something else")
        terms = Terms(ticket.permit, ticket.use, ticket.recipient_key)
        if "/" in object:
            return self._variants(ticket, terms)
        found = self.find(ticket.caller, object, terms)
        recipient = self._recipient(found.reading, ticket, terms)
        if ticket.format:
            return self._reads(found, ticket, recipient)
        if recipient is None:
            return self._plain(found)
        if found.admission.names is not None and found.file.format in _READS:
            return self._renamed(found, found.admission.names, recipient)
        return self._sealed(found, recipient)

    def _ticket(
        self, caller: Caller, reading: DataReading, wanted: str, terms: Terms, asked: SliceRequest | None = None
    ) -> Granted:
        recipient = recipient_for(self._collection.engine, reading, terms)
        by = ("", "") if isinstance(reading, OpenReading) else (reading.permit.id, reading.use.value)
        ticket = Ticket(
            caller.subject,
            wanted,
            format=asked.format.value if asked else "",
            header_only=asked.header_only if asked else False,
            slices=asked.slices if asked else None,
            permit=by[0],
            use=by[1],
            recipient=recipient.public_bytes_raw().hex() if recipient else "",
        )
        return Granted(wanted, self._tickets.make(ticket))

    def _recipient(self, reading: DataReading, ticket: Ticket, terms: Terms) -> X25519PublicKey | None:
        """The key of a ticket, if it still counts. A dataset that was opened since is given as the ticket says."""
        if not ticket.permit and not isinstance(reading, OpenReading):
            raise Unauthenticated("the ticket was for open data, which these are no more: ask for a new one")
        return recipient_for(self._collection.engine, reading, terms)

    def _reads_of(self, file: ArchivedFile) -> ArchivedFile | None:
        """The file of reads that this is or is the index of; None where it is neither."""
        of = file if file.index_of is None else self._files.find(file.index_of)
        return of if of is not None and of.format in _READS else None

    def _open(self, found: FoundFile, kind: Kind) -> Sealed:
        return self._files.open(found.file.id, found.admission, kind)

    def _plain(self, found: FoundFile) -> Whole:
        file = found.file
        return Whole(file.size_bytes, f'"{file.sha256}"', found.name, lambda: self._open(found, Kind.FILE).read)

    def _sealed(self, found: FoundFile, recipient: X25519PublicKey) -> Whole:
        file = found.file
        self.content(found)

        def opened() -> Callable[[int, int], Iterator[bytes]]:
            sealed = self._open(found, Kind.FILE)
            header = sealed.header(recipient)

            def read(start: int, end: int) -> Iterator[bytes]:
                if start < len(header):
                    yield header[start:end]
                if end > len(header):
                    yield from sealed.body(max(0, start - len(header)), end - len(header))

            return read

        etag = f'"{file.body_sha256}-{fingerprint(recipient)}"'
        return Whole(header_bytes(1) + sealed_size(file.size_bytes), etag, f"{found.name}.c4gh", opened)

    def _renamed(self, found: FoundFile, names: Names, recipient: X25519PublicKey) -> Whole:
        """A whole file of reads under a permit's names: its first segments anew, and all others as they are stored."""
        file, begins = found.file, self._layouts.replaced(found.file, names)
        until = min(file.size_bytes, -(-begins.instead_of // SEGMENT_BYTES) * SEGMENT_BYTES)
        first_bytes = header_bytes(2) + sealed_size(len(begins.content) + until - begins.instead_of)
        rest = sealed_size(until) - first_bytes

        def opened() -> Callable[[int, int], Iterator[bytes]]:
            sealed = self._open(found, Kind.FILE)
            first = sealed.headed(recipient, begins.content + b"".join(sealed.read(begins.instead_of, until)))
            if len(first) != first_bytes:
                raise AssertionError("the header and segments of a beginning are as long as was told")

            def read(start: int, end: int) -> Iterator[bytes]:
                if start < first_bytes:
                    yield first[start:end]
                if end > first_bytes:
                    yield from sealed.body(max(start, first_bytes) + rest, end + rest)

            return read

        etag = f'"{_etag(file.sha256, begins.content)}-{fingerprint(recipient)}"'
        return Whole(sealed_size(file.size_bytes) - rest, etag, f"{found.name}.c4gh", opened)

    def _reads(self, found: FoundFile, ticket: Ticket, recipient: X25519PublicKey | None) -> Stream:
        layout = self._layouts.of(found.file)

        def opened() -> Iterator[bytes]:
            file, names, slices = self._open(found, Kind.SLICE), found.admission.names, ticket.slices or ()
            part = layout.part(file, slices, names, sealed=recipient is not None)
            if recipient is None:
                return part.plain()
            return file.composed(recipient, part.pieces, has_stored=part.has_stored)

        return Stream(_named(found.name, recipient), opened)

    def _variants(self, ticket: Ticket, terms: Terms) -> Stream:
        dataset, name = _place(ticket.object)
        reading = open_dataset(self._collection, ticket.caller, dataset, terms)
        recipient = self._recipient(reading, ticket, terms)
        wanted = Format(ticket.format)
        regions = () if ticket.header_only else regions_of(name, ticket.slices)

        def opened() -> Iterator[bytes]:
            return _for(variant_file(reading.slice(dataset, name), wanted, regions), recipient)

        ending = "vcf.gz" if wanted is Format.VCF else "bcf"
        return Stream(_named(f"{dataset}.{ending}", recipient), opened)


def _elsewhere(file: ArchivedFile, *, is_open: bool = False) -> str:
    """Where a file, or what is in it, is to be asked for, to whoever may read that."""
    whole = "it is given whole, by DRS" if is_open else "what names people does not leave by permit"
    how = "ask for it below reads" if file.format in _READS else whole
    return f"{file.id} is a {file.format} file: {how}; genotypes are asked for by their dataset, {file.dataset}"


def _etag(archived: str, begins: bytes) -> str:
    """Of a file with another beginning: what it is in the archive shows from it as little as the other way round."""
    return hashlib.sha256(archived.encode() + hashlib.sha256(begins).digest()).hexdigest()


def _place(place: str) -> tuple[DatasetId, str]:
    dataset, _, name = place.partition("/")
    try:
        return parse_dataset_id(dataset), name
    except Invalid:
        raise NotFound(f"there is no dataset {dataset[:100]} here that you may read") from None


def _assembly(reading: DataReading, dataset: DatasetId, name: str) -> str:
    """The assembly of which genotypes are wanted."""
    datasets = (reading.dataset,) if isinstance(reading, OpenReading) else reading.datasets
    having: Sequence[str] = next(each.assemblies for each in datasets if each.id == dataset)
    if name:
        try:
            wanted = assembly(name).name
        except Invalid as error:
            raise NotFound(str(error)) from None
        if wanted not in having:
            raise NotFound(f"{dataset} has no genotypes on {wanted}")
        return wanted
    if not having:
        raise NotFound(f"{dataset} has no genotypes")
    if len(having) > 1:
        raise Invalid(f"{dataset} is on {', '.join(having)}: ask for {dataset}/{having[-1]}, say")
    return having[0]


def _named(name: str, recipient: X25519PublicKey | None) -> str:
    return name if recipient is None else f"{name}.c4gh"


def _for(pieces: Iterator[bytes], recipient: X25519PublicKey | None) -> Iterator[bytes]:
    """A file as it is, or sealed with a key that was never used."""
    return pieces if recipient is None else map(bytes, seal(pieces, [recipient]))
