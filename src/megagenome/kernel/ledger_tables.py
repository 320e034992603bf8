# SPDX-License-Identifier: Apache-2.0
"""The ledger's tables. The migrations in `kernel/migrations` make them; a test holds the two together.

Nothing is ever updated in `ledger_entry` and `ledger_head`, and nothing deleted.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

ledger_entry = sa.Table(
    "ledger_entry",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 ... without gaps
    sa.Column("time", sa.String(27), nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("actor", sa.String(32), nullable=False, index=True),
    sa.Column("dataset", sa.String(200), nullable=False, index=True),
    sa.Column("permit", sa.String(200), nullable=False, index=True),
    sa.Column("detail", sa.String(40), nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

ledger_head = sa.Table(
    "ledger_head",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False, index=True),
    sa.Column("token", sa.Text, nullable=False),
)

ledger_person = sa.Table(
    "ledger_person",
    METADATA,
    # Whom an entry's `actor` stands for. Rows may be erased; the chain does not know of them.
    sa.Column("actor", sa.String(32), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
)
