# SPDX-License-Identifier: Apache-2.0
"""What a browser gets from a page: its forms with what they would send, its links, and its texts."""

import re
from html.parser import HTMLParser
from typing import NamedTuple

Values = dict[str, list[str]]
"""Fields of a form by name, each with all that it sends."""


class Form(NamedTuple):
    """A form as it stands on the page. `values` are what it would send untouched, without a button."""

    action: str
    method: str
    is_multipart: bool
    values: Values


class Content(NamedTuple):
    """A parsed page. `links` are addresses by the text that people click; `text` is what the main part says, in one
    line."""

    forms: tuple[Form, ...]
    links: dict[str, str]
    heading: str
    text: str


def parse_html(source: str) -> Content:
    """Read a page."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return Content(tuple(reader.forms), reader.links, one_line(reader.heading), one_line("".join(reader.texts)))


def one_line(text: str) -> str:
    """The text with single spaces."""
    return re.sub(r"\s+", " ", text).strip()


class _Reader(HTMLParser):
    """Goes through a page once. Only what our own pages have is understood: they are checked to be valid elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.heading = ""
        self.texts: list[str] = []
        self._form: Form | None = None
        self._href = self._area = self._select = ""
        self._words: list[str] | None = None
        self._inside: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                multipart = given.get("enctype") == "multipart/form-data"
                self._form = Form(given.get("action", ""), given.get("method", "get").lower(), multipart, {})
            case "input":
                self._input(given)
            case "textarea":
                self._area, self._words = given.get("name", ""), []
            case "select":
                self._select = given.get("name", "")
            case "option" if "selected" in given:
                self._send(self._select, given.get("value", ""))
            case "a":
                self._href, self._words = given.get("href", ""), []
            case "h1" | "main" | "script":
                self._inside.add(tag)
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form" if self._form is not None:
                self.forms.append(self._form)
                self._form = None
            case "textarea":
                # a line's end right after the tag is not part of the text
                self._send(self._area, "".join(self._words or ()).removeprefix("\n"))
                self._words = None
            case "a" if self._words is not None:
                self.links.setdefault(one_line("".join(self._words)), self._href)
                self._words = None
            case _:
                self._inside.discard(tag)

    def handle_data(self, data: str) -> None:
        if "main" in self._inside and "script" not in self._inside:
            self.texts.append(data)
        if "h1" in self._inside:
            self.heading += data
        if self._words is not None:
            self._words.append(data)

    def _input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        chosen = kind not in ("checkbox", "radio") or "checked" in given
        if chosen and kind not in ("file", "submit", "button"):
            self._send(given.get("name", ""), given.get("value", ""))

    def _send(self, name: str, value: str) -> None:
        if self._form is not None and name:
            self._form.values.setdefault(name, []).append(value)
