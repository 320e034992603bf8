# SPDX-License-Identifier: Apache-2.0
"""Records of studies at the hub. The migrations in `kernel/migrations` make them; a test holds the two together.

No vector of one node is ever here, masked or not: they are in memory until their sum is opened.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

study_run = sa.Table(
    "study_run",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.String(600), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("permit", sa.String(200), nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),  # canonical JSON
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("restarts", sa.Integer, nullable=False),
    sa.Column("people", sa.BigInteger),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("ended", sa.String(40), nullable=False),
    sa.Column("result", sa.LargeBinary),
)

study_site = sa.Table(
    "study_site",
    METADATA,
    sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
    sa.Column("node", sa.String(200), primary_key=True),
    sa.Column("taking_part", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("terms", sa.Text, nullable=False),  # JSON of standards.study_exchange.Terms; "" before it agreed
    sa.Column("up_bytes", sa.BigInteger, nullable=False),
    sa.Column("down_bytes", sa.BigInteger, nullable=False),
)

study_sum = sa.Table(
    "study_sum",
    METADATA,
    # What was opened of each round in the present epoch, from which a run is taken up again.
    sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("asked", sa.String(80), nullable=False),  # digest of what was asked
    sa.Column("opened", sa.LargeBinary, nullable=False),
)

study_node = sa.Table(
    "study_node",
    METADATA,
    # When, by a node's clock, it sent its newest message: none is taken twice.
    sa.Column("node", sa.String(200), primary_key=True),
    sa.Column("sent", sa.String(40), nullable=False),
)

study_round = sa.Table(
    "study_round",
    METADATA,
    # What each round was that was opened, also in epochs that were given up: for the receipt. None of its numbers.
    sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("facts", sa.Text, nullable=False),  # JSON of standards.study_receipt.RoundFacts
)

study_release = sa.Table(
    "study_release",
    METADATA,
    # How each result came to be told, or what it waits for.
    sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),  # JSON of standards.study_receipt.Release
)
