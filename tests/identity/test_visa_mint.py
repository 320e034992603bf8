# SPDX-License-Identifier: Apache-2.0
"""What is minted says what holds, for an hour at most, as the standard writes it; the keys alone verify it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from megagenome.identity.clearinghouse import decide
from megagenome.identity.explain import explain
from megagenome.identity.model import Code, Policy
from megagenome.identity.needs import Granted
from megagenome.identity.trust import Trust, load_trust
from megagenome.identity.visa_mint import LONGEST_S, VisaMint
from megagenome.kernel.errors import Invalid
from megagenome.kernel.keys import SigningKeys

URL = "https://ee.example"
NOW = 1_800_000_000
ALICE = "alice@https://login.example.org"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, UTC)


def mint_of(folder: Path, *granted: Granted) -> VisaMint:
    def grants_of(subject: str) -> Sequence[Granted]:
        return granted if subject == ALICE else ()

    return VisaMint(SigningKeys.open(folder / "keys"), URL, grants_of)


def opened(token: str, mint: VisaMint) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, verified by joserfc with the published keys."""
    keys = KeySet.import_key_set(mint.jwks)
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    return dict(jws.extract_compact(token.encode()).headers()), decoded.claims


def visas_of(token: str, mint: VisaMint) -> list[dict[str, Any]]:
    return [opened(visa, mint)[1] for visa in opened(token, mint)[1]["ga4gh_passport_v1"]]


def test_a_passport_is_what_the_standard_says(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, Granted("EE-1", at(-86400), at(86400)))
    minted = mint.mint(ALICE, ["https://spe.example"], NOW)
    header, claims = opened(minted.passport, mint)
    kid = mint.jwks["keys"][0]["kid"]
    assert header == {"alg": "ES256", "kid": kid, "typ": "vnd.ga4gh.passport+jwt"}
    [visa] = claims.pop("ga4gh_passport_v1")
    assert len(claims.pop("jti")) >= 20
    assert claims == {"iss": URL, "sub": ALICE, "aud": ["https://spe.example"], "iat": NOW, "exp": NOW + 3600}
    header, claims = opened(visa, mint)
    assert header == {"alg": "ES256", "kid": kid, "typ": "vnd.ga4gh.visa+jwt", "jku": f"{URL}/visas/jwks"}
    assert len(claims.pop("jti")) >= 20
    assert claims == {
        "iss": URL,
        "sub": ALICE,
        "iat": NOW,
        "exp": NOW + 3600,
        "ga4gh_visa_v1": {
            "type": "ControlledAccessGrants",
            "asserted": NOW - 86400,
            "value": f"{URL}/datasets/EE-1",
            "source": f"{URL}/dac",
            "by": "dac",
        },
    }


def test_a_visa_ends_with_the_access_and_after_an_hour_at_most(tmp_path: Path) -> None:
    granted = [Granted(f"D{s}", at(-10), at(s)) for s in (-1, 0, 1, 1800, 3600, 7200)]
    mint = mint_of(tmp_path, *granted)
    minted = mint.mint(ALICE, [URL], NOW)
    assert minted.lasts_s == LONGEST_S == 3600
    ends = {visa["ga4gh_visa_v1"]["value"].rpartition("/")[2]: visa["exp"] - NOW for visa in visas_of(minted[0], mint)}
    assert ends == {"D1": 1, "D1800": 1800, "D3600": 3600, "D7200": 3600}


def test_of_two_permits_for_a_dataset_the_one_that_lasts_longest_counts(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, *(Granted("EE-1", at(-5), at(s)) for s in (60, 900, 30)))
    [visa] = visas_of(mint.mint(ALICE, [URL], NOW).passport, mint)
    assert visa["exp"] == NOW + 900


def test_who_has_nothing_gets_a_passport_that_says_so(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, Granted("EE-1", at(-5), at(60)))
    assert visas_of(mint.mint("bob@https://login.example.org", [URL], NOW).passport, mint) == []


def test_more_than_a_passport_holds_are_left_out_the_shortest_first(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, *(Granted(f"D{n}", at(-5), at(100 + n)) for n in range(120)))
    visas = visas_of(mint.mint(ALICE, [URL], NOW).passport, mint)
    assert sorted(visa["exp"] - NOW for visa in visas) == list(range(120, 220))


def test_a_subject_that_no_token_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="255"):
        mint_of(tmp_path).mint("a" * 256, [URL], NOW)


def test_our_own_clearinghouse_accepts_it_by_a_trust_file(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, Granted("EE-1", at(-86400), at(86400)), Granted("EE-2", at(-5), at(60)))
    (tmp_path / "ee.json").write_bytes(msgspec.json.encode(mint.jwks))
    (tmp_path / "trust.toml").write_text(f"""
[policy]
audiences = ["https://spe.example"]
[[brokers]]
issuer = "{URL}"
jwks_file = "ee.json"
[[issuers]]
issuer = "{URL}"
jku = "{URL}/visas/jwks"
jwks_file = "ee.json"
types = ["ControlledAccessGrants"]
[[issuers.sources]]
source = "{URL}/dac"
values = ["{URL}/datasets/"]
""")
    store = load_trust(tmp_path / "trust.toml")
    passport = mint.mint(ALICE, ["https://spe.example"], NOW).passport
    decision = decide(passport, store.trust({}), store.settings.policy.policy(f"{URL}/datasets/EE-1"), NOW + 30)
    assert decision.accepted
    assert explain(decision).code is Code.GRANTED
    everything = decide(passport, store.trust({}), store.settings.policy.policy(), NOW + 30)
    assert {(grant.dataset, grant.expires - NOW) for grant in everything.grants} == {
        (f"{URL}/datasets/EE-1", 3600),
        (f"{URL}/datasets/EE-2", 60),
    }
    assert not decide(passport, store.trust({}), store.settings.policy.policy(), NOW + LONGEST_S + 60).accepted


def test_a_server_believes_itself_and_about_its_own_datasets_only(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, Granted("EE-1", at(-5), at(60)))
    trust = Trust([mint.broker()], [mint.issuer()])
    decision = decide(mint.mint(ALICE, [URL], NOW).passport, trust, Policy(audiences=frozenset({URL})), NOW)
    assert [grant.dataset for grant in decision.grants] == [f"{URL}/datasets/EE-1"]
    another = VisaMint(SigningKeys.open(tmp_path / "others"), URL, lambda _: ())
    forged = another.mint(ALICE, [URL], NOW).passport
    assert not decide(forged, trust, Policy(audiences=frozenset({URL})), NOW).accepted


def test_a_grant_of_tomorrow_is_not_asserted_in_the_future(tmp_path: Path) -> None:
    mint = mint_of(tmp_path, Granted("EE-1", at(0) + timedelta(days=1), at(0) + timedelta(days=2)))
    [visa] = visas_of(mint.mint(ALICE, [URL], NOW).passport, mint)
    assert visa["ga4gh_visa_v1"]["asserted"] == NOW
