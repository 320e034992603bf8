# SPDX-License-Identifier: Apache-2.0
"""Blobs in an object store that speaks S3, Amazon's or another one's, by `obstore`.

`blobs/KEY`                 the commit point: a small JSON object, put once, on condition that there is none
`parts/KEY/WRITER/NUMBER`   the bytes, in parts of 16 MiB, put before it; WRITER is drawn by each writer

S3's own multipart uploads cannot be completed on condition by `obstore`, nor be listed when they are left over.
Ordinary objects can, on every such store. All are put with a SHA-256 that the store verifies; what it acknowledged is
durable.

A writer that is silent for 10 min gives up, and what is left over is removed only after an hour's silence, by the
store's clock. So a part is never removed below a commit that is still to come.
"""

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from megagenome.kernel import clock
from megagenome.kernel.blob_settings import BlobSettings
from megagenome.kernel.blob_store import CHUNK_BYTES, BlobWriter, clip, parse_key
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotFound, Unavailable

try:
    import obstore
    from obstore import exceptions, store
except ImportError:
    raise Invalid("an object store needs another package: run `pip install 'megagenome[s3]'`") from None

PART_BYTES = 16 << 20
_AT_ONCE_BYTES = 4 * CHUNK_BYTES  # of a request: long enough for its delay, short enough to hold for a slow reader
_LONGEST_SILENCE_S = 600.0
_LEFT_OVER_S = 3600.0


class _Blob(NamedTuple):
    """What a commit says: which writer's parts are the blob."""

    size_bytes: int
    part_bytes: int
    writer: str

    def encode(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    def part(self, key: str, number: int) -> str:
        return f"parts/{key}/{self.writer}/{number:08}"


class S3Store:
    """See `BlobStore`. Nothing is kept between calls; each looks at the commit first, which is a request."""

    def __init__(self, bucket: str, prefix: str, settings: BlobSettings) -> None:
        """Nothing is asked yet. Where settings are empty, those of Amazon's tools hold: `AWS_…`, the machine's role."""
        said = {
            "endpoint": settings.endpoint,
            "region": settings.region,
            "access_key_id": settings.access_key_id,
            "secret_access_key": settings.secret_access_key.reveal(),
        }
        config: Any = {name: value for name, value in said.items() if value} | {"checksum_algorithm": "SHA256"}
        self._store = store.S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={"allow_http": settings.endpoint.startswith("http://"), "timeout": timedelta(seconds=60)},
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
        )

    @contextlib.contextmanager
    def create(self, key: str) -> Iterator[BlobWriter]:
        """See `BlobStore`."""
        if self.exists(key):
            raise _there(key)
        writer = _Writer(self._store, key)
        try:
            yield writer
            writer.finish()
        except BaseException:
            if not writer.may_be_there:
                with contextlib.suppress(Exception):  # what cannot be removed now, `sweep` removes
                    obstore.delete(self._store, [writer.blob.part(key, number) for number in range(writer.parts)])
            raise

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `BlobStore`. A request for every 4 MiB."""
        blob = self._blob(key)
        return self._chunks(key, blob, *clip(start, end, blob.size_bytes))

    def _chunks(self, key: str, blob: _Blob, place: int, end: int) -> Iterator[bytes]:
        while place < end:
            number, skipped = divmod(place, blob.part_bytes)
            length = min(end - place, blob.part_bytes - skipped, _AT_ONCE_BYTES)
            try:
                with _told(key):
                    got = memoryview(
                        obstore.get_range(self._store, blob.part(key, number), start=skipped, length=length)
                    )
            except FileNotFoundError as error:
                self._blob(key)  # it was deleted, or else
                raise Corrupt(f"blob {key} lacks part {number}; see the object store's log") from error
            if len(got) != length:
                raise Corrupt(f"blob {key} lacks bytes of part {number}; see the object store's log")
            yield from (bytes(got[at : at + CHUNK_BYTES]) for at in range(0, length, CHUNK_BYTES))
            place += length

    def size(self, key: str) -> int:
        """See `BlobStore`."""
        return self._blob(key).size_bytes

    def exists(self, key: str) -> bool:
        """See `BlobStore`."""
        try:
            self._blob(key)
        except NotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """See `BlobStore`. Killed in the middle it has deleted the blob, and leaves parts to `sweep`."""
        with contextlib.suppress(NotFound), _told(key):
            blob = self._blob(key)
            obstore.delete(self._store, f"blobs/{key}")
            count = -(-blob.size_bytes // blob.part_bytes)
            obstore.delete(self._store, [blob.part(key, number) for number in range(count)])

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `BlobStore`. In the order in which the store lists, which Amazon's and others' is that of the bytes."""
        folder = f"blobs/{prefix.rpartition('/')[0]}".rstrip("/")
        for path, _ in self._listed(folder):
            key = path.removeprefix("blobs/")
            if key.startswith(prefix):
                yield key

    def path(self, key: str) -> None:
        """See `BlobStore`."""
        self.size(key)

    def free_bytes(self) -> None:
        """See `BlobStore`."""

    def sweep(self, older_than_s: float) -> int:
        """See `BlobStore`; at least an hour. Lists every part, a request for each thousand, that is for each 16 GiB."""
        before = clock.now() - timedelta(seconds=max(older_than_s, _LEFT_OVER_S))
        found: dict[tuple[str, str], list[str]] = {}
        newest: dict[tuple[str, str], datetime] = {}
        for path, modified in self._listed("parts"):
            key, writer, _ = path.removeprefix("parts/").rsplit("/", 2)
            found.setdefault((key, writer), []).append(path)
            newest[key, writer] = max(modified, newest.get((key, writer), modified))
        left = [each for each in found if newest[each] < before and not self._is_of(*each)]
        for key, writer in left:
            with _told(key):
                obstore.delete(self._store, found[key, writer])
        return len(left)

    def _is_of(self, key: str, writer: str) -> bool:
        try:
            return self._blob(key).writer == writer
        except NotFound:
            return False

    def _listed(self, folder: str) -> Iterator[tuple[str, datetime]]:
        with _told("of all"):
            for some in obstore.list(self._store, folder, chunk_size=1000):
                yield from ((each["path"], each["last_modified"]) for each in some)

    def _blob(self, key: str) -> _Blob:
        return _read_blob(self._store, parse_key(key))


class _Writer:
    """Puts parts as they fill, and the commit at the end."""

    def __init__(self, where: store.S3Store, key: str) -> None:
        self._store, self._key = where, key
        self._part = bytearray()
        self._whole, self._heard = True, time.monotonic()
        self.blob = _Blob(0, PART_BYTES, secrets.token_hex(8))
        self.parts = 0
        self.may_be_there = False

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """See `BlobWriter`."""
        whole, self._whole = self._whole, False  # stays so when writing fails, whoever catches it
        rest = memoryview(content).cast("B")
        self.blob = self.blob._replace(size_bytes=self.blob.size_bytes + len(rest))
        while rest:
            taken = PART_BYTES - len(self._part)
            self._part += rest[:taken]
            rest = rest[taken:]
            if len(self._part) == PART_BYTES:
                self._put_part()
        self._whole = whole

    def finish(self) -> None:
        """The rest of the bytes, then the commit."""
        if not self._whole:
            raise Unavailable(f"blob {self._key}: a piece could not be written, so nothing is kept; write it again")
        if self._part:
            self._put_part()
        self.may_be_there = True
        try:
            self._put(f"blobs/{self._key}", self.blob.encode(), mode="create")
        except exceptions.AlreadyExistsError:
            # It may be ours: where an answer is lost, the request is repeated.
            if _read_blob(self._store, self._key) != self.blob:
                self.may_be_there = False
                raise _there(self._key) from None

    def _put_part(self) -> None:
        self.parts += 1  # also where it fails: it may be there
        self._put(self.blob.part(self._key, self.parts - 1), bytes(self._part), mode="overwrite")
        self._part.clear()

    def _put(self, path: str, content: bytes, mode: Any) -> None:
        if time.monotonic() - self._heard > _LONGEST_SILENCE_S:
            raise Unavailable(f"blob {self._key}: its writer was silent for too long; write it again")
        with _told(self._key):
            obstore.put(self._store, path, content, mode=mode, use_multipart=False)
        self._heard = time.monotonic()


def _read_blob(where: store.S3Store, key: str) -> _Blob:
    try:
        with _told(key):
            content = bytes(obstore.get(where, f"blobs/{key}").bytes())
        return _Blob(**json.loads(content))
    except FileNotFoundError as error:
        raise NotFound(f"there is no blob {key}") from error
    except (ValueError, TypeError) as error:
        raise Corrupt(f"blob {key}: its commit is not one of ours; see who else writes into the bucket") from error


def _there(key: str) -> Conflict:
    return Conflict(f"blob {key} is there already, and no blob changes; write under another key")


@contextlib.contextmanager
def _told(key: str) -> Iterator[None]:
    """The store's errors as ours, but for what its callers look at: that something is there, or is not."""
    try:
        yield
    except exceptions.AlreadyExistsError:
        raise
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise Unavailable(f"blob {key}: the object store refuses us; see the settings [blobs]") from error
    except exceptions.BaseError as error:
        raise Unavailable(f"blob {key}: the object store failed ({type(error).__name__}); repeat it") from error
