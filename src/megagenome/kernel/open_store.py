# SPDX-License-Identifier: Apache-2.0
"""Opens the store that an address names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from megagenome.kernel.blob_settings import BlobSettings
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.errors import Invalid
from megagenome.kernel.local_store import LocalStore


def open_store(url: str, settings: BlobSettings | None = None) -> BlobStore:
    """The store at a folder, `file:///folder` or `s3://bucket/prefix`; `settings` say how an object store is reached.

    Makes the folder, looks for no bucket. Raises `Invalid` for another address, or one that has credentials in it.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc and not parts.query:
        from megagenome.kernel.s3_store import S3Store  # an extra, of 30 MB, which few need

        return S3Store(parts.netloc, parts.path.strip("/"), settings or BlobSettings())
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return LocalStore(Path(unquote(parts.path)))
    if url and not parts.scheme:
        return LocalStore(Path(url))
    raise Invalid("a store's address is a folder, file:///folder or s3://bucket/prefix, without credentials")
