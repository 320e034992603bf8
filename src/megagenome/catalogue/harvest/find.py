# SPDX-License-Identifier: Apache-2.0
"""Finding among harvested datasets: by words and facets, in the database; one of them; and where they come from."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.catalogue.harvest import tables as t
from megagenome.catalogue.harvest.model import Kind, Read, Statement
from megagenome.catalogue.harvest.store import folded
from megagenome.catalogue.model import ROOT
from megagenome.kernel.database import begin_snapshot
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.standards.dataset_fields import ACCESS_RIGHTS
from megagenome.standards.harvested import (
    FACETS,
    DatasetLine,
    DatasetList,
    DatasetView,
    Described,
    Facet,
    FacetValue,
    Source,
)

_MOST_WORDS, _LONGEST_QUESTION = 12, 500
_MOST_CHOSEN = 50
_SUMMARY = 300
_MOST_VALUES = 100
LARGEST_PAGE = 100

d, p, f = t.dataset.c, t.point.c, t.facet.c
_JOINED = t.dataset.join(t.point, d.point == p.id)
_ORDER = (sa.func.lower(d.title), d.id)
Condition = sa.ColumnElement[bool]


class Question(NamedTuple):
    """What is looked for: datasets that have all these words, and of each facet one of the values that are chosen.
    `is_gone`: those that are gone, of which there are only words."""

    words: tuple[str, ...] = ()
    chosen: Mapping[str, tuple[str, ...]] = {}
    is_gone: bool = False


class Resource(NamedTuple):
    """What is served again of a dataset: its source and address there, what the source calls it, and statements."""

    view: DatasetView
    subject: str
    statements: tuple[Statement, ...]


def question(text: str, chosen: Mapping[str, Sequence[str]], *, is_gone: bool = False) -> Question:
    """A question as it is typed. Raises `Invalid` for one that is longer than anybody types."""
    if len(text) > _LONGEST_QUESTION or sum(map(len, chosen.values())) > _MOST_CHOSEN:
        raise Invalid(f"look for at most {_LONGEST_QUESTION} letters and {_MOST_CHOSEN} values at once")
    if "\0" in text + "".join(value for values in chosen.values() for value in values):
        raise Invalid("look for text: there is a sign in it that no text has")
    words = tuple(dict.fromkeys(folded(text).split()))
    if len(words) > _MOST_WORDS:
        raise Invalid(f"look for at most {_MOST_WORDS} words at once")
    return Question(words, {name: tuple(values) for name, values in chosen.items() if values}, is_gone)


class Listed(NamedTuple):
    """The ids of a catalogue's datasets, and when one of them changed last, came or went; empty where none ever was."""

    datasets: tuple[str, ...]
    changed: str


class State(NamedTuple):
    """What a dataset's description is made of: where it is from, when it went, when it changed, and the digests of its
    own description and those of the ways to it."""

    source: str
    address: str
    gone: str
    changed: str
    digests: tuple[str, ...]


class Finder:
    """Answers from the hub's database. Safe to call from many threads. A question over 1,000 datasets takes some 40 ms,
    most of it for the numbers beside the facets."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, asked: Question, skip: int, limit: int) -> DatasetList:
        """The datasets that fit, by title, those first whose titles begin with what is looked for."""
        with begin_snapshot(self._engine) as connection:
            fits = _fits(asked)
            total = _count(connection, fits)
            known = _count(connection, [d.gone.is_(None)])
            begins = [sa.case((d.words.startswith(" ".join(asked.words), autoescape=True), 0), else_=1)]
            which = sa.select(t.dataset, p.country, p.node, p.name.label("source")).select_from(_JOINED).where(*fits)
            rows = connection.execute(which.order_by(*begins, *_ORDER).offset(skip).limit(limit)).all()
            facets = () if asked.is_gone else tuple(_facet(connection, name, asked) for name in FACETS)
            return DatasetList(total, known, skip, tuple(map(_line, rows)), facets, _sources(connection))

    def view(self, name: str) -> DatasetView:
        """One dataset. Raises `NotFound` for one that was never harvested."""
        with begin_snapshot(self._engine) as connection:
            return _view(connection, name)

    def resource(self, name: str) -> Resource:
        """One dataset with all that is said of it and of the ways to it. Raises `NotFound`."""
        with begin_snapshot(self._engine) as connection:
            view = _view(connection, name)
            which = (t.document.c.point == view.source.id) & (t.document.c.address == view.address)
            row = connection.execute(sa.select(t.document.c.content).where(which)).one_or_none()
            if view.gone or row is None or not row.content:
                return Resource(view, view.address, ())
            read = msgspec.json.decode(row.content, type=Read)
            return Resource(
                view, read.subject, (*read.statements, *_of_ways(connection, view.source.id, read.children))
            )

    def sources(self) -> tuple[Source, ...]:
        """The catalogues that are harvested now."""
        with begin_snapshot(self._engine) as connection:
            return _sources(connection)

    def listed(self, source: str) -> Listed:
        """The datasets of a catalogue."""
        which = sa.select(d.id).where(d.point == source, d.gone.is_(None)).order_by(*_ORDER)
        last = sa.select(sa.func.max(d.changed), sa.func.max(d.gone)).where(d.point == source)
        with begin_snapshot(self._engine) as connection:
            changed = max((each or "" for each in connection.execute(last).one()), default="")
            return Listed(tuple(connection.execute(which).scalars()), changed)

    def state(self, name: str) -> State:
        """What changes whenever `resource` does, without reading what is said. Raises `NotFound`."""
        with begin_snapshot(self._engine) as connection:
            which = sa.select(d.point, d.address, d.changed, d.gone).where(d.id == name)
            row = connection.execute(which).one_or_none()
            if row is None:
                raise NotFound("no dataset with this id was ever harvested here")
            c = t.document.c
            mine = (c.point == row.point) & (c.address == row.address)
            own = connection.execute(sa.select(c.digest, c.children).where(mine)).one_or_none()
            ways = msgspec.json.decode(own.children, type=tuple[str, ...])[:_MOST_VALUES] if own else ()
            of_ways = sa.select(c.digest).where(c.point == row.point, c.address.in_(ways)).order_by(c.address)
            below = connection.execute(of_ways).scalars()
            return State(row.point, row.address, row.gone or "", row.changed, (own.digest if own else "", *below))


def _fits(asked: Question, but: str = "") -> list[Condition]:
    """What holds of a dataset that fits, whatever its value of the facet `but`."""
    held: list[Condition] = [d.gone.is_not(None) if asked.is_gone else d.gone.is_(None)]
    held += [d.words.contains(word, autoescape=True) for word in asked.words]
    for name, values in asked.chosen.items():
        if name == but:
            continue
        if name == "country":
            held.append(p.country.in_(values))
        elif name == "source":
            held.append(p.id.in_(values))
        else:
            own = t.facet.alias().c  # of its own: the question around it may be over the same table
            held.append(sa.exists().where(own.dataset == d.id, own.name == name, own.value.in_(values)))
    return held


def _count(connection: sa.Connection, fits: Sequence[Condition]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(_JOINED).where(*fits)).scalar_one()


def _facet(connection: sa.Connection, name: str, asked: Question) -> Facet:
    fits, number = _fits(asked, name), sa.func.count().label("number")
    if name in ("country", "source"):
        value, label = (p.country, p.country) if name == "country" else (p.id, p.name)
        counted = sa.select(value.label("value"), label.label("label"), number).select_from(_JOINED).where(*fits)
        rows = connection.execute(counted.group_by(value, label)).all()
    else:
        joined = _JOINED.join(t.facet, f.dataset == d.id)
        counted = sa.select(f.value, sa.func.min(f.label).label("label"), number).select_from(joined)
        rows = connection.execute(counted.where(*fits, f.name == name).group_by(f.value)).all()
    chosen = asked.chosen.get(name, ())
    there = [FacetValue(row.value, _label(name, row), row.number, row.value in chosen) for row in rows]
    # what was chosen and fits nothing now can still be unchosen
    there += [FacetValue(each, each, 0, True) for each in chosen if each not in {row.value for row in rows}]
    there.sort(key=lambda each: (not each.is_chosen, -each.count, each.label.casefold(), each.value))
    return Facet(name, tuple(there[:_MOST_VALUES]))


def _label(name: str, row: sa.Row[Any]) -> str:
    return ACCESS_RIGHTS.get(row.value, row.value) if name == "access" else str(row.label)


def _line(row: sa.Row[Any]) -> DatasetLine:
    said = msgspec.json.decode(row.content, type=Described)
    return DatasetLine(
        id=row.id,
        title=row.title,
        summary=said.description if len(said.description) <= _SUMMARY else said.description[: _SUMMARY - 1] + "…",
        language=said.language,
        identifier=next(iter(said.identifiers), ""),
        access=said.access,
        uses=said.uses,
        people=said.people,
        country=row.country,
        source=row.source,
        is_of_node=bool(row.node),
        gone=row.gone or "",
    )


def _sources(connection: sa.Connection, only: str = "") -> tuple[Source, ...]:
    counted = sa.select(d.point, sa.func.count().label("number")).where(d.gone.is_(None)).group_by(d.point).subquery()
    which = sa.select(t.point, sa.func.coalesce(counted.c.number, 0).label("number")).select_from(
        t.point.outerjoin(counted, counted.c.point == p.id)
    )
    which = which.where(p.id == only) if only else which.where(p.removed.is_(None))
    rows = connection.execute(which.order_by(p.node == "", sa.func.lower(p.name), p.id))
    return tuple(
        Source(r.id, r.name, r.url, r.country, r.node, r.tried, r.succeeded, r.problem, r.number) for r in rows
    )


def _view(connection: sa.Connection, name: str) -> DatasetView:
    row = connection.execute(sa.select(t.dataset).where(d.id == name)).one_or_none()
    if row is None:
        raise NotFound("no dataset with this id was ever harvested here")
    [source] = _sources(connection, row.point)
    local = ""
    if source.node and row.address.startswith(f"{source.url}/dataset/"):
        local = row.address.removeprefix(f"{source.url.removesuffix(ROOT)}{ROOT}/dataset/")
    seen = row.seen if row.problem or row.gone else max(row.seen, source.succeeded)
    said = msgspec.json.decode(row.content, type=Described)
    return DatasetView(
        id=row.id,
        title=row.title,
        address=row.address,
        local=local,
        source=source,
        described=said,
        first_seen=row.first_seen,
        changed=row.changed,
        seen=seen,
        problem=row.problem,
        gone=row.gone or "",
    )


class _Statements(msgspec.Struct):
    kind: Kind
    statements: tuple[Statement, ...] = ()


def _of_ways(connection: sa.Connection, source: str, children: Sequence[str]) -> list[Statement]:
    c = t.document.c
    which = sa.select(c.content).where(c.point == source, c.address.in_(children[:_MOST_VALUES]), c.content != "")
    read = [
        msgspec.json.decode(content, type=_Statements)
        for content in connection.execute(which.order_by(c.address)).scalars()
    ]
    return [said for each in read if each.kind is Kind.DISTRIBUTION for said in each.statements]
