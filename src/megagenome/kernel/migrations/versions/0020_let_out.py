# SPDX-License-Identifier: Apache-2.0
"""The archive: what a file was before it became suspect, so that a whole one becomes that again."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the column."""
    op.add_column("archive_file", sa.Column("state_before", sa.String(20)))
