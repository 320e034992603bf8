# SPDX-License-Identifier: Apache-2.0
"""Settings: one frozen Struct per role, composed; from TOML, then the environment. An unknown key stops the start."""

import difflib
import json
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.kernel.secret import Secret

Settings = TypeVar("Settings", bound=msgspec.Struct)
PREFIX = "MEGAGENOME_"
_OF_COMMANDS = frozenset({"MEGAGENOME_HUB", "MEGAGENOME_PASSPHRASE", "MEGAGENOME_TOKEN"})
"""What people export for commands that ask servers, perhaps in the shell from which they start one."""


def load_settings(cls: type[Settings], path: Path, environ: Mapping[str, str]) -> Settings:
    """Read `path` (TOML) into `cls`, whose fields are tables; `MEGAGENOME_TABLE_KEY` in `environ` wins over the file.

    Raises `Invalid`, naming file, key and the nearest known key, for anything that is not exactly a setting.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise Invalid(
            f"{path}: there is no settings file here; make one with `megagenome node init` or `hub init`"
        ) from None
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: not valid TOML: {error}") from None
    return read_settings(cls, text, str(path), environ)


def read_settings(cls: type[Settings], text: str, where: str, environ: Mapping[str, str]) -> Settings:
    """The settings that `load_settings` would find in a file with this text; `where` stands in messages."""
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        raise Invalid(f"{where}: not valid TOML: {error}") from None
    _refuse_unknown(cls, content, where)
    _take_environment(cls, content, environ)
    try:
        # strict=False because the environment holds text only
        return msgspec.convert(content, cls, strict=False, dec_hook=_secret)
    except msgspec.ValidationError as error:
        raise Invalid(f"{where}: {error}") from None


def _secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("expected a text")


def toml_table(header: str, values: Mapping[str, str | int]) -> str:
    """The text of a table below `header`, `[key]` or `[[key]]`; what `load_settings` reads back is `values`."""
    # but for DEL a JSON string is a TOML basic string
    texts = {key: json.dumps(value, ensure_ascii=False).replace("\x7f", r"\u007f") for key, value in values.items()}
    return "\n".join([header, *(f"{key} = {text}" for key, text in texts.items()), ""])


def _tables(cls: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    return {
        field.name: field.type
        for field in msgspec.structs.fields(cls)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
    }


def _lists_of_tables(cls: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Fields that are `[[key]]` in TOML: a tuple or list of Structs."""
    elements = {field.name: typing.get_args(field.type)[:1] for field in msgspec.structs.fields(cls)}
    return {
        name: element[0]
        for name, element in elements.items()
        if element and isinstance(element[0], type) and issubclass(element[0], msgspec.Struct)
    }


def _refuse_unknown(cls: type[msgspec.Struct], content: Mapping[str, Any], where: str) -> None:
    tables, lists = _tables(cls), _lists_of_tables(cls)
    known = [field.name for field in msgspec.structs.fields(cls)]
    for key, value in content.items():
        if key not in known:
            raise Invalid(f"{where}: unknown setting {key!r}{_nearest(key, known)}")
        if key in tables:
            if not isinstance(value, dict):
                raise Invalid(f"{where}: {key!r} must be a table, [{key}]")
            _refuse_unknown(tables[key], value, f"{where} [{key}]")
        if key in lists:
            if not (isinstance(value, list) and all(isinstance(element, dict) for element in value)):
                raise Invalid(f"{where}: {key!r} must be a list of tables, [[{key}]]")
            for number, element in enumerate(value, start=1):
                _refuse_unknown(lists[key], element, f"{where} [[{key}]] {number}")


def _take_environment(cls: type[msgspec.Struct], content: dict[str, Any], environ: Mapping[str, str]) -> None:
    keys = {
        f"{PREFIX}{table}_{field.name}".upper(): (table, field.name)
        for table, kind in _tables(cls).items()
        for field in msgspec.structs.fields(kind)
    }
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in _OF_COMMANDS:
            continue
        if variable not in keys:
            raise Invalid(f"environment: unknown setting {variable}{_nearest(variable, list(keys))}")
        table, key = keys[variable]
        content.setdefault(table, {})[key] = value


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
