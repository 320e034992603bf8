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
    # A set that a study told apart within its people (cases, a group of survival) is one, too: `is_group` then.
    # Personal data, of this node alone. Stays when one of them is erased: without it the next sum would show them.
    sa.Column("digest", sa.String(80), primary_key=True),
    sa.Column("people", sa.LargeBinary, nullable=False),  # the set's batches (collection.bitmap), as MessagePack
    sa.Column("since", sa.String(40), nullable=False),
    sa.Column("is_group", sa.Boolean, nullable=False, server_default=sa.false()),
)

study_part = sa.Table(
    "study_part",
    METADATA,
    # The people of each run that is not over, so that a node that is restarted goes on with the same.
    sa.Column("run", sa.String(100), primary_key=True),
    sa.Column("people", sa.String(80), sa.ForeignKey("study_people.digest"), nullable=False),
)

study_lent = sa.Table(
    "study_lent",
    METADATA,
    # With which sites sums of values were made of a run's people. Stays when the run is over: the same people with
    # nearly the same sites would show what the others' difference is.
    sa.Column("run", sa.String(100), primary_key=True),
    sa.Column("people", sa.String(80), primary_key=True),  # digest of the set; "" of open data
    sa.Column("sites", sa.Text, nullable=False),  # one a line, sorted
    sa.Column("is_opened", sa.Boolean, nullable=False),  # whether the hub must be believed to know such a sum
    sa.Column("has_ended", sa.Boolean, nullable=False),  # after such a sum, at this node, so that it begins no more
)
