# SPDX-License-Identifier: Apache-2.0
"""What a provider's folder holds: its manifest, or one that is made of it.

A file's checksums are taken here, before anything is sealed, and those that lie beside the files are compared first.
"""

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

from megagenome.collection.read_people import read_people_file
from megagenome.collection.read_vcf import read_header
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.ids import parse_dataset_id
from megagenome.reception.sums_beside import is_of_sums, sums_beside
from megagenome.reception.validators.formats import format_of_name
from megagenome.reference.assemblies import assembly
from megagenome.standards.submission import (
    GENOTYPE_FORMATS,
    INDEX_FORMATS,
    PEOPLE_FORMATS,
    Manifest,
    SubmittedFile,
    check_manifest,
    check_path,
    indexed_path,
    read_manifest,
)

MANIFEST = "manifest.json"
STATE = ".megagenome-send.json"
RECEIPT = "megagenome-receipt.jwt"

_AT_ONCE_BYTES = 1 << 20

Progress = Callable[[int], None]
"""Called with the bytes that were read so far."""


class Dataset(msgspec.Struct, frozen=True):
    """What is said of the dataset on the command line; "" and None leave it to `manifest.json`."""

    dataset: str = ""
    assembly: str = ""
    collected: int | None = None
    title: str = ""
    description: str = ""


def manifest_of(folder: Path, said: Dataset, progress: Progress = lambda _read: None) -> Manifest:
    """The manifest of a folder: its `manifest.json`, whose checksums are then compared with the files, or a new one of
    all files in it.

    Raises `Invalid` for a file that is no part of a submission, `Corrupt` where a checksum is not its file's. Cost: one
    pass over the files.
    """
    manifest = require_sendable(folder, said)
    sums = _sums_of(folder, manifest)
    if manifest is not None:
        _compare(folder, manifest, sums, progress)
        return manifest
    manifest = _made(folder, said, sums, progress)
    check_manifest(manifest)
    return manifest


def require_sendable(folder: Path, said: Dataset) -> Manifest | None:
    """Raise `Invalid` for what is wrong already before a file is read, which may take hours. The folder's
    `manifest.json`, where there is one. Of files it reads those of checksums alone."""
    require_folder(folder)
    written = folder / MANIFEST
    if written.is_file():
        manifest = _read_written(written, said)
        _sums_of(folder, manifest)
        return manifest
    if not said.dataset:
        raise Invalid(f"say by --dataset what the files are for: there is no {MANIFEST} in {folder}")
    parse_dataset_id(said.dataset)
    _require_no_links(folder)
    names = _names(folder)
    if not names:
        raise Invalid(f"there is no file to be sent in {folder}")
    for name in names:
        check_path(name)
    if {_format_promised(name) for name in names} & set(GENOTYPE_FORMATS) and not said.assembly:
        raise Invalid("genotypes need an assembly: say --assembly GRCh37 or --assembly GRCh38")
    if said.assembly:
        assembly(said.assembly)
    _sums_of(folder, None)
    return None


def require_folder(folder: Path) -> None:
    """Raise `Invalid` where there is none."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise Invalid(f"{folder} {what}: give the folder that holds the files to be sent")


def _require_no_links(folder: Path) -> None:
    """A link may lead to what nobody meant to send, and one to a folder or to nothing would be passed over."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_symlink() and not _is_hidden(below):
            raise Invalid(f"{below} is a link: put what it leads to into the folder, or take the link out")


def _read_written(written: Path, said: Dataset) -> Manifest:
    try:
        manifest = read_manifest(written.read_bytes())
    except Invalid as error:
        raise Invalid(f"{written}: {error}") from None
    for name, value in msgspec.structs.asdict(said).items():
        if value not in ("", None, getattr(manifest, name)):
            raise Invalid(f"{written} has another {name} than --{name}: leave that out, or correct the file")
    return manifest


def _names(folder: Path) -> dict[str, Path]:
    """The files to be sent, by the paths under which they are."""
    return {unicodedata.normalize("NFC", path.relative_to(folder).as_posix()): path for path in _files(folder)}


def total_bytes(folder: Path) -> int:
    """How many bytes a submission of the folder has, about."""
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and not _is_ours(path.relative_to(folder)))
    return sorted(found)


def _is_ours(path: Path) -> bool:
    """Whether it is no file to be sent: hidden, a manifest, a receipt, or checksums."""
    name = path.name.lower()
    return _is_hidden(path) or name in (MANIFEST, RECEIPT) or is_of_sums(name)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _sums_of(folder: Path, manifest: Manifest | None) -> dict[str, dict[str, str]]:
    """By path, the checksums that lie beside it, by algorithm. Raises `Invalid` for what is listed and not sent."""
    sent = None if manifest is None else {file.path for file in manifest.files}
    sums: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for each in sums_beside(folder):
        if sent is not None and each.is_listed and each.of not in sent and not _is_ours(Path(each.of)):
            raise Invalid(f"{each.of} is in a list of checksums, and not in {MANIFEST}: add it there, or leave it out")
        sums[each.of][each.kind] = each.value
    return sums


def _compare(folder: Path, manifest: Manifest, sums: dict[str, dict[str, str]], progress: Progress) -> None:
    read = 0
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise Invalid(f"{file.path} is in {MANIFEST} and not in the folder")
        if path.stat().st_size != file.size_bytes:
            raise Corrupt(f"{file.path} has {path.stat().st_size:,} bytes, and {MANIFEST} states {file.size_bytes:,}")
        beside = sums.get(file.path, {})
        found = _hashed(path, {"sha256", *beside, *(["md5"] if file.md5 else [])}, progress, read)
        stated = {"sha256": file.sha256} | ({"md5": file.md5} if file.md5 else {})
        _require_same(file.path, found, stated, MANIFEST)
        _require_same(file.path, found, beside, "the checksum beside it")
        read += file.size_bytes


def _made(folder: Path, said: Dataset, sums: dict[str, dict[str, str]], progress: Progress) -> Manifest:
    names = _names(folder)
    read, files = 0, []
    for name, path in names.items():
        format_ = _format(path, name)
        beside = sums.get(name, {})
        found = _hashed(path, {"sha256", *beside}, progress, read)
        _require_same(name, found, beside, "the checksum beside it")
        size = path.stat().st_size
        read += size
        index_of = indexed_path(name, names) if format_ in INDEX_FORMATS else None
        if format_ in INDEX_FORMATS and index_of is None:
            raise Invalid(f"{name} is an index, and the file of which it is one is not in the folder")
        md5 = found.get("md5")
        files.append(
            SubmittedFile(name, size, found["sha256"], format_, md5, _samples(path, format_), index_of=index_of)
        )
    people = tuple(file.path for file in files if file.format in PEOPLE_FORMATS)
    return Manifest(said.dataset, said.assembly, tuple(files), people, said.collected, said.title, said.description)


def _format_promised(name: str) -> str:
    found = format_of_name(name)
    if not found:
        raise Invalid(
            f"{name} is of no known format; take it out of the folder, or name what is to be sent in {MANIFEST}"
        )
    return found


def _format(path: Path, name: str) -> str:
    found = _format_promised(name)
    if found != "json":
        return found
    with path.open("rb") as file:
        return read_people_file(file, name, lambda _term: None)[1]


def _samples(path: Path, format_: str) -> tuple[str, ...] | None:
    """Those of a header that is quickly read; the node looks into all others."""
    if format_ not in GENOTYPE_FORMATS:
        return None
    try:
        return tuple(read_header(path).samples)
    except (Invalid, Corrupt) as error:
        raise Invalid(f"{error}: nothing was sent") from None


def _hashed(path: Path, kinds: set[str], progress: Progress, before: int) -> dict[str, str]:
    hashes = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}
    read = before
    try:
        with path.open("rb") as file:
            while piece := file.read(_AT_ONCE_BYTES):
                for each in hashes.values():
                    each.update(piece)
                read += len(piece)
                progress(read)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror or error}") from None
    return {kind: each.hexdigest() for kind, each in hashes.items()}


def _require_same(name: str, found: dict[str, str], stated: dict[str, str], where: str) -> None:
    for kind, value in stated.items():
        if found[kind] != value:
            raise Corrupt(
                f"{name} is not as {where} says ({kind} {value[:16]}…): nothing was sent; copy the file again"
            )
