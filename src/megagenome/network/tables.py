# SPDX-License-Identifier: Apache-2.0
"""Records of who joined whom, of hub and node alike. The migrations in `kernel/migrations` make them; a test holds the
two together. Times are ISO 8601 in UTC with microseconds, so that texts compare as times do."""

import sqlalchemy as sa

METADATA = sa.MetaData()

invitation = sa.Table(
    "network_invitation",
    METADATA,
    # At the hub. Only the secret's digest is here; `node` and `used` once a node took it up.
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("expires", sa.String(40), nullable=False),
    sa.Column("cancelled", sa.String(40)),
    sa.Column("used", sa.String(40)),
    sa.Column("node", sa.String(100)),
)

joined_node = sa.Table(
    "network_node",
    METADATA,
    # At the hub: nodes that joined, by their newest descriptor, and the keys that are believed.
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("beacon_path", sa.Text, nullable=False),
    sa.Column("descriptor", sa.Text, nullable=False),
    sa.Column("key_set", sa.Text, nullable=False),  # JSON Web Key Set
    sa.Column("joined", sa.String(40), nullable=False),
    sa.Column("removed", sa.String(40)),
    sa.Column("sent", sa.String(40), nullable=False),  # when, by the node's clock, it sent its newest message
    sa.Column("heard", sa.String(40)),  # when, by ours, that came
)

joined_hub = sa.Table(
    "network_hub",
    METADATA,
    # At a node: the one hub that it joined.
    sa.Column("only", sa.SmallInteger, primary_key=True, autoincrement=False),  # always 1
    sa.Column("id", sa.String(100), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("descriptor", sa.Text, nullable=False),
    sa.Column("key_set", sa.Text, nullable=False),  # JSON Web Key Set
    sa.Column("joined", sa.String(40), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),  # of the newest news that was taken
    sa.Column("heard", sa.String(40)),  # when the hub last answered
)
