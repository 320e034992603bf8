# SPDX-License-Identifier: Apache-2.0
"""What the network's Beacon says of itself."""

from typing import Any

from megagenome.network import describe
from megagenome.network.settings import HubIdentity
from tests.network.hub import Serving, asking


def test_the_beacon_describes_itself() -> None:
    async def ask(hub: Serving) -> Any:
        names = ("info", "service-info", "configuration", "map", "entry_types", "cohorts")
        return [await hub.get(f"/beacon/v2/{name}") for name in names]

    who, service, configuration, where, kinds, cohorts = asking(ask)
    assert who["response"]["id"] == service["id"] == "org.example.hub"
    assert who["response"]["organization"]["name"] == "The hub"
    served = {name: end["rootUrl"] for name, end in where["response"]["endpointSets"].items()}
    assert served == {
        "genomicVariant": "http://hub.test/beacon/v2/g_variants",
        "individual": "http://hub.test/beacon/v2/individuals",
        "dataset": "http://hub.test/beacon/v2/datasets",
    }
    assert set(served) == set(configuration["response"]["entryTypes"]) == set(kinds["response"]["entryTypes"])
    assert (cohorts["HTTP"], cohorts["error"]["errorCode"]) == (404, 404)


def test_the_organisation_is_the_hubs_name_unless_it_is_stated() -> None:
    stated = HubIdentity("hub", "The hub", "Genomes of Europe", "https://hub.example.org")
    assert describe.info(stated, stated.url).response.organization.name == "Genomes of Europe"
    assert describe.service_info(stated, stated.url).organization.url == "https://hub.example.org"
