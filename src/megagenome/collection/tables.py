# SPDX-License-Identifier: Apache-2.0
"""The collection's records. The migrations in `kernel/migrations` make them; a test holds the two together."""

import sqlalchemy as sa

METADATA = sa.MetaData()

collection_version = sa.Table(
    "collection_version",
    METADATA,
    # One row; each change of people, genotypes or datasets adds 1 in its own transaction.
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
)

dataset = sa.Table(
    "dataset",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(100), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("floor", sa.Integer, nullable=False),
    sa.Column("collection_year", sa.Integer),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("alleles_tier", sa.String(20), nullable=False, server_default="public"),
    sa.Column("people_tier", sa.String(20), nullable=False, server_default="registered"),
    # When it was published last, "" for never; it stays when the dataset is withdrawn, so that this can be told.
    sa.Column("published", sa.String(40), nullable=False, server_default=""),
)

dataset_record = sa.Table(
    "dataset_record",
    METADATA,
    # Metadata and governance. A row never changes; the newest that is no draft is the one that is served.
    sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),  # from 1
    sa.Column("draft", sa.Boolean, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # JSON of DatasetRecord
    sa.Column("by", sa.String(600), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)

tier_change = sa.Table(
    "tier_change",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), nullable=False),
    sa.Column("alleles_tier", sa.String(20), nullable=False),
    sa.Column("people_tier", sa.String(20), nullable=False),
    sa.Column("by", sa.String(600), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)

individual = sa.Table(
    "individual",
    METADATA,
    # 0..n-1 without gaps: the person's place in every bitmap and their column in every tile.
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(200), nullable=False, unique=True),
    sa.Column("sex", sa.String(10), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("population", sa.String(100), nullable=False),
    sa.Column("birth_year", sa.Integer),
)

biosample = sa.Table(
    "biosample",
    METADATA,
    sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), primary_key=True),
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), nullable=False, index=True),
)

fact = sa.Table(
    "fact",
    METADATA,
    sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),  # phenotype, disease, measure, custom
    sa.Column("term", sa.String(200), primary_key=True),
    sa.Column("status", sa.String(10), nullable=False),  # observed, excluded; unrecorded has no row
    sa.Column("value", sa.Text),
    sa.Column("unit", sa.String(100)),
    sa.Column("time", sa.String(40), primary_key=True),  # "" where unrecorded; a measure repeats at other times
)

term = sa.Table(
    "term",
    METADATA,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
)

member_set = sa.Table(
    "member_set",
    METADATA,
    # A set of individuals in the bitmap codec, one row per batch that has members.
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("key", sa.String(300), primary_key=True),
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("members", sa.LargeBinary, nullable=False),
)

load = sa.Table(
    "load",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("report", sa.Text, nullable=False),  # JSON of LoadReport
)

pack = sa.Table(
    "pack",
    METADATA,
    # The manifest: a pack that has no row here does not exist.
    sa.Column("load", sa.String(40), sa.ForeignKey("load.id"), primary_key=True),
    sa.Column("assembly", sa.String(20), primary_key=True),
    sa.Column("contig", sa.String(100), primary_key=True),
    sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), nullable=False),
    sa.Column("genotypes_size_bytes", sa.BigInteger, nullable=False),
    sa.Column("genotypes_sha256", sa.String(64), nullable=False),
    sa.Column("counted_by", sa.String(40), nullable=False),
    sa.Column("counts_size_bytes", sa.BigInteger, nullable=False),
    sa.Column("counts_sha256", sa.String(64), nullable=False),
)

pack_member = sa.Table(
    "pack_member",
    METADATA,
    # Whose genotypes a pack holds, in the bitmap codec.
    sa.Column("load", sa.String(40), sa.ForeignKey("load.id"), primary_key=True),
    sa.Column("assembly", sa.String(20), primary_key=True),
    sa.Column("contig", sa.String(100), primary_key=True),
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("members", sa.LargeBinary, nullable=False),
)

consent_act = sa.Table(
    "consent_act",
    METADATA,
    # What a person said at this node, or somebody for them. Never changed; what holds now is in `member_set`.
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), nullable=False, index=True),
    sa.Column("act", sa.String(20), nullable=False),
    sa.Column("uses", sa.String(200), nullable=False),  # joined by ";"
    sa.Column("by", sa.String(600), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)

citizen = sa.Table(
    "citizen",
    METADATA,
    # Which individual somebody is who signs in here, by the word of the node's operator.
    sa.Column("subject", sa.String(600), primary_key=True),
    sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), nullable=False, unique=True),
    sa.Column("linked", sa.String(40), nullable=False),
    sa.Column("linked_by", sa.String(600), nullable=False),
)

leaver = sa.Table(
    "leaver",
    METADATA,
    # Who is in the public numbers and no longer consents to it, and since when they wait for a release.
    sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), primary_key=True, autoincrement=False),
    sa.Column("since", sa.String(40), nullable=False),
)

told_before = sa.Table(
    "told_before",
    METADATA,
    # Who was in the public numbers of a dataset, by stratum, in each state that was published and is no more.
    sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the state, from 0
    sa.Column("country", sa.String(2), primary_key=True),
    sa.Column("population", sa.String(100), primary_key=True),
    sa.Column("sex", sa.String(10), primary_key=True),
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("members", sa.LargeBinary, nullable=False),
)

permit = sa.Table(
    "permit",
    METADATA,
    # Permits that this node countersigned. A row never changes.
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("digest", sa.String(100), nullable=False),
    sa.Column("cohort", sa.String(100), nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # canonical JSON
    sa.Column("uses", sa.String(200), nullable=False),  # joined by ";"
    sa.Column("not_before", sa.String(40), nullable=False),
    sa.Column("expires", sa.String(40), nullable=False),
    sa.Column("conditions", sa.Text, nullable=False),
    sa.Column("stored", sa.String(40), nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # pseudonyms of individuals are made with it
)

permit_person = sa.Table(
    "permit_person",
    METADATA,
    sa.Column("permit", sa.String(200), sa.ForeignKey("permit.id"), primary_key=True),
    sa.Column("subject", sa.String(600), primary_key=True),
)

permit_dataset = sa.Table(
    "permit_dataset",
    METADATA,
    # Each dataset of this node that its country approved, with the node's own signed decision; one that it took back
    # stays, so that it never comes back.
    sa.Column("permit", sa.String(200), sa.ForeignKey("permit.id"), primary_key=True),
    sa.Column("dataset", sa.String(100), primary_key=True),
    sa.Column("countersignature", sa.Text, nullable=False),
    sa.Column("taken_back", sa.String(40)),
    sa.Column("reason", sa.Text, nullable=False),
)

permit_state = sa.Table(
    "permit_state",
    METADATA,
    # What the hub and what this node last said of a permit, also of one that is not here (yet).
    sa.Column("permit", sa.String(200), primary_key=True),
    sa.Column("authority", sa.String(10), primary_key=True),  # hub, node
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed", sa.String(40), nullable=False),
)
