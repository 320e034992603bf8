# SPDX-License-Identifier: Apache-2.0
"""Records of harvesting, at the hub. The migrations in `kernel/migrations` make them; a test holds the two together.
Times are ISO 8601 in UTC with microseconds."""

import sqlalchemy as sa

METADATA = sa.MetaData()

point = sa.Table(
    "harvest_point",
    METADATA,
    # A catalogue; `removed` once nobody names it any more.
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("url", sa.String(1000), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("node", sa.String(200), nullable=False),
    sa.Column("hosts", sa.Text, nullable=False),  # a JSON list
    sa.Column("named_by", sa.String(10), nullable=False),
    sa.Column("added", sa.String(40), nullable=False),
    sa.Column("removed", sa.String(40)),
    sa.Column("tried", sa.String(40), nullable=False),
    sa.Column("succeeded", sa.String(40), nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
)

document = sa.Table(
    "harvest_document",
    METADATA,
    # The last good version of each description of a catalogue that is listed; empty content: there was none yet.
    sa.Column("point", sa.String(16), sa.ForeignKey("harvest_point.id"), primary_key=True),
    sa.Column("address", sa.String(2000), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("modified", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("children", sa.Text, nullable=False),  # a JSON list
    sa.Column("content", sa.Text, nullable=False),  # JSON of harvest.model.Read
    sa.Column("problem", sa.Text, nullable=False),
)

dataset = sa.Table(
    "harvest_dataset",
    METADATA,
    # Each dataset that was ever harvested; of one that is `gone` the content has its title and identifiers only.
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("point", sa.String(16), sa.ForeignKey("harvest_point.id"), nullable=False, index=True),
    sa.Column("address", sa.String(2000), nullable=False),
    sa.Column("title", sa.String(1000), nullable=False),
    sa.Column("words", sa.Text, nullable=False),  # what is searched, folded
    sa.Column("content", sa.Text, nullable=False),  # JSON of standards.harvested.Described
    sa.Column("first_seen", sa.String(40), nullable=False),
    sa.Column("changed", sa.String(40), nullable=False),
    sa.Column("seen", sa.String(40), nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("gone", sa.String(40)),
)

facet = sa.Table(
    "harvest_facet",
    METADATA,
    # What a dataset that is not gone can be found by.
    sa.Column("dataset", sa.String(16), sa.ForeignKey("harvest_dataset.id"), primary_key=True),
    sa.Column("name", sa.String(20), primary_key=True),
    sa.Column("value", sa.String(200), primary_key=True),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Index("harvest_facet_value", "name", "value"),
)
