# SPDX-License-Identifier: Apache-2.0
"""Masks cancel in the sum, and only there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.analytics import masking
from megagenome.analytics.masking import RoundSecret
from megagenome.kernel.errors import Corrupt
from megagenome.standards import ring
from megagenome.standards.ring import Ring
from megagenome.standards.study_masks import Round

TURN = Round("sha256:aa", 1, 1, ("a", "b", "c", "d"))


def _begin(turn: Round) -> tuple[dict[str, RoundSecret], dict[str, bytes]]:
    secrets = {site: RoundSecret() for site in turn.sites}
    return secrets, {site: secret.public for site, secret in secrets.items()}


def _masked(vectors: dict[str, Ring], turn: Round = TURN) -> dict[str, Ring]:
    secrets, publics = _begin(turn)
    return {site: secrets[site].mask(vector, turn, site, publics) for site, vector in vectors.items()}


@given(st.integers(2, 8), st.integers(0, 300), st.integers(0, 2**32))
@settings(max_examples=25)
def test_the_sum_is_that_of_the_vectors(sites: int, size: int, seed: int) -> None:
    turn = TURN._replace(sites=tuple(f"s{k}" for k in range(sites)))
    drawn = np.random.default_rng(seed).integers(0, 2**64, (sites, size), np.uint64)
    vectors = dict(zip(turn.sites, drawn, strict=True))
    masked = _masked(vectors, turn)
    assert np.array_equal(ring.add(masked.values()), ring.add(vectors.values()))


def test_long_vectors_go_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets, publics = _begin(TURN)
    vector = np.arange(1000, dtype=np.uint64)
    whole = secrets["b"].mask(vector, TURN, "b", publics)
    monkeypatch.setattr(masking, "_CHUNK", 64)
    assert np.array_equal(secrets["b"].mask(vector, TURN, "b", publics), whole)


def test_all_sites_but_two_and_the_hub_together_learn_the_sum_of_two() -> None:
    """They take their own masks off what they see. What is left of either vector is as random for one vector as for any
    other; together the two give their sum."""
    secrets, publics = _begin(TURN)
    size = 64
    first, second = np.zeros(size, np.uint64), np.arange(size, dtype=np.uint64)

    def seen_by_colluders(site: str, vector: Ring) -> Ring:
        seen = secrets[site].mask(vector, TURN, site, publics)
        for colluder in ("c", "d"):
            # a colluder's mask with this site: what it adds to zeros for a round of the same keys and these two alone
            key = secrets[colluder]._shared(TURN, colluder, site, publics)
            masking._add_stream(seen, key, subtract=site < colluder)
        return seen

    left_a, left_b = seen_by_colluders("a", first), seen_by_colluders("b", second)
    assert np.array_equal(left_a + left_b, first + second)
    # a's remainder is the mask of (a, b) alone, which explains every vector of a equally well: with any other vector
    # there is a mask that gives the same remainders, and b's vector changes by as much the other way
    for other in (first + np.uint64(5), np.full(size, 2**63, np.uint64)):
        mask_ab = left_a - other
        assert np.array_equal(left_b + mask_ab, first + second - other)


def test_masked_zeros_look_random() -> None:
    masked = _masked(dict.fromkeys(TURN.sites, np.zeros(100_000, np.uint64)))
    for each in masked.values():
        seen = np.bincount(each.view(np.uint8), minlength=256)
        expected = each.nbytes / 256
        chi_square = float(((seen - expected) ** 2 / expected).sum())
        assert 150 < chi_square < 400  # 255 degrees of freedom: the chance to be outside is below 1e-8


def test_each_round_pair_and_study_has_its_own_mask() -> None:
    secrets, publics = _begin(TURN)
    zeros = np.zeros(8, np.uint64)
    turns = [TURN, TURN._replace(study="sha256:ab"), TURN._replace(epoch=2), TURN._replace(number=2)]
    masks = {secrets["a"].mask(zeros, turn, "a", publics).tobytes() for turn in turns}
    masks |= {secrets[site].mask(zeros, TURN, site, publics).tobytes() for site in TURN.sites}
    assert len(masks) == len(turns) + len(TURN.sites) - 1


def test_keys_of_small_order_are_refused() -> None:
    secrets, publics = _begin(TURN)
    with pytest.raises(Corrupt, match="d is none"):
        secrets["a"].mask(np.zeros(1, np.uint64), TURN, "a", publics | {"d": bytes(32)})


def test_keys_that_are_not_the_round_s_are_refused() -> None:
    secrets, publics = _begin(TURN)
    wrong = [
        publics | {"a": publics["b"]},
        {site: publics[site] for site in ("a", "b")},
        publics | {"e": RoundSecret().public},
    ]
    for each in wrong:
        with pytest.raises(Corrupt):
            secrets["a"].mask(np.zeros(1, np.uint64), TURN, "a", each)
    alone = TURN._replace(sites=("a",))
    with pytest.raises(Corrupt):
        secrets["a"].mask(np.zeros(1, np.uint64), alone, "a", {"a": publics["a"]})


def test_secrets_do_not_show() -> None:
    secret = RoundSecret()
    assert secret._private.private_bytes_raw().hex() not in repr(secret)
