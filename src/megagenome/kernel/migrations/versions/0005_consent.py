# SPDX-License-Identifier: Apache-2.0
"""Consent by kind of use, public numbers by release, tiers of datasets, permits.

A yes was one to research, by which counts were told, too: it becomes a yes to aggregates and to research. Whoever was
counted until now is in the public numbers.
"""

from collections import defaultdict

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_MEMBER_SET = sa.table(
    "member_set",
    sa.column("kind", sa.String),
    sa.column("key", sa.String),
    sa.column("batch", sa.Integer),
    sa.column("members", sa.LargeBinary),
)
_PLANE_BYTES = 8192


def upgrade() -> None:
    """Make the tables and convert what is stored."""
    op.drop_column("individual", "research_consent")
    op.add_column("dataset", sa.Column("alleles_tier", sa.String(20), nullable=False, server_default="public"))
    op.add_column("dataset", sa.Column("people_tier", sa.String(20), nullable=False, server_default="registered"))
    op.execute("UPDATE dataset SET people_tier = 'public' WHERE open")
    _make_consent()
    _make_permits()
    _convert_consent(op.get_bind())


def _make_consent() -> None:
    op.create_table(
        "tier_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), nullable=False),
        sa.Column("alleles_tier", sa.String(20), nullable=False),
        sa.Column("people_tier", sa.String(20), nullable=False),
        sa.Column("by", sa.String(600), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "consent_act",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), nullable=False, index=True),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("uses", sa.String(200), nullable=False),
        sa.Column("by", sa.String(600), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_table(
        "leaver",
        sa.Column(
            "individual", sa.BigInteger, sa.ForeignKey("individual.number"), primary_key=True, autoincrement=False
        ),
        sa.Column("since", sa.String(40), nullable=False),
    )
    op.create_table(
        "told_before",
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("population", sa.String(100), primary_key=True),
        sa.Column("sex", sa.String(10), primary_key=True),
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
    )


def _make_permits() -> None:
    op.create_table(
        "permit",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(100), nullable=False),
        sa.Column("cohort", sa.String(100), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("uses", sa.String(200), nullable=False),
        sa.Column("not_before", sa.String(40), nullable=False),
        sa.Column("expires", sa.String(40), nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("stored", sa.String(40), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "permit_person",
        sa.Column("permit", sa.String(200), sa.ForeignKey("permit.id"), primary_key=True),
        sa.Column("subject", sa.String(600), primary_key=True),
    )
    op.create_table(
        "permit_dataset",
        sa.Column("permit", sa.String(200), sa.ForeignKey("permit.id"), primary_key=True),
        sa.Column("dataset", sa.String(100), primary_key=True),
        sa.Column("countersignature", sa.Text, nullable=False),
        sa.Column("taken_back", sa.String(40)),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "permit_state",
        sa.Column("permit", sa.String(200), primary_key=True),
        sa.Column("authority", sa.String(10), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changed", sa.String(40), nullable=False),
    )


def _convert_consent(connection: sa.Connection) -> None:
    """Sets are converted here with the codec as it is now, because migrations outlive the code."""
    table = _MEMBER_SET.c
    stored = connection.execute(sa.select(_MEMBER_SET).where(table.kind.in_(("consented", "consent", "dataset")))).all()
    by_kind: dict[str, dict[tuple[str, int], bytes]] = defaultdict(dict)
    for kind, key, batch, members in stored:
        by_kind[kind][key, batch] = members
    rows: list[tuple[str, str, int, bytes]] = []
    for (dataset, batch), members in by_kind["consented"].items():
        rows += [("consented", f"{use}/{dataset}", batch, members) for use in ("aggregates", "research")]
    for (_, batch), members in by_kind["consent"].items():
        rows.append(("consent", "aggregates", batch, members))
    for (dataset, batch), members in by_kind["dataset"].items():
        counted = _bits(members) & _bits(by_kind["consent"].get(("research", batch), b""))
        if counted.any():
            rows.append(("released", dataset, batch, _encode(counted)))
    connection.execute(sa.delete(_MEMBER_SET).where(table.kind == "consented"))
    if rows:
        names = ("kind", "key", "batch", "members")
        connection.execute(sa.insert(_MEMBER_SET), [dict(zip(names, row, strict=True)) for row in rows])
        op.execute("UPDATE collection_version SET version = version + 1")


def _bits(members: bytes) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    if len(members) == _PLANE_BYTES:
        return np.unpackbits(np.frombuffer(members, np.uint8), bitorder="little").astype(np.bool_)
    bits = np.zeros(8 * _PLANE_BYTES, np.bool_)
    bits[np.frombuffer(members, "<u2")] = True
    return bits


def _encode(bits: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> bytes:
    members = np.flatnonzero(bits)
    if len(members) < _PLANE_BYTES // 2:
        return members.astype("<u2").tobytes()
    return np.packbits(bits, bitorder="little").tobytes()
