# SPDX-License-Identifier: Apache-2.0
import copy
import json
import logging
import pickle

import msgspec
import pytest

from megagenome.kernel.secret import Secret


class Holder(msgspec.Struct):
    secret: Secret


def test_a_secret_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("s3cret")
    logging.getLogger().error("%s %r", secret, Holder(secret))
    shown = [str(secret), repr(secret), f"{secret}", repr(Holder(secret)), repr([secret]), caplog.text]
    assert not [text for text in shown if "s3cret" in text]
    assert secret.reveal() == "s3cret"


def test_a_secret_is_written_nowhere() -> None:
    for write in (pickle.dumps, json.dumps, msgspec.json.encode, copy.copy):
        with pytest.raises(TypeError):
            write(Secret("s3cret"))


def test_whether_there_is_one_is_no_secret() -> None:
    assert Secret("x")
    assert not Secret()
