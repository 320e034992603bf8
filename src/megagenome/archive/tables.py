# SPDX-License-Identifier: Apache-2.0
"""The archive's tables. The migrations in `kernel/migrations` make them; a test holds the two together."""

import sqlalchemy as sa

METADATA = sa.MetaData()

file = sa.Table(
    "archive_file",
    METADATA,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("stem", sa.String(80), nullable=False, unique=True),  # of its blobs' keys (`names`)
    sa.Column("dataset", sa.String(100), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("format", sa.String(20), nullable=False),
    sa.Column("samples", sa.Text, nullable=False),  # a JSON list
    sa.Column("index_of", sa.String(20), index=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("md5", sa.String(32)),
    sa.Column("body_sha256", sa.String(64)),  # NULL before it was first verified
    sa.Column("prefix", sa.String(8), nullable=False),  # of its nonces, in hexadecimal
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("verified", sa.String(40), index=True),
    sa.Column("receipt", sa.Text),  # of its shredding, signed when nothing was left
    sa.Column("state_before", sa.String(20)),  # of a suspect file: what it was, and where it verifies is again
)

header = sa.Table(
    "archive_header",
    METADATA,
    # The data key of a file, in a Crypt4GH header for one of the node's recipient keys; two rows while keys rotate.
    sa.Column("file", sa.String(20), sa.ForeignKey("archive_file.id"), primary_key=True),
    sa.Column("key", sa.String(32), primary_key=True, index=True),  # the recipient key's fingerprint
    sa.Column("content", sa.LargeBinary, nullable=False),
)

attempt = sa.Table(
    "archive_attempt",
    METADATA,
    # Blobs that a worker is about to write: committed before the first of them, gone by the commit that makes the file.
    sa.Column("stem", sa.String(80), primary_key=True),
    sa.Column("file", sa.String(20), nullable=False, index=True),
    sa.Column("until", sa.String(40), nullable=False, index=True),
    sa.Column("given_up", sa.Boolean, nullable=False),  # nobody may finish it any more: its blobs are swept
)
