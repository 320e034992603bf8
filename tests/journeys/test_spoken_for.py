# SPDX-License-Identifier: Apache-2.0
"""What a node tells a person of its network whom the hub speaks for, and not the public: over real processes."""

from pathlib import Path

from megagenome.kernel.callers import Role
from tests.journeys.network import Served, megagenome, serving
from tests.journeys.signed_in import Person, grant
from tests.journeys.small import load_options
from tests.journeys.test_joining import asked, eventually, invitation, make_hub, make_node


def people_told(hub: Served, who: Person | None = None) -> tuple[str, int | None]:
    """How the node answers how many women it has, and how many."""
    path = "/api/cohort"
    answer = (
        who.get(f"{path}?q=sex%3Dfemale&assembly=GRCh37") if who else hub.get(path, q="sex=female", assembly="GRCh37")
    )
    [node] = answer["nodes"]
    return node["status"], node["count"]


def test_registered_people_are_told_more_than_the_public(tmp_path: Path) -> None:
    hub_folder, node_folder = make_hub(tmp_path / "hub"), make_node(tmp_path / "fi", "FI")
    megagenome("node", "load", node_folder, *load_options(tmp_path / "files", "FI"))
    megagenome("node", "dataset", node_folder, "FI-SMALL", "tier", "--people", "registered")
    grant(hub_folder, "Ada", Role.RESEARCHER, organisation="Tartu")
    with (
        serving("hub", [hub_folder], own_ports=True) as [hub],
        serving("node", [node_folder], own_ports=True) as [node],
    ):
        megagenome("node", "join", node_folder, invitation(hub_folder, "FI"))
        eventually(lambda: asked(hub) == {"node.fi"}, "the hub does not ask the node that joined")
        ada, bob = Person(hub, "Ada", accepts_terms=True), Person(hub, "Bob")
        assert people_told(hub, ada)[1] == 3
        for public in (None, bob):
            assert people_told(hub, public)[1] in (None, 0)
        # a passport that somebody made up is refused, and not taken for the public
        forged = node.client.get("/beacon/v2/info", headers={"authorization": "Bearer a.b.c"})
        assert forged.status_code == 401
