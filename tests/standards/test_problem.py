# SPDX-License-Identifier: Apache-2.0
import msgspec
import pytest

from megagenome.kernel import errors
from megagenome.standards.problem import CONDITIONS, STATUS, decode_detail, problem, status_of


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Invalid", 400),
        ("Unauthenticated", 401),
        ("NotEntitled", 403),
        ("NotFound", 404),
        ("Conflict", 409),
        ("TooLarge", 413),
        ("RateLimited", 429),
        ("Corrupt", 500),
        ("Unavailable", 503),
        ("NoRoom", 507),
    ],
)
def test_each_condition_has_its_status(name: str, status: int) -> None:
    condition = getattr(errors, name)
    assert status_of(condition("x")) == status
    assert status_of(type("Narrower", (condition,), {})("x")) == status


def test_every_condition_is_in_the_table() -> None:
    conditions = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.MegagenomeError) and value is not errors.MegagenomeError
    }
    assert set(STATUS) == conditions
    assert status_of(ValueError()) == 500


def test_a_status_is_the_condition_that_it_was_but_for_faults_of_the_server() -> None:
    told = {status: CONDITIONS.get(status, errors.Unavailable) for status in STATUS.values()}
    for condition, status in STATUS.items():
        assert told[status] is (errors.Unavailable if status in (500, 503) else condition)


def test_problems_are_written_and_read() -> None:
    written = msgspec.json.encode(problem(404, "no dataset 'x'"))
    assert msgspec.json.decode(written) == {
        "title": "Not found", "status": 404, "detail": "no dataset 'x'", "type": "about:blank"
    }  # fmt: skip
    assert decode_detail(written) == "no dataset 'x'"
    assert decode_detail(msgspec.json.encode(problem(404))) == "Not found"
    assert problem(418).title == "HTTP status 418"


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"detail": 5}', b"\xff"])
def test_what_is_no_problem_says_nothing(body: bytes) -> None:
    assert decode_detail(body) == ""
