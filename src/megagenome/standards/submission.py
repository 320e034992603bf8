# SPDX-License-Identifier: Apache-2.0
"""What a data provider and a node's reception say to each other, version 1. No outside standard.

    GET     /inbox/submissions                                   one's own; a data steward's: all
    POST    /inbox/submissions                                   a `Manifest`; the `Submission`, with 201
    GET     /inbox/submissions/{id}
    PUT     /inbox/submissions/{id}/files/{n}/parts/{k}          bytes of the n-th file, sealed; `Content-Digest` needed
    POST    /inbox/submissions/{id}/complete                     `Completed`
    POST    /inbox/submissions/{id}/decision                     `Decision`, of a data steward
    GET     /inbox/submissions/{id}/preview                      `Preview`, for a data steward
    DELETE  /inbox/submissions/{id}                              or POST /inbox/submissions/{id}/cancel
    GET     /inbox/submissions/{id}/report                       `validation_report.Report`
    GET     /inbox/submissions/{id}/receipt                      `Receipt`, signed

Each file is sent as Crypt4GH version 1 for the key at `/.well-known/c4gh-recipient`, in parts that are joined by their
numbers from 0; part 0, which shows that it is sealed, comes first. A part is taken once it is whole and has the digest
that its header states (RFC 9530, sha-256). The same part again is no error; another content under its number is.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Container, Iterable
from enum import StrEnum

import msgspec

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.ids import parse_dataset_id
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import verify

ROOT = "/inbox/submissions"
MAY_SEND = ROOT + "/may-send"
"""Below it, by a dataset's id: 204 where who asks may begin a submission for it now, and otherwise why not."""
_PART = re.compile(ROOT + r"/[^/]+/files/[^/]+/parts/[^/]+/?")
LARGEST_PART_BYTES = 16 << 20
LARGEST_MANIFEST_BYTES = 4 << 20
LARGEST_RECEIPT_BYTES = 8 << 20
MOST_FILES = 1000
LONGEST_PATH_BYTES = 1024
LONGEST_TEXT = 10_000
LONGEST_REASONS = 4_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
RECEIPT_TYPE = "megagenome-received+jwt"
"""The `typ` of a receipt, a compact JWS by the node's key."""

DIGEST_HEADER = "content-digest"
GENOTYPE_FORMATS = ("vcf", "bcf")
GENOME_FORMATS = (*GENOTYPE_FORMATS, "bam", "cram")
INDEX_FORMATS = ("tbi", "csi", "bai", "crai")
PEOPLE_FORMATS = ("people-table", "beacon-individuals", "phenopackets")
FORMATS = (*GENOME_FORMATS, *INDEX_FORMATS, *PEOPLE_FORMATS)

_HEX = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class State(StrEnum):
    """How far a submission came."""

    OPEN = "open"  # files are being sent
    PROCESSING = "processing"  # all is here; it is validated, compared and archived
    REFUSED = "refused"  # the node found what may not be; no file was kept
    REPORTED = "reported"  # archived, and waits for a data steward
    LOADING = "loading"  # accepted, and being loaded
    ACCEPTED = "accepted"  # in the dataset
    REJECTED = "rejected"  # by a data steward; no file was kept
    CANCELLED = "cancelled"  # by its provider, or because nobody went on; no file was kept


OVER = frozenset({State.REFUSED, State.ACCEPTED, State.REJECTED, State.CANCELLED})
"""States that stay."""

KEPT_DAYS = 30
"""For so long after it ended a node keeps manifest and report of what was not accepted."""


def is_part(path: str) -> bool:
    """Whether this is the address of a part, whose body is sealed bytes and nothing else."""
    return _PART.fullmatch(path) is not None


class SubmittedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file as its provider has it.

    path        below the provider's folder, with `/`; by it the file is called
    size_bytes  plain, as all that follows
    sha256      lower-case hexadecimal; mandatory: nothing is taken on trust
    md5         is compared, too, where it is given
    format      one of `FORMATS`
    samples     whose genomes are in it, in any order; None: whoever is
    index_of    the path of the file of which this is the index
    """

    path: str
    size_bytes: int
    sha256: str
    format: str
    md5: str | None = None
    samples: tuple[str, ...] | None = None
    index_of: str | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is submitted.

    dataset    the dataset that it is for
    assembly   of its genomes, GRCh37 or GRCh38; "" where there are none
    files      all of them
    people     the paths of those that tell of people
    collected  the year that ages are stated for; None where nobody stated one
    title, description  of the dataset; "" leaves what is recorded
    """

    dataset: str
    assembly: str
    files: tuple[SubmittedFile, ...]
    people: tuple[str, ...] = ()
    collected: int | None = None
    title: str = ""
    description: str = ""


class Part(msgspec.Struct, frozen=True):
    """A part that the node has, whole and durable."""

    number: int
    size_bytes: int
    sha256: str


class FileShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of a submission: its number in the manifest from 0, what is here of it, and its id once it is archived."""

    number: int
    parts: tuple[Part, ...] = ()
    file: str = ""


class Submission(msgspec.Struct, frozen=True, omit_defaults=True):
    """A submission as its provider and the node's data stewards see it.

    by        who sends it, as people read it
    problem   what the node has to say of what went wrong, in a line
    reasons   what a data steward decided by
    """

    id: str
    state: State
    manifest: Manifest
    files: tuple[FileShown, ...]
    created: str
    changed: str
    by: str = ""
    problem: str = ""
    reasons: str = ""
    decided_by: str = ""


class Submissions(msgspec.Struct, frozen=True):
    """Several, newest first, without their parts."""

    submissions: tuple[Submission, ...]


class Completed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That all was sent: of how many parts each file is, in the order of the manifest."""

    parts: tuple[int, ...]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data steward's; a no needs its reasons, of `LONGEST_REASONS` characters at most."""

    accept: bool
    reasons: str = ""


class StratumPreview(msgspec.Struct, frozen=True):
    """People of one country, population and sex who would be in the public numbers."""

    country: str
    population: str
    sex: str
    people: int


class Preview(msgspec.Struct, frozen=True, omit_defaults=True):
    """What anybody would be told of the dataset if it were published with this submission as it is. For data stewards
    alone: its counts are exact.

    people, consenting  in the tables; and who consent to be counted
    waiting             of those, how many are too few to be counted before a release
    counted             people of the dataset who would be in the public numbers
    floor               no count of people or alleles below it is told
    alleles_tier, people_tier  who is told
    strata              of the counted
    variants            records in its files
    problem             why a load would be refused, in a line
    alleles             how many alleles have a frequency that would be told; None before they are loaded
    alleles_held_back   and how many have none
    known               people of the tables whom the node has already, maybe from others: their records are added to
    counted_before      how many were in the public numbers when it came, where the dataset was published; None where it
                        was not, and nobody was told of it
    alleles_before      likewise how many alleles had a frequency that was told
    """

    dataset: str
    people: int = 0
    consenting: int = 0
    waiting: int = 0
    counted: int = 0
    floor: int = 0
    alleles_tier: str = ""
    people_tier: str = ""
    strata: tuple[StratumPreview, ...] = ()
    variants: int = 0
    problem: str = ""
    alleles: int | None = None
    alleles_held_back: int | None = None
    known: int = 0
    counted_before: int | None = None
    alleles_before: int | None = None


class ReceivedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that is archived.

    size_bytes, sha256, md5  of its plain bytes, which were computed here and are what the manifest says
    sealed_size_bytes        of the Crypt4GH file as it came
    parts_sha256             of that: SHA-256 over the SHA-256s (32 bytes each) of its parts in order
    file                     its id in this node's archive
    archived                 when, UTC
    """

    path: str
    size_bytes: int
    sha256: str
    sealed_size_bytes: int
    parts_sha256: str
    file: str
    archived: str
    md5: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    """The claims of a receipt: that these files came to this node whole, and are kept.

    iss             the node's id
    iat             when it was signed, seconds since 1970
    report_sha256   of the report that was made of them, as `/report` answers it
    """

    iss: str
    iat: int
    submission: str
    dataset: str
    files: tuple[ReceivedFile, ...]
    report_sha256: str


def read_manifest(content: bytes) -> Manifest:
    """A manifest that somebody else wrote. Raises `Invalid`, naming the file and what is wrong with it."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not a manifest: {error}") from None
    check_manifest(manifest)
    return manifest


def check_manifest(manifest: Manifest) -> None:
    """Raise `Invalid` for what no node takes."""
    parse_dataset_id(manifest.dataset)
    if not manifest.files or len(manifest.files) > MOST_FILES:
        raise Invalid(f"a submission has 1 to {MOST_FILES:,} files, not {len(manifest.files):,}")
    _check_words(manifest)
    known: dict[str, SubmittedFile] = {}
    for file in manifest.files:
        _check_file(file)
        if known.setdefault(file.path, file) is not file:
            raise Invalid(f"{file.path}: is named twice; give each file a path of its own")
    for file in manifest.files:
        if file.index_of is not None and file.index_of not in known:
            raise Invalid(f"{file.path}: is the index of {file.index_of[:200]!r}, which is not in the manifest")
        if (file.index_of is None) != (file.format not in INDEX_FORMATS):
            raise Invalid(f"{file.path}: an index, and nothing else, says by index_of of which file it is")
        if file.index_of is not None and indexed_path(file.path, known) != file.index_of:
            raise Invalid(f"{file.path}: an index is called as its file with .{file.format} after it")
    for path in manifest.people:
        if path not in known:
            raise Invalid(f"{path[:200]!r} is named under people, and is none of the files")
    people = {file.path for file in manifest.files if file.format in PEOPLE_FORMATS}
    if people != set(manifest.people):
        raise Invalid("people names exactly the files whose format is one of people")
    if any(file.format in GENOTYPE_FORMATS for file in manifest.files) and not manifest.assembly:
        raise Invalid("genotypes need an assembly: GRCh37 or GRCh38")


def _check_words(manifest: Manifest) -> None:
    """What is stated of the dataset: it is stored and shown as it is."""
    for name, text in (("title", manifest.title), ("description", manifest.description)):
        if len(text) > LONGEST_TEXT:
            raise Invalid(f"the {name} has {len(text):,} characters; at most {LONGEST_TEXT:,}")
        if not text.replace("\n", "").isprintable() or (name == "title" and "\n" in text):
            raise Invalid(f"the {name} has a character in it that no text has")
    if manifest.collected is not None and not _FIRST_YEAR <= manifest.collected <= _LAST_YEAR:
        raise Invalid(f"collected is a year from {_FIRST_YEAR} to {_LAST_YEAR}")


def indexed_path(path: str, paths: Container[str]) -> str | None:
    """Of these files the one whose index this is by its name: FILE.bam.bai, or FILE.bai as samtools also has it."""
    of, _, ending = path.rpartition(".")
    also = of + (".cram" if ending == "crai" else ".bam")
    return next((each for each in (of, also) if each in paths), None)


def check_path(path: str) -> None:
    """Raise `Invalid` for what is no plain relative path: nobody's folder is ever left by it."""
    shown = ascii(path[:200])
    if not path or len(path.encode("utf-8", "surrogatepass")) > LONGEST_PATH_BYTES:
        raise Invalid(f"{shown}: a path has 1 to {LONGEST_PATH_BYTES:,} bytes")
    if not path.isprintable() or "\\" in path:
        raise Invalid(f"{shown}: a path has no control characters and no backslash")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise Invalid(f"{shown}: a path stays below its folder: no /, . or .. of its own in it")
    if unicodedata.normalize("NFC", path) != path:
        raise Invalid(f"{shown}: write the path in Unicode's form NFC, so that it is one text everywhere")


def _check_file(file: SubmittedFile) -> None:
    check_path(file.path)
    if file.size_bytes < 0:
        raise Invalid(f"{file.path}: no file has {file.size_bytes} bytes")
    for name, form in _HEX.items():
        value = getattr(file, name)
        if value is not None and not form.fullmatch(value):
            raise Invalid(f"{file.path}: {name} is not lower-case hexadecimal of its length")
    if file.format not in FORMATS:
        raise Invalid(f"{file.path}: format {file.format[:40]!r} is none of {', '.join(FORMATS)}")


def content_digest(sha256: bytes) -> str:
    """The value of `Content-Digest` for this SHA-256."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def read_content_digest(value: str) -> str:
    """The SHA-256 that a `Content-Digest` states, in hexadecimal. Raises `Invalid`."""
    found = _DIGEST.fullmatch(value.strip())
    if found is None:
        raise Invalid("a part needs the header Content-Digest: sha-256=:BASE64: of its bytes (RFC 9530)")
    return base64.b64decode(found[1]).hex()


def digest_of_parts(parts: Iterable[str]) -> str:
    """`parts_sha256` of a receipt, from the parts' SHA-256s in order."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, parts))).hexdigest()


def read_receipt(token: str, keys: PublicKeys) -> Receipt:
    """A receipt that one of these keys signed. Raises `Corrupt`."""
    try:
        return msgspec.convert(verify(token, keys, RECEIPT_TYPE, largest_bytes=LARGEST_RECEIPT_BYTES), Receipt)
    except msgspec.ValidationError as error:
        raise Corrupt(f"the receipt is not understood: {error}") from None
