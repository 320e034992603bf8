# SPDX-License-Identifier: Apache-2.0
"""The provenance crate of a study: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) by the profile Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5), in a zip, signed.

    ro-crate-metadata.json       JSON-LD; it has size and SHA-256 of every other file but the signature
    ro-crate-metadata.json.jws   detached compact JWS over its bytes (RFC 7515, appendix F; ES256) by the hub's key
    hub-keys.json                the hub's public keys (RFC 7517)
    study.json                   the study document: canonical bytes, of which the digest stands for the study
    run.json                     `RunRecord`
    notes.txt, summary.json, tables/NAME.csv
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import msgspec

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.kernel.signatures import verify
from megagenome.standards.study_receipt import RoundFacts

METADATA = "ro-crate-metadata.json"
SIGNATURE = METADATA + ".jws"
KEYS = "hub-keys.json"
DOCUMENT = "study.json"
RUN = "run.json"
MEDIA_TYPE = "application/zip"
TYPE = "megagenome-study-crate+jws"
LARGEST_BYTES = 2 << 30
_MOST_FILES = 100


class SiteRecord(msgspec.Struct, frozen=True):
    """One node's part: whether it was in the result, its datasets, the thumbprint of its key, the version of its
    software ("" where the hub was not told), payload bytes to the hub and from it; `self_test`: how far it was off when
    it computed the method on planted people before the study, None where it did not."""

    node: str
    in_result: bool
    datasets: tuple[str, ...]
    key: str
    version: str
    up_bytes: int
    down_bytes: int
    self_test: float | None


class RunRecord(msgspec.Struct, frozen=True):
    """How a study was run. `people` of all nodes together; `rounds` of all epochs, in order."""

    id: str
    document: str
    title: str
    method: str
    permit: str
    hub: str
    hub_url: str
    software: str
    version: str
    created: str
    ended: str
    epoch: int
    people: int | None
    sites: tuple[SiteRecord, ...]
    rounds: tuple[RoundFacts, ...]


class Verified(msgspec.Struct, frozen=True):
    """A crate that is whole. `key` is the thumbprint of the key that signed it; whose it is, only its owner says."""

    key: str
    run: RunRecord
    files: tuple[str, ...]


def seal(files: Mapping[str, bytes], metadata: Mapping[str, Any], keys: SigningKeys) -> bytes:
    """The zip, signed. The same content gives the same bytes but for the signature."""
    described = msgspec.json.encode(metadata)
    head, _, mark = keys.sign(metadata, TYPE).split(".")
    signed = {METADATA: described, SIGNATURE: f"{head}..{mark}".encode(), KEYS: msgspec.json.encode(keys.jwks())}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (signed | dict(files)).items():
            # a fixed time: nothing of a crate should depend on when it was fetched
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return written.getvalue()


def open_crate(content: bytes, keys: PublicKeys | None = None) -> Verified:
    """Verify a crate: every file is as it was signed, none is missing and none was added.

    `keys` are the hub's as the reader knows them; without, those in the crate, which shows that it is whole and not
    who signed it. Raises `Corrupt`, saying what is wrong.
    """
    files = _read(content)
    for name in (METADATA, SIGNATURE, KEYS, DOCUMENT, RUN):
        if name not in files:
            raise Corrupt(f"not a study's crate: {name} is missing")
    trusted = read_public_keys(files[KEYS]) if keys is None else keys
    head, key = _head(files[SIGNATURE])
    payload = base64.urlsafe_b64encode(files[METADATA]).rstrip(b"=").decode()
    mark = files[SIGNATURE].decode("ascii").rpartition(".")[2]
    metadata = verify(f"{head}.{payload}.{mark}", trusted, TYPE, largest_bytes=len(payload) + 8192)
    _compare(files, metadata)
    try:
        run = msgspec.json.decode(files[RUN], type=RunRecord)
    except msgspec.DecodeError as error:
        raise Corrupt(f"{RUN} of the crate: {error}") from None
    if run.document != "sha256:" + hashlib.sha256(files[DOCUMENT]).hexdigest():
        raise Corrupt(f"{DOCUMENT} of the crate is not the study that was run")
    return Verified(key, run, tuple(sorted(files)))


def file_entity(name: str, content: bytes, media_type: str, description: str) -> dict[str, Any]:
    """A file as the metadata describe it."""
    return {
        "@id": name,
        "@type": "File",
        "name": description,
        "encodingFormat": media_type,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _read(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_BYTES:
                raise TooLarge("a crate of more files or bytes than any study's")
            if len({entry.filename for entry in entries}) < len(entries):
                raise Corrupt("a crate in which a file stands twice")
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise Corrupt("not a zip file, or a broken one") from None


def _head(signature: bytes) -> tuple[str, str]:
    """The signature's first part, and the id of the key that it names."""
    parts = signature.decode("ascii", "replace").split(".")
    if len(parts) != 3 or parts[1]:
        raise Corrupt(f"{SIGNATURE} of the crate is no detached signature")
    try:
        named = msgspec.json.decode(base64.urlsafe_b64decode(parts[0] + "=="), type=dict[str, Any])
    except (ValueError, msgspec.DecodeError):
        raise Corrupt(f"{SIGNATURE} of the crate is no detached signature") from None
    return parts[0], str(named.get("kid", ""))


def _compare(files: Mapping[str, bytes], metadata: Mapping[str, Any]) -> None:
    described = {
        each["@id"]: each["sha256"]
        for each in metadata.get("@graph", [])
        if isinstance(each, dict) and "sha256" in each and isinstance(each.get("@id"), str)
    }
    there = set(files) - {METADATA, SIGNATURE, KEYS}
    if strange := sorted(there ^ set(described)):
        raise Corrupt(f"{strange[0][:80]} of the crate is missing, or was added")
    for name in sorted(there):
        if hashlib.sha256(files[name]).hexdigest() != described[name]:
            raise Corrupt(f"{name[:80]} of the crate was changed since it was signed")
