# SPDX-License-Identifier: Apache-2.0
"""Tokens that every reader would understand alike are read; all others are not."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.jwt import MAX_NESTING, decode_object, read_token

MOST = 10_000


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(header: bytes = b'{"alg":"ES256"}', claims: bytes = b"{}", signature: bytes = b"s") -> str:
    return ".".join(map(base64url, (header, claims, signature)))


def test_a_token_is_taken_apart() -> None:
    text = token(
        b'{"alg":"ES256","typ":"application/X+JWT","kid":"k","jku":"u","crit":[]}', b'{"a":{"b":[1.9,"\xc3\xa9"]}}'
    )
    read = read_token(text, MOST)
    assert (read.header.alg, read.header.kid, read.header.jku) == ("ES256", "k", "u")
    assert read.header.media_type == "x+jwt"
    assert set(read.parameters) == {"alg", "typ", "kid", "jku", "crit"}
    assert read.claims == {"a": {"b": [1.9, "é"]}}
    assert (read.signed.decode(), read.signature) == (text.rpartition(".")[0], b"s")


def test_a_character_in_two_halves_is_one() -> None:
    assert read_token(token(claims=b'{"a":"\\ud83d\\ude00"}'), MOST).claims == {"a": "\U0001f600"}


def test_a_token_without_signature_can_be_read() -> None:
    assert read_token(token(signature=b""), MOST).signature == b""


@given(st.binary(min_size=1, max_size=40), st.dictionaries(st.text(max_size=5), st.integers(), max_size=4))
def test_any_claims_and_signature_are_read_back(signature: bytes, claims: dict[str, int]) -> None:
    read = read_token(token(claims=json.dumps(claims).encode(), signature=signature), MOST)
    assert (read.claims, read.signature) == (claims, signature)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "..",
        token().replace(".", ".."),
        token() + "\n",
        " " + token(),
        token() + "=",
        token().replace(".", "。"),
        token() + ".x",
        token(signature=b"s") + "+",
        token()[:-1] + "x",  # the same byte, spelled with other spare bits
        token() + "AAA",  # five characters are no bytes
        token(header=b""),
        token(header=b"[]"),
        token(header=b"{}"),
        token(header=b'{"alg":1}'),
        token(header=b'{"alg":"x","alg":"y"}'),
        token(header=b'{"alg":"x","kid":["y"]}'),
        token(claims=b"null"),
        token(claims=b'{"a":1}{}'),
        token(claims=b'{"a":1,"b":{"c":1,"c":2}}'),
        token(claims=b'{"a":1,"\\u0061":2}'),
        token(claims=b'{"a":"\\ud800"}'),  # half a character
        token(claims=b'{"a":{"\\uDFff":1}}'),
        token(header=b'{"alg":"x","kid":"\\uDBFF"}'),
        token(claims=b'{"a":NaN}'),
        token(claims=b'{"a":-Infinity}'),
        token(claims=b'{"a":1e999}'),
        token(claims=b'{"a":' + b"1" * 5000 + b"}"),
        token(claims=b'\xef\xbb\xbf{"a":1}'),
        token(claims='{"a":1}'.encode("utf-16")),
        token(claims=b'{"a":"\xff"}'),
    ],
)
def test_what_could_be_read_in_two_ways_is_corrupt(text: str) -> None:
    with pytest.raises(Corrupt):
        read_token(text, MOST)


def test_nesting_has_an_end() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    assert decode_object(nested(MAX_NESTING), "claims")
    with pytest.raises(Corrupt, match="nested too deep"):
        decode_object(nested(MAX_NESTING + 1), "claims")


def test_brackets_in_texts_and_side_by_side_are_not_nested() -> None:
    wide = {"text": '["{[' * 50 + "\\", "wide": [[{}] for _ in range(100)]}
    assert decode_object(json.dumps(wide).encode(), "claims") == wide


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 90_000, b'"\\' * 90_000, b'"' * 180_001, b'"\\"[' * 45_000])
def test_a_text_without_an_end_takes_no_longer_than_others(text: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Corrupt):
        decode_object(b"[" * (MAX_NESTING + 1) + text, "claims")
    assert time.process_time() - began < 2  # a second look from each quote would take a minute


def test_too_long_is_not_read() -> None:
    with pytest.raises(TooLarge):
        read_token(token(claims=b"{}" + b" " * MOST), MOST)
    with pytest.raises(TooLarge, match="header"):
        read_token(token(header=b'{"alg":"ES256"}' + b" " * 4000), MOST)
