# SPDX-License-Identifier: Apache-2.0
"""`megagenome node citizen`: link, look, unlink."""

from pathlib import Path

import sqlalchemy as sa

from megagenome.app.node import open_node
from megagenome.collection import tables
from megagenome.collection.citizens import individual_of
from tests.journeys.nations import run


def test_a_person_is_linked_and_unlinked(loaded: Path) -> None:
    node = open_node(loaded)
    with node.collection.engine.connect() as connection:
        first = connection.scalars(sa.select(tables.individual.c.id).order_by(tables.individual.c.number)).first()
    run("node", "citizen", "link", loaded, "ada@https://idp", str(first))
    with node.collection.engine.connect() as connection:
        assert individual_of(connection, "ada@https://idp") == first
    run("node", "citizen", "unlink", loaded, "ada@https://idp")
    with node.collection.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.citizen)) == 0
    node.collection.close()
