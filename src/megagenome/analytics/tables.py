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
