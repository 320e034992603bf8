# SPDX-License-Identifier: Apache-2.0
"""Every setting, command and route stands in docs/, and every link there leads somewhere.

They are found by walking the code, so that a new one without documentation fails here.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cyclopts import App
from litestar import Litestar

from megagenome.app.hub import init_hub, open_hub
from megagenome.app.hub_app import hub_app
from megagenome.app.node import init_node, open_node
from megagenome.app.node_app import node_app
from megagenome.app.settings import HubSettings, NodeSettings
from megagenome.cli.main import app as command_line
from megagenome.identity.model import Code
from megagenome.identity.trust_settings import TrustSettings

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

ROLES = ("demo", "node", "hub", "ask", "passport", "study", "synth", "crypt4gh", "send")


def node_routes(folder: Path) -> Litestar:
    init_node(folder, country="EE", name="", identity="", port=0)
    return node_app(open_node(folder))


def hub_routes(folder: Path) -> Litestar:
    init_hub(folder, name="Hub", identity="org.example.hub", port=0, assembly="GRCh38")
    return hub_app(open_hub(folder))


APPLICATIONS: list[Callable[[Path], Litestar]] = [node_routes, hub_routes]


def commands(app: App, name: str) -> Iterator[str]:
    """All commands below `app` that do something, as they are typed."""
    below = [child for child in app if not child.startswith("-")]
    if app.default_command is not None:
        yield name
    for child in below:
        yield from commands(app[child], f"{name} {child}")


def settings(cls: type[msgspec.Struct]) -> Iterator[str]:
    """All settings of a file, as `table.key`, also those of lists of tables."""
    for table in msgspec.structs.fields(cls):
        kinds = [table.type, *getattr(table.type, "__args__", ())]
        [kind] = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        yield from (f"{table.name}.{field.name}" for field in msgspec.structs.fields(kind))


def is_documented(code: str) -> bool:
    """Whether it stands somewhere between backticks, alone or with what follows after a blank or `?`."""
    return re.search(rf"`{re.escape(code)}[`? ]", TEXT) is not None


@pytest.mark.parametrize(
    ("cls", "one"), [(NodeSettings, "server.port"), (HubSettings, "server.port"), (TrustSettings, "keys.max_age_s")]
)
def test_every_setting_is_documented(cls: type[msgspec.Struct], one: str) -> None:
    found = list(settings(cls))
    assert one in found
    assert [setting for setting in found if not is_documented(setting)] == []


def test_every_reason_of_a_passport_decision_is_documented() -> None:
    assert [code for code in Code if not is_documented(code)] == []


@pytest.mark.parametrize("role", ROLES)
def test_every_command_is_documented(role: str) -> None:
    found = list(commands(command_line[role], f"megagenome {role}"))
    assert found
    assert [command for command in found if not is_documented(command)] == []


@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.__name__)
def test_every_route_is_documented(application: Callable[[Path], Litestar], tmp_path: Path) -> None:
    paths = {route.path for route in application(tmp_path).routes}
    # what takes every other path is the answer to nonsense, and no route
    named = sorted(re.sub(r"\{(\w+):\w+\}", r"{\1}", path) for path in paths if not path.endswith(":path}"))
    assert len(named) > 2
    assert [path for path in named if not is_documented(path)] == []


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path), link


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_map_names_files_that_are_there() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Where things are")[2]
    rows = [line for line in text.partition("## Decisions")[0].splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    for row in rows:
        folder = ""
        for name in re.findall(r"`([a-z_/]+/|[a-z_/*]+[.](?:py|c))`", row):
            place = name if "/" in name else f"{folder}/{name}".removeprefix("/")
            folder = place.rpartition("/")[0]
            assert list((ROOT / "src/megagenome").glob(place.rstrip("/"))), f"{place}, in {row}"
