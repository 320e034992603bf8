# SPDX-License-Identifier: Apache-2.0
"""A sidecar: beside each body, its header and what the database says of the file, for when the database is lost.

    header of the body | a Crypt4GH file, sealed for the same recipient key, of one JSON document

The header with the body is a Crypt4GH file as any program reads it. The document names the digest of that header, so
that neither can be put beside another one.
"""

from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.archive import names
from megagenome.archive.model import Kept, Parts
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, Unavailable
from megagenome.kernel.sealed_files import ArchivedFile, FileState
from megagenome.standards.crypt4gh import header_size
from megagenome.standards.crypt4gh_stream import seal, unseal


class _Record(msgspec.Struct, frozen=True):
    file: ArchivedFile
    prefix: bytes
    header_sha256: str


def write(parts: Parts, kept: Kept, recipient: str, header: bytes) -> None:
    """Write the sidecar of a file whose `header` is for this recipient key; durable on return. What is there stays."""
    record = _Record(kept.file, kept.prefix, sha256(header).hexdigest())
    reader = parts.keys.find(recipient).public_key()
    try:
        with parts.store.create(names.sidecar(kept.stem, recipient)) as writer:
            writer.write(header)
            for chunk in seal([msgspec.json.encode(record)], [reader]):
                writer.write(chunk)
    except Conflict:
        read(parts, kept.stem, recipient)


def read(parts: Parts, stem: str, recipient: str) -> tuple[Kept, bytes]:
    """The file that a sidecar is of, as if it had just been archived, and the header of its body.

    Raises `NotFound`, `Corrupt`, `Unavailable` where its recipient key is not here.
    """
    content = b"".join(parts.store.read(names.sidecar(stem, recipient)))
    try:
        header, record = _read(content, parts.keys.find(recipient))
    except Unavailable:
        raise
    except (MegagenomeError, msgspec.MsgspecError) as error:
        raise Corrupt(f"the sidecar of {names.file_of(stem)} was changed: {error}") from None
    if record.header_sha256 != sha256(header).hexdigest() or record.file.id != names.file_of(stem):
        raise Corrupt(f"the sidecar of {names.file_of(stem)} is put together of two")
    # nobody knows from here whether it may still be given out
    archived = msgspec.structs.replace(record.file, state=FileState.ARCHIVED, verified=None)
    return Kept(archived, stem, record.prefix), header


def _read(content: bytes, reader: X25519PrivateKey) -> tuple[bytes, _Record]:
    size = header_size(content)
    if size is None:
        raise Invalid("it is cut short")
    document = b"".join(unseal([content[size:]], [reader]))
    return content[:size], msgspec.json.decode(document, type=_Record)
