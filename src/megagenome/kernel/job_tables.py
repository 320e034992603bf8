# SPDX-License-Identifier: Apache-2.0
"""The table of jobs. The migrations in `kernel/migrations` make it; a test holds the two together."""

import sqlalchemy as sa

METADATA = sa.MetaData()

job = sa.Table(
    "job",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("arguments", sa.Text, nullable=False),  # JSON
    sa.Column("state", sa.String(10), nullable=False),  # waiting, running, done or failed
    sa.Column("attempt", sa.Integer, nullable=False),  # how often it was begun
    sa.Column("not_before_ms", sa.BigInteger, nullable=False),  # of who waits, since 1970
    sa.Column("lease_until_ms", sa.BigInteger, nullable=False),  # of who runs or ran last, since 1970
    sa.Column("lease_owner", sa.String(100), nullable=False),
    sa.Column("failure", sa.Text, nullable=False),  # what the last attempt failed of
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("kind", "key"),
    sa.Index("job_by_state", "state", "not_before_ms"),
)
