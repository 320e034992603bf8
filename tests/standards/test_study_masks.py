# SPDX-License-Identifier: Apache-2.0
"""Keys of a round: only those of its own sites, for it, are read."""

from pathlib import Path

import msgspec
import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.study_masks import Round, SignedKey, read_keys, sign_key

TURN = Round("sha256:aa", 1, 2, ("ee", "fi", "se"))


@pytest.fixture
def signers(tmp_path: Path) -> dict[str, SigningKeys]:
    return {node: SigningKeys.open(tmp_path / node) for node in TURN.sites}


def _signed(signers: dict[str, SigningKeys]) -> dict[str, SignedKey]:
    return {node: sign_key(keys, TURN, node, bytes([k]) * 32) for k, (node, keys) in enumerate(signers.items())}


def _thumbprints(signers: dict[str, SigningKeys]) -> dict[str, str]:
    return {node: keys.kid for node, keys in signers.items()}


def test_keys_are_read(signers: dict[str, SigningKeys]) -> None:
    found = read_keys(_signed(signers), TURN, _thumbprints(signers))
    assert found == {node: bytes([k]) * 32 for k, node in enumerate(TURN.sites)}


@pytest.mark.parametrize(
    "other",
    [
        TURN._replace(study="sha256:bb"),
        TURN._replace(epoch=2),
        TURN._replace(number=3),
        TURN._replace(sites=("ee", "fi", "no", "se")),
        TURN._replace(sites=("ee", "fi")),
    ],
)
def test_a_key_is_for_one_round(signers: dict[str, SigningKeys], other: Round) -> None:
    signed = _signed(signers) | {"fi": sign_key(signers["fi"], other, "fi", b"x" * 32)}
    with pytest.raises(Corrupt, match="fi is of another round"):
        read_keys(signed, TURN, _thumbprints(signers))


def test_nobody_signs_for_another_site(signers: dict[str, SigningKeys]) -> None:
    by_se = sign_key(signers["se"], TURN, "fi", b"x" * 32)
    for forged in (by_se, SignedKey(by_se.token, signers["fi"].jwks()["keys"][0])):
        with pytest.raises(Corrupt):
            read_keys(_signed(signers) | {"fi": forged}, TURN, _thumbprints(signers))


def test_a_site_s_key_under_another_name_is_refused(signers: dict[str, SigningKeys]) -> None:
    mine = sign_key(signers["fi"], TURN, "se", b"x" * 32)
    with pytest.raises(Corrupt):
        read_keys(_signed(signers) | {"fi": mine}, TURN, _thumbprints(signers))


def test_one_key_for_two_sites_is_refused(signers: dict[str, SigningKeys]) -> None:
    signed = {node: sign_key(keys, TURN, node, b"x" * 32) for node, keys in signers.items()}
    with pytest.raises(Corrupt, match="one key"):
        read_keys(signed, TURN, _thumbprints(signers))


def test_all_sites_and_no_others(signers: dict[str, SigningKeys]) -> None:
    signed = _signed(signers)
    for wrong in ({}, {"fi": signed["fi"]}, signed | {"no": signed["fi"]}):
        with pytest.raises(Corrupt, match="not those of its sites"):
            read_keys(wrong, TURN, _thumbprints(signers))


def test_what_is_no_key_is_refused(signers: dict[str, SigningKeys]) -> None:
    good = _signed(signers)
    broken = [
        msgspec.structs.replace(good["fi"], token="x.y.z"),
        msgspec.structs.replace(good["fi"], token=good["fi"].token[:-4] + "AAAA"),
        msgspec.structs.replace(good["fi"], jwk={}),
    ]
    for each in broken:
        with pytest.raises(Corrupt):
            read_keys(good | {"fi": each}, TURN, _thumbprints(signers))
