# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.standards.beacon import (
    BeaconInfo,
    BeaconMap,
    Dataset,
    DatasetNotes,
    Endpoint,
    FilteringTerm,
    InfoResponse,
    InformationalMeta,
    Organization,
    decode_datasets,
    decode_filtering_terms,
    decode_info,
)


def test_datasets_of_another_beacon_are_read() -> None:
    listed = [
        {"id": "A", "name": "Some", "extra": 1},
        {"id": "B", "name": "", "info": {"open": True, "floor": "10"}},
    ]
    body = msgspec.json.encode({"response": {"collections": listed}})
    assert decode_datasets(body) == (Dataset("A", "Some"), Dataset("B", "", info=DatasetNotes(open=True, floor=10)))


def test_filtering_terms_of_another_beacon_are_read() -> None:
    body = msgspec.json.encode({"response": {"filteringTerms": [{"id": "HP:1", "type": "ontology", "scope": "x"}]}})
    assert decode_filtering_terms(body).filtering_terms == (FilteringTerm("HP:1", "ontology"),)
    assert decode_filtering_terms(body).resources == ()


def test_info_round_trips() -> None:
    info = BeaconInfo("a", "A", "prod", Organization("o", "O"), version="1")
    written = msgspec.json.encode(InfoResponse(InformationalMeta("a"), info))
    assert decode_info(written) == info
    assert msgspec.json.decode(written)["response"]["apiVersion"] == "v2.2.0"


@pytest.mark.parametrize("decode", [decode_datasets, decode_filtering_terms, decode_info])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"response": 5}', b'{"response": {"collections": [{}]}}x'])
def test_what_is_none_of_these_is_corrupt(decode: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(Corrupt, match=r"^not a"):
        decode(body)


def test_maps_and_configurations_name_their_schema() -> None:
    written = msgspec.to_builtins(BeaconMap({"dataset": Endpoint("dataset", "https://a/datasets")}))
    assert written["$schema"].endswith("beaconMapSchema.json")
    assert written["endpointSets"]["dataset"] == {"entryType": "dataset", "rootUrl": "https://a/datasets"}
