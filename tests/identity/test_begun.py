# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from megagenome.identity import begun
from megagenome.identity.begun import begin, finish, keys_of
from megagenome.identity.tables import sign_in
from megagenome.kernel.errors import Unauthenticated
from tests.identity.world import ISSUER, s256


def start(engine: sa.Engine, next_path: str = "/") -> str:
    with engine.begin() as connection:
        return begin(connection, ISSUER, next_path)


def end(engine: sa.Engine, secret: str, state: str, issuer: str = ISSUER) -> str:
    with engine.begin() as connection:
        return finish(connection, secret, state, issuer)


def test_a_sign_in_ends_once_where_it_was_to_lead(engine: sa.Engine) -> None:
    secret = start(engine, "/account")
    state = keys_of(secret).state
    assert end(engine, secret, state) == "/account"
    with pytest.raises(Unauthenticated):
        end(engine, secret, state)


@pytest.mark.parametrize("state", ["", "x", "é", "STATE OF ANOTHER"])
def test_a_wrong_state_ends_nothing(engine: sa.Engine, state: str) -> None:
    secret, another = start(engine), start(engine)
    with pytest.raises(Unauthenticated):
        end(engine, secret, keys_of(another).state if state.isupper() else state)
    with pytest.raises(Unauthenticated):
        end(engine, "", keys_of("").state)
    assert end(engine, secret, keys_of(secret).state) == "/"


def test_the_database_has_nothing_that_signs_anybody_in(engine: sa.Engine) -> None:
    secret = start(engine)
    with engine.connect() as connection:
        [row] = connection.execute(sa.select(sign_in)).all()
    assert not {secret, *keys_of(secret)} & set(row)


def test_what_the_provider_sees_is_random_enough_for_each_purpose() -> None:
    keys = keys_of("secret")
    assert len({*keys, keys.challenge, *keys_of("other")}) == 7
    # RFC 7636, 4.1: 43 to 128 letters
    assert {len(key) for key in (*keys, keys.challenge)} == {43}
    assert keys.challenge == s256(keys.verifier)


def test_old_and_too_many_sign_ins_are_forgotten(
    engine: sa.Engine, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(engine)
    wait(begun.LASTS_S + 1)
    start(engine)
    with engine.connect() as connection:
        assert len(connection.execute(sa.select(sign_in)).all()) == 1
    monkeypatch.setattr(begun, "MOST", 2)
    secrets = []
    for _ in range(3):
        wait(1)
        secrets.append(start(engine))
    with pytest.raises(Unauthenticated):
        end(engine, secrets[0], keys_of(secrets[0]).state)
    assert end(engine, secrets[2], keys_of(secrets[2]).state) == "/"
