# SPDX-License-Identifier: Apache-2.0
"""Who joined whom; what nodes are told of applications, what they propose to their deciders and send back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    _network()
    _access()


def _network() -> None:
    op.create_table(
        "network_invitation",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("expires", sa.String(40), nullable=False),
        sa.Column("cancelled", sa.String(40)),
        sa.Column("used", sa.String(40)),
        sa.Column("node", sa.String(100)),
    )
    op.create_table(
        "network_node",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("beacon_path", sa.Text, nullable=False),
        sa.Column("descriptor", sa.Text, nullable=False),
        sa.Column("key_set", sa.Text, nullable=False),
        sa.Column("joined", sa.String(40), nullable=False),
        sa.Column("removed", sa.String(40)),
        sa.Column("sent", sa.String(40), nullable=False),
        sa.Column("heard", sa.String(40)),
    )
    op.create_table(
        "network_hub",
        sa.Column("only", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("descriptor", sa.Text, nullable=False),
        sa.Column("key_set", sa.Text, nullable=False),
        sa.Column("joined", sa.String(40), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("heard", sa.String(40)),
    )


def _access() -> None:
    op.create_table(
        "access_news",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), nullable=False, index=True),
        sa.Column("permit", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20)),
        sa.Column("country", sa.String(2)),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "access_proposal",
        sa.Column("permit", sa.String(100), primary_key=True),
        sa.Column("hub", sa.String(100), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("requested_at", sa.String(40), nullable=False),
        sa.Column("decide_by", sa.String(40), nullable=False, index=True),
        sa.Column("received", sa.String(40), nullable=False),
    )
    op.create_table(
        "access_proposal_part",
        sa.Column("permit", sa.String(100), sa.ForeignKey("access_proposal.permit"), primary_key=True),
        sa.Column("dataset", sa.String(100), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("changed", sa.String(40), nullable=False),
    )
    op.create_table(
        "access_decision",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("permit", sa.String(100), sa.ForeignKey("access_proposal.permit"), nullable=False, index=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("decided_at", sa.String(40), nullable=False),
        sa.Column("acknowledged", sa.String(40), index=True),
        sa.Column("refusal", sa.Text, nullable=False),
    )
    op.create_table(
        "access_permit_told",
        sa.Column("permit", sa.String(100), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
