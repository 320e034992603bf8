# SPDX-License-Identifier: Apache-2.0
"""Records of studies at a node. The migrations in `kernel/migrations` make them; a test holds the two together."""

import sqlalchemy as sa

METADATA = sa.MetaData()

study_peer = sa.Table(
    "study_peer",
    METADATA,
    # The key of each other node, by its thumbprint, as the first study named it that this node took part in.
    sa.Column("node", sa.String(200), primary_key=True),
    sa.Column("key", sa.String(100), nullable=False),
    sa.Column("since", sa.String(40), nullable=False),
)

study_people = sa.Table(
    "study_people",
    METADATA,
    # Each set of this node's people of whom a sum left, once: what later studies must be the same as, or far from.
    # Personal data, of this node alone. Stays when one of them is erased: without it the next sum would show them.
    sa.Column("digest", sa.String(80), primary_key=True),
    sa.Column("people", sa.LargeBinary, nullable=False),  # the set's batches (collection.bitmap), as MessagePack
    sa.Column("since", sa.String(40), nullable=False),
)

study_part = sa.Table(
    "study_part",
    METADATA,
    # The people of each run that is not over, so that a node that is restarted goes on with the same.
    sa.Column("run", sa.String(100), primary_key=True),
    sa.Column("people", sa.String(80), sa.ForeignKey("study_people.digest"), nullable=False),
)
