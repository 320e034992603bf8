# SPDX-License-Identifier: Apache-2.0
"""The records of access. The migrations in `kernel/migrations` make them; a test holds the two together.

`access_event` is the truth, append-only. `access_person`, `access_text` and `access_cohort` hold what is personal and
can be erased. All else is made from these (`projection`), in the same transaction, and can be made again.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

person = sa.Table(
    "access_person",
    METADATA,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("subject", sa.Text, unique=True),  # NULL when erased
    sa.Column("name", sa.Text, nullable=False),
)

application = sa.Table(
    "access_application",
    METADATA,
    # One row per application: what lists show, and the lock under which its events are appended.
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("applicant", sa.String(40), nullable=False, index=True),
    sa.Column("organisation", sa.String(300), nullable=False),
    sa.Column("title", sa.Text, nullable=False),  # personal: empty when erased
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("reached", sa.SmallInteger, nullable=False),  # Reach: which desks it came to
    sa.Column("due", sa.String(40)),  # of the clock that is due first
    sa.Column("clock", sa.String(20)),
    sa.Column("overdue", sa.Boolean, nullable=False),  # a clock fired and what it was for has not happened
    sa.Column("permit", sa.String(40), unique=True),
    sa.Column("permit_digest", sa.String(80)),
    sa.Column("permit_state", sa.String(20), index=True),  # NULL before a country was asked
    sa.Index("access_application_desk", "state", "due"),
    sa.Index("access_application_due", "due"),
)

event = sa.Table(
    "access_event",
    METADATA,
    sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON of events.Event
    # of this event and the digest of the one before, so that a changed past shows
    sa.Column("sha256", sa.String(64), nullable=False),
)

text = sa.Table(
    "access_text",
    METADATA,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), nullable=False, index=True),
    sa.Column("author", sa.String(40), nullable=False, index=True),
    sa.Column("salt", sa.String(40)),  # NULL with `content` when erased
    sa.Column("content", sa.Text),
)

participant = sa.Table(
    "access_participant",
    METADATA,
    sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True, index=True),
    sa.Column("is_present", sa.Boolean, nullable=False),  # False: was a member
)

part = sa.Table(
    "access_part",
    METADATA,
    sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), primary_key=True),
    sa.Column("node", sa.String(100), primary_key=True),
    sa.Column("dataset", sa.String(100), primary_key=True),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("due", sa.String(40)),  # when its country's window ends
    sa.Index("access_part_desk", "country", "state", "due"),
)

command = sa.Table(
    "access_command",
    METADATA,
    # What was done, by its sender's id for it: the same command again is answered from here.
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("told", sa.Text, nullable=False),  # JSON of what the sender was told: ids that were made
)

cohort = sa.Table(
    "access_cohort",
    METADATA,
    # What people saved for themselves; `id` is the digest of `definition`. Applications keep copies, never references.
    sa.Column("owner", sa.String(40), sa.ForeignKey("access_person.key"), primary_key=True),
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),  # the text by which it is asked again
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),  # JSON: what each node told when it was saved
    sa.Column("saved", sa.String(40), nullable=False),
)

news = sa.Table(
    "access_news",
    METADATA,
    # At the hub: what nodes are to be told, in the order in which it happened. Either the permit's new state, or that a
    # country was asked.
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), nullable=False, index=True),
    sa.Column("permit", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20)),
    sa.Column("country", sa.String(2)),
    sa.Column("at", sa.String(40), nullable=False),
)

# At a node

proposal = sa.Table(
    "access_proposal",
    METADATA,
    # What the hub asked this node's country, newest request of each permit; `token` is as the hub signed it.
    sa.Column("permit", sa.String(100), primary_key=True),
    sa.Column("hub", sa.String(100), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("requested_at", sa.String(40), nullable=False),
    sa.Column("decide_by", sa.String(40), nullable=False, index=True),
    sa.Column("received", sa.String(40), nullable=False),
)

proposal_part = sa.Table(
    "access_proposal_part",
    METADATA,
    sa.Column("permit", sa.String(100), sa.ForeignKey("access_proposal.permit"), primary_key=True),
    sa.Column("dataset", sa.String(100), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("changed", sa.String(40), nullable=False),
)

decision = sa.Table(
    "access_decision",
    METADATA,
    # What this node's country decided, as this node signed it, in order; sent until the hub acknowledged it.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("permit", sa.String(100), sa.ForeignKey("access_proposal.permit"), nullable=False, index=True),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("decided_at", sa.String(40), nullable=False),
    sa.Column("acknowledged", sa.String(40), index=True),
    sa.Column("refusal", sa.Text, nullable=False),  # why the hub did not take it; empty where it did
)

permit_told = sa.Table(
    "access_permit_told",
    METADATA,
    # What the hub last said of a permit, also of one that was never proposed here.
    sa.Column("permit", sa.String(100), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)
