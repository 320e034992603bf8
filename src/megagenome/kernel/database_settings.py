# SPDX-License-Identifier: Apache-2.0
"""Where a node's or hub's records lie, the table `[database]` of a settings file."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from megagenome.kernel.database import open_database, require_empty, sqlite_url
from megagenome.kernel.secret import Secret


class DatabaseSettings(msgspec.Struct, frozen=True):
    """`[database]`: where the records lie.

    url       `postgresql://user@host:port/name`, without a password; empty: SQLite in the folder
    password  better by the environment than in the file, or in PostgreSQL's own password file
    """

    url: str = ""
    password: Secret = Secret()

    def __post_init__(self) -> None:
        """Refuse another kind of database, and a secret where it would be shown."""
        if self.url:
            parts = urlsplit(self.url)
            if parts.scheme != "postgresql" or not parts.path.strip("/"):
                raise ValueError("database.url: write postgresql://user@host:port/name, or nothing for SQLite")
            if parts.password is not None or "password" in parts.query:
                raise ValueError("database.url: a password does not belong here, but in database.password")

    def url_or(self, sqlite: Path) -> sa.URL:
        """Where to open it: the SQLite file where no other place is set."""
        if not self.url:
            return sa.make_url(sqlite_url(sqlite))
        url = sa.make_url(self.url)
        return url.set(password=self.password.reveal()) if self.password else url

    def require_new(self) -> None:
        """Raise `Conflict` where another place than SQLite is set, and somebody keeps records there."""
        if self.url:
            engine = open_database(self.url_or(Path()))
            try:
                require_empty(engine)
            finally:
                engine.dispose()
