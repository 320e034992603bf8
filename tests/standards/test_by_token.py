# SPDX-License-Identifier: Apache-2.0
"""Which servers are asked with a token, and what each answer means to who asked."""

import msgspec
import pytest

from megagenome.kernel.errors import Conflict, Invalid, NoRoom, NotFound, Unauthenticated, Unavailable
from megagenome.standards.by_token import condition_of, parse_server, read_answer
from megagenome.standards.problem import problem

URL = "https://node.example"


@pytest.mark.parametrize("url", ["", "node.example", "ftp://node.example", "https://", "https://me:pass@node.example"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match=r"no address of a node: write one such as https://node\.example\.org"):
        parse_server(url, "node", has_token=False)


def test_a_token_travels_over_no_open_way() -> None:
    assert parse_server("https://hub.example/", "hub", has_token=True) == "https://hub.example"
    for local in ("http://127.0.0.1:8600", "http://localhost:8600", "http://[::1]:8600"):
        assert parse_server(local, "hub", has_token=True) == local
    with pytest.raises(Invalid, match="is not encrypted"):
        parse_server("http://hub.example", "hub", has_token=True)
    assert parse_server("http://hub.example", "hub", has_token=False) == "http://hub.example"


@pytest.mark.parametrize(
    ("status", "detail", "condition", "says"),
    [
        (400, "why", Invalid, "why"),
        (404, "", NotFound, "Not found"),
        (409, "why", Conflict, "why"),
        (507, "full", NoRoom, "full"),
        (503, "why", Unavailable, f"the node at {URL} answers 503: why"),
        (401, "", Unauthenticated, "Not signed in: make a token on the page of your account at https://node.example/"),
        (401, "not good: make one", Unauthenticated, "not good: make a token on the page"),
    ],
)
def test_an_answer_is_the_condition_that_it_was(
    status: int, detail: str, condition: type[Exception], says: str
) -> None:
    told = condition_of(URL, "node", status, msgspec.json.encode(problem(status, detail)))
    assert type(told) is condition
    assert str(told).startswith(says)


def test_what_is_no_answer_of_ours_says_so() -> None:
    assert str(condition_of(URL, "node", 502, b"<html>")) == f"the node at {URL} answers 502"
    assert read_answer(URL, "node", b"[1]", list[int]) == [1]
    for body in (b"<html>", b"\xff", b'["x"]'):
        with pytest.raises(Unavailable, match="is not the API of a node of this version"):
            read_answer(URL, "node", body, list[int])
