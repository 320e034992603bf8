# SPDX-License-Identifier: Apache-2.0
"""What was harvested, in the hub's database: the last good version of each description, and datasets made of them.

A dataset is made of its own description and those of the ways to it. What a catalogue lists no more is gone: its
descriptions are deleted, and what stays of a dataset is its title and identifiers, with the time.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
import sqlalchemy as sa

from megagenome.catalogue.harvest import tables as t
from megagenome.catalogue.harvest.model import Kind, Known, Outcome, Point, Read, Visited, dataset_id
from megagenome.catalogue.harvest.walk import Walked
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.standards.harvested import Described, Way

_AT_ONCE = 200
_LONGEST_VALUE = 200


class Store:
    """Records of harvesting. Safe to call from many threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def points(self) -> tuple[Point, ...]:
        """The catalogues that are harvested, nodes first."""
        order = sa.select(t.point).where(t.point.c.removed.is_(None)).order_by(t.point.c.node == "", t.point.c.name)
        with self.engine.connect() as connection:
            return tuple(map(_point, connection.execute(order)))

    def name_points(self, named: Iterable[Point], by: Sequence[str]) -> None:
        """These are the catalogues that are named by nodes and settings (`by`) now. Those that were and are no more are
        removed, and their datasets are gone. Writes only what changed."""
        with self.engine.connect() as connection:
            rows = {row.id: row for row in connection.execute(sa.select(t.point))}
        wanted = {point.id: point for point in named}
        added = [point for point in wanted.values() if point.id not in rows or not _is_same(rows[point.id], point)]
        left = [row for row in rows.values() if row.removed is None and row.named_by in by and row.id not in wanted]
        if not added and not left:
            return
        with begin_writing(self.engine) as connection:
            for point in added:
                _add_point(connection, point)
            for row in left:
                _remove_point(connection, _point(row))

    def add_point(self, point: Point) -> None:
        """Harvest a catalogue from now on."""
        with begin_writing(self.engine) as connection:
            _add_point(connection, point)

    def remove_point(self, point: Point) -> None:
        """Harvest a catalogue no more: its datasets are gone."""
        with begin_writing(self.engine) as connection:
            _remove_point(connection, point)

    def known(self, point: Point) -> dict[str, Known]:
        """All descriptions of a catalogue of which there is a good version, by address."""
        d = t.document.c
        size = sa.func.length(d.content).label("size")
        which = sa.select(d.address, d.kind, d.tag, d.modified, d.digest, d.children, size).where(d.point == point.id)
        with self.engine.connect() as connection:
            return {
                row.address: Known(
                    Kind(row.kind),
                    row.tag,
                    row.modified,
                    row.digest,
                    tuple(msgspec.json.decode(row.children)),
                    row.size,
                )
                for row in connection.execute(which.where(d.content != ""))
            }

    def keep(self, point: Point, visited: Sequence[Visited]) -> None:
        """Keep what was visited, in one transaction; what is the same as before costs nothing."""
        changed = [each for each in visited if each.outcome in (Outcome.READ, Outcome.FAULT)]
        with self.engine.connect() as connection:
            troubled = _troubled(connection, point)
        healed = [each.address for each in visited if each.outcome is Outcome.SAME and each.address in troubled]
        if not changed and not healed:
            return
        with begin_writing(self.engine) as connection:
            _keep(connection, point, changed)
            for part in _parts(healed):
                which = (t.document.c.point == point.id) & t.document.c.address.in_(part)
                connection.execute(sa.update(t.document).where(which).values(problem=""))

    def settle(self, point: Point, walked: Walked, gone: Iterable[str], began: str) -> None:
        """Make the datasets of a catalogue what its descriptions say now, and note how its harvest went.

        `gone` are addresses that its server said are no more. Datasets that are not listed are gone as well, if all
        that is listed was asked for.
        """
        with begin_writing(self.engine) as connection:
            row = connection.execute(sa.select(t.point).where(t.point.c.id == point.id)).one()
            if row.removed is not None:  # meanwhile; what was kept of it must not come back
                _remove_point(connection, point)
                return
            left = _unlisted(connection, point, walked) | set(gone)
            _forget(connection, point, left)
            _make_datasets(connection, point, row.succeeded)
            noted: dict[str, str] = {"tried": began, "problem": walked.problem[:4_000]}
            if walked.is_whole:
                noted["succeeded"] = stamp()
            connection.execute(sa.update(t.point).where(t.point.c.id == point.id).values(noted))

    def note_look(self, point: Point, succeeded: str) -> None:
        """A catalogue was asked and has nothing new."""
        which = (t.point.c.id == point.id) & (t.point.c.problem == "")
        with begin_writing(self.engine) as connection:
            connection.execute(sa.update(t.point).where(which).values(tried=succeeded, succeeded=succeeded))

    def note_failure(self, point: Point, began: str, problem: str) -> None:
        """A harvest failed as a whole."""
        with begin_writing(self.engine) as connection:
            which = t.point.c.id == point.id
            connection.execute(sa.update(t.point).where(which).values(tried=began, problem=problem[:4_000]))


def stamp() -> str:
    """This moment as text that sorts as time does."""
    return clock.now().isoformat(timespec="microseconds")


def folded(text: str) -> str:
    """A text as it is searched: without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _point(row: sa.Row[tuple[object, ...]]) -> Point:
    hosts = tuple(msgspec.json.decode(row.hosts))
    return Point(row.id, row.url, row.name, row.country, row.node, hosts, row.named_by)


def _is_same(row: sa.Row[tuple[object, ...]], point: Point) -> bool:
    return row.removed is None and _point(row) == point


def _add_point(connection: sa.Connection, point: Point) -> None:
    values = {
        "url": point.url,
        "name": point.name[:200],
        "country": point.country,
        "node": point.node,
        "hosts": msgspec.json.encode(point.hosts).decode(),
        "named_by": point.by,
        "removed": None,
    }
    which = t.point.c.id == point.id
    if not connection.execute(sa.update(t.point).where(which).values(values)).rowcount:
        new = {"id": point.id, "added": stamp(), "tried": "", "succeeded": "", "problem": ""}
        connection.execute(sa.insert(t.point).values({**values, **new}))


def _remove_point(connection: sa.Connection, point: Point) -> None:
    d = t.document.c
    addresses = set(connection.execute(sa.select(d.address).where(d.point == point.id)).scalars())
    _forget(connection, point, addresses)
    which = (t.point.c.id == point.id) & t.point.c.removed.is_(None)
    connection.execute(sa.update(t.point).where(which).values(removed=stamp()))


def _troubled(connection: sa.Connection, point: Point) -> frozenset[str]:
    d = t.document.c
    return frozenset(connection.execute(sa.select(d.address).where(d.point == point.id, d.problem != "")).scalars())


def _keep(connection: sa.Connection, point: Point, visited: Sequence[Visited]) -> None:
    d = t.document.c
    there: set[str] = set()
    for part in _parts(each.address for each in visited):
        which = sa.select(d.address).where(d.point == point.id, d.address.in_(part))
        there.update(connection.execute(which).scalars())
    new = [
        {**_EMPTY, **_values(each), "point": point.id, "address": each.address}
        for each in visited
        if each.address not in there
    ]
    if new:
        connection.execute(sa.insert(t.document), new)
    for each in visited:
        if each.address in there:
            which_one = (d.point == point.id) & (d.address == each.address)
            connection.execute(sa.update(t.document).where(which_one).values(_values(each)))


_EMPTY = {"kind": Kind.CONTAINER.value, "tag": "", "modified": "", "digest": "", "children": "[]", "content": ""}


def _values(visited: Visited) -> dict[str, str]:
    """What is kept of a description; where it could not be had, the reason beside what was there before."""
    if visited.read is None:
        return {"problem": visited.reason[:500]}
    return {
        "kind": visited.read.kind.value,
        "tag": visited.tag,
        "modified": visited.modified,
        "digest": visited.digest,
        "children": msgspec.json.encode(visited.read.children).decode(),
        "content": msgspec.json.encode(visited.read).decode(),
        "problem": "",
    }


def _unlisted(connection: sa.Connection, point: Point, walked: Walked) -> set[str]:
    """What is kept that is not listed now; where not all was asked for, of that what could never be read."""
    d = t.document.c
    kept = sa.select(d.address).where(d.point == point.id)
    if not walked.is_whole:
        kept = kept.where(d.content == "")
    return set(connection.execute(kept).scalars()) - walked.listed


def _forget(connection: sa.Connection, point: Point, addresses: set[str]) -> None:
    """Delete descriptions; of the datasets that they were of, leave that they were there."""
    for part in _parts(sorted(addresses)):
        which = (t.document.c.point == point.id) & t.document.c.address.in_(part)
        connection.execute(sa.delete(t.document).where(which))
        ids = [dataset_id(point, address) for address in part]
        connection.execute(sa.delete(t.facet).where(t.facet.c.dataset.in_(ids)))
        left = sa.select(t.dataset.c.id, t.dataset.c.content).where(t.dataset.c.id.in_(ids), t.dataset.c.gone.is_(None))
        for row in connection.execute(left).all():
            was = msgspec.json.decode(row.content, type=Described)
            content = Described(title=was.title, language=was.language, identifiers=was.identifiers)
            values = {"content": _text(content), "words": _words(content), "problem": "", "gone": stamp()}
            connection.execute(sa.update(t.dataset).where(t.dataset.c.id == row.id).values(values))


def _make_datasets(connection: sa.Connection, point: Point, seen_before: str) -> None:
    """Make each dataset of a catalogue of its descriptions, where it is not as they say."""
    ways, problems = _ways(connection, point), _problems(connection, point)
    there = {row.id: row for row in connection.execute(sa.select(t.dataset).where(t.dataset.c.point == point.id))}
    for address, read in _datasets(connection, point):
        if read.described is None:
            continue
        mine = tuple(ways[child] for child in read.children if child in ways) or read.described.ways
        described = msgspec.structs.replace(read.described, ways=mine)
        name, content = dataset_id(point, address), _text(described)
        row, problem = there.get(name), problems.get(address, "")
        if row is None or row.gone is not None or (row.content, row.address) != (content, address):
            _write_dataset(connection, point, address, described, is_new=row is None)
        elif row.problem != problem and problem:
            values = {"problem": problem, "seen": seen_before or row.seen}
            connection.execute(sa.update(t.dataset).where(t.dataset.c.id == name).values(values))
        elif row.problem != problem:
            connection.execute(sa.update(t.dataset).where(t.dataset.c.id == name).values(problem=""))


def _datasets(connection: sa.Connection, point: Point) -> Iterator[tuple[str, Read]]:
    d = t.document.c
    which = sa.select(d.address, d.content).where(d.point == point.id, d.kind == Kind.DATASET.value, d.content != "")
    addresses = connection.execute(which.with_only_columns(d.address)).scalars().all()
    for part in _parts(addresses):  # some MB at once
        for row in connection.execute(which.where(d.address.in_(part))).all():
            yield row.address, msgspec.json.decode(row.content, type=Read)


class _OfWay(msgspec.Struct):
    way: Way | None = None


def _ways(connection: sa.Connection, point: Point) -> dict[str, Way]:
    d = t.document.c
    kind = Kind.DISTRIBUTION.value
    which = sa.select(d.address, d.content).where(d.point == point.id, d.kind == kind, d.content != "")
    found = {row.address: msgspec.json.decode(row.content, type=_OfWay).way for row in connection.execute(which)}
    return {address: way for address, way in found.items() if way is not None}


def _problems(connection: sa.Connection, point: Point) -> Mapping[str, str]:
    d = t.document.c
    which = sa.select(d.address, d.problem).where(d.point == point.id, d.problem != "")
    return {row.address: row.problem for row in connection.execute(which)}


def _write_dataset(
    connection: sa.Connection, point: Point, address: str, described: Described, *, is_new: bool
) -> None:
    name, now = dataset_id(point, address), stamp()
    values = {
        "address": address,
        "title": title_of(described, address),
        "words": _words(described),
        "content": _text(described),
        "changed": now,
        "seen": now,
        "problem": "",
        "gone": None,
    }
    if is_new:
        connection.execute(sa.insert(t.dataset).values(**values, id=name, point=point.id, first_seen=now))
    else:
        connection.execute(sa.update(t.dataset).where(t.dataset.c.id == name).values(values))
        connection.execute(sa.delete(t.facet).where(t.facet.c.dataset == name))
    facets = [
        {"dataset": name, "name": facet, "value": value, "label": label} for facet, value, label in _facets(described)
    ]
    if facets:
        connection.execute(sa.insert(t.facet), facets)


def title_of(described: Described, address: str) -> str:
    """What a dataset is called, also where it does not say."""
    return (described.title or next(iter(described.identifiers), "") or address.rstrip("/").rpartition("/")[2])[:1_000]


def _facets(described: Described) -> Iterator[tuple[str, str, str]]:
    if described.access:
        yield "access", described.access, ""
    seen = set()
    for name, labelled in (("category", described.categories), ("use", described.uses)):
        for each in labelled:
            if (name, value := each.value[:_LONGEST_VALUE]) not in seen:
                seen.add((name, value))
                yield name, value, each.label[:_LONGEST_VALUE]


def _words(described: Described) -> str:
    parties = (described.publisher, described.creator, described.custodian)
    texts = (
        described.title,
        *described.identifiers,
        *described.keywords,
        *(each.label for each in described.categories),
        *(party.name for party in parties),
        described.population,
        described.description,
    )
    return folded("\n".join(texts))


def _text(described: Described) -> str:
    return msgspec.json.encode(described).decode()


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    left = iter(values)
    while part := list(islice(left, _AT_ONCE)):
        yield part
