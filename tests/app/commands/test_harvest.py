# SPDX-License-Identifier: Apache-2.0
"""Catalogues elsewhere are named, harvested and removed by command."""

from pathlib import Path

from megagenome.app.hub import init_hub
from megagenome.cli.main import main
from tests.catalogue.harvest.foreign import serving_foreign
from tests.journeys.nations import run


def test_a_catalogue_is_added_harvested_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    init_hub(folder, name="Hub", identity="org.example.hub", port=0, assembly="GRCh38")
    with serving_foreign() as foreign:
        foreign.contain("a")
        foreign.dataset("a")
        url = f"{foreign.url}/"
        shown = run("hub", "harvest", folder, "--add", url, "--country", "PT", "--name", "Elsewhere", "--now")
        assert shown["datasets"] == 1
        [source] = shown["sources"]
        assert (source["name"], source["country"], source["problem"]) == ("Elsewhere", "PT", "")
    assert run("hub", "harvest", folder, "--remove", url)["sources"] == []
    assert main(["hub", "harvest", str(folder), "--remove", url]) == 3
    assert main(["hub", "harvest", str(folder), "--add", "ftp://example.org"]) == 2
