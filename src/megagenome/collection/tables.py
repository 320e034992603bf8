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
    sa.Column("research_consent", sa.Boolean, nullable=False),
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
