# SPDX-License-Identifier: Apache-2.0
"""Identity's records, of node and hub alike. Migrations in `kernel/migrations` make them; a test holds both together.

Times are ISO 8601 in UTC with whole seconds, so that texts compare as times do.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

person = sa.Table(
    "person",
    METADATA,
    # Whoever signed in here. Names are the provider's word and identify nobody; the subject does.
    sa.Column("subject", sa.String(800), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("organisation", sa.String(255), nullable=False),
    sa.Column("affiliations", sa.Text, nullable=False),  # blank-separated, such as faculty@example.org
    sa.Column("first_seen", sa.String(25), nullable=False),
    sa.Column("last_seen", sa.String(25), nullable=False),
    sa.Column("terms", sa.Text, nullable=False),  # the address of the terms that they accepted; empty: none
    sa.Column("terms_accepted", sa.String(25)),
)

sign_in = sa.Table(
    "sign_in",
    METADATA,
    # A sign-in that was begun. State, nonce and verifier come from the browser's secret, whose digest alone is here.
    sa.Column("secret_sha256", sa.String(64), primary_key=True),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("next", sa.Text, nullable=False),
    sa.Column("expires", sa.String(25), nullable=False, index=True),
)

session = sa.Table(
    "session",
    METADATA,
    # Who holds the id, whose digest this is, is signed in.
    sa.Column("id_sha256", sa.String(64), primary_key=True),
    sa.Column("subject", sa.String(800), sa.ForeignKey("person.subject"), nullable=False, index=True),
    sa.Column("browser", sa.String(200), nullable=False),
    sa.Column("started", sa.String(25), nullable=False),
    sa.Column("used", sa.String(25), nullable=False),
    sa.Column("expires", sa.String(25), nullable=False),
)

access_token = sa.Table(
    "access_token",
    METADATA,
    # Who presents the token, whose digest this is, may run studies as the person who made it.
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("subject", sa.String(800), sa.ForeignKey("person.subject"), nullable=False, index=True),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("made", sa.String(25), nullable=False),
    sa.Column("used", sa.String(25)),
    sa.Column("expires", sa.String(25), nullable=False),
)

role_grant = sa.Table(
    "role_grant",
    METADATA,
    # Never deleted: who gave and who took a role, and when, stays. An empty scope is the whole server.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("subject", sa.String(800), nullable=False),
    sa.Column("role", sa.String(30), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("organisation", sa.String(255), nullable=False),
    sa.Column("dataset", sa.String(100), nullable=False),
    sa.Column("granted", sa.String(25), nullable=False),
    sa.Column("granted_by", sa.String(200), nullable=False),
    sa.Column("revoked", sa.String(25)),
    sa.Column("revoked_by", sa.String(200)),
)

# Its condition on PostgreSQL is in the migration, which makes it: named here too, it would cost each start 50 ms for
# importing that dialect.
sa.Index(
    "role_grant_once",
    *(role_grant.c[name] for name in ("subject", "role", "country", "organisation", "dataset")),
    unique=True,
    sqlite_where=role_grant.c.revoked.is_(None),
)
