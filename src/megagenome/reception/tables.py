# SPDX-License-Identifier: Apache-2.0
"""Reception's tables. The migrations in `kernel/migrations` make them; a test holds the two together."""

import sqlalchemy as sa

METADATA = sa.MetaData()

submission = sa.Table(
    "reception_submission",
    METADATA,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("dataset", sa.String(100), nullable=False, index=True),
    sa.Column("subject", sa.String(800), nullable=False, index=True),  # who sends it
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("manifest", sa.Text, nullable=False),
    sa.Column("created", sa.String(40), nullable=False, index=True),
    sa.Column("changed", sa.String(40), nullable=False, index=True),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("decided_by", sa.String(800), nullable=False),
    sa.Column("decisions", sa.Integer, nullable=False),  # how often it was accepted: each is a job of its own
    sa.Column("report", sa.Text),  # JSON
    sa.Column("preview", sa.Text),  # JSON
    sa.Column("receipt", sa.Text),  # signed
)

file = sa.Table(
    "reception_file",
    METADATA,
    sa.Column("submission", sa.String(20), sa.ForeignKey("reception_submission.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # in the manifest
    sa.Column("file", sa.String(20), nullable=False, unique=True),  # its id in the archive, drawn before it is there
    sa.Column("parts", sa.Integer),  # NULL until all was sent
    sa.Column("archived", sa.String(40)),
)

part = sa.Table(
    "reception_part",
    METADATA,
    sa.Column("submission", sa.String(20), sa.ForeignKey("reception_submission.id"), primary_key=True),
    sa.Column("file", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(200), nullable=False, unique=True),  # of its blob
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
