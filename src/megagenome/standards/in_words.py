# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a JSON document, for who wrote it: where, what stands there, what may. From msgspec's errors."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

_KINDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object {...}",
    "array": "a list [...]",
    "null": "null",
}
_BOUNDS = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}


def in_words(error: msgspec.ValidationError, content: bytes, kind: type) -> str:
    """One sentence without an end. `content` is the document in which `error` was found, which is to be of `kind`."""
    what, _, at = str(error).partition(" - at `")
    path = at.removesuffix("`").removeprefix("$").removeprefix(".")
    where = path or "the document"
    for pattern, say in _SAYS:
        if found := re.fullmatch(pattern, what):
            return say(where, found, lambda: list(_expected(path, content, kind)))
    return f"{where}: {what}"


_Expected = Callable[[], list[inspect.Type]]
_Say = Callable[[str, re.Match[str], _Expected], str]


def _missing(where: str, found: re.Match[str], _: _Expected) -> str:
    return f"{where} lacks {found[1]}"


def _unknown(where: str, found: re.Match[str], expected: _Expected) -> str:
    known = [field.encode_name for each in expected() if isinstance(each, inspect.StructType) for field in each.fields]
    return f"{where} has no field {found[1]}: its fields are {', '.join(known)}"


def _choice(where: str, found: re.Match[str], expected: _Expected) -> str:
    choices: list[Any] = []
    for each in expected():
        choices += each.values if isinstance(each, inspect.LiteralType) else []
    return f"{where}: {found[1]} is none of {', '.join(dict.fromkeys(map(str, choices)))}"


def _kind(where: str, found: re.Match[str], _: _Expected) -> str:
    wanted = " or ".join(_KINDS.get(each, each) for each in found[1].split(" | "))
    return f"{where}: write {wanted}, not {_KINDS.get(found[2], found[2])}"


def _bound(where: str, found: re.Match[str], _: _Expected) -> str:
    return f"{where} must be {_BOUNDS[found[1]]} {found[2].removesuffix('.0')}"


def _length(where: str, found: re.Match[str], _: _Expected) -> str:
    one = "letter" if found[1] == "str" else "entry"
    some = {"letter": "letters", "entry": "entries"}[one]
    number = int(found[3])
    return f"{where} must have {_BOUNDS[found[2]]} {number:,} {one if number == 1 else some}"


_SAYS: tuple[tuple[str, _Say], ...] = (
    (r"Object missing required field `(.*)`", _missing),
    (r"Object contains unknown field `(.*)`", _unknown),
    (r"Invalid (?:enum )?value (.*)", _choice),
    (r"Expected `(.*)`, got `(.*)`", _kind),
    (r"Expected `(?:int|float)` (<=|>=|<|>) (.*)", _bound),
    (r"Expected `(str|array)` of length (<=|>=) (.*)", _length),
)


def _expected(path: str, content: bytes, kind: type) -> Iterator[inspect.Type]:
    """What may stand at a path such as `method.covariates[0].type`; of types that a tag tells apart, those of its."""
    value, types = msgspec.json.decode(content), [inspect.type_info(kind)]
    for step in re.findall(r"[^.\[\]]+", path):
        value, types = _below(value, step), [below for each in types for below in _at(each, step)]
    for each in types:
        yield from _plain(each, value)


def _below(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    return value[int(step)] if isinstance(value, list) and step.isdecimal() and int(step) < len(value) else None


def _at(expected: inspect.Type, step: str) -> Iterator[inspect.Type]:
    tags = []
    for each in _plain(expected, None):
        if isinstance(each, inspect.StructType):
            yield from (field.type for field in each.fields if field.encode_name == step)
            if each.tag_field == step:
                tags.append(str(each.tag))
        elif isinstance(each, inspect.CollectionType):
            yield each.item_type
    if tags:
        yield inspect.LiteralType(tuple(tags))


def _plain(expected: inspect.Type, value: Any) -> Iterator[inspect.Type]:
    """Without metadata and unions."""
    if isinstance(expected, inspect.Metadata):
        yield from _plain(expected.type, value)
    elif isinstance(expected, inspect.UnionType):
        for each in expected.types:
            yield from _plain(each, value)
    elif (
        not isinstance(expected, inspect.StructType)
        or not isinstance(value, dict)
        or not expected.tag_field
        or value.get(expected.tag_field) == expected.tag
    ):
        yield expected
