# SPDX-License-Identifier: Apache-2.0
"""A page as its parts, by the standard library's parser, to say of any page what must hold of every page."""

from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET


def parse_svg(text: str) -> ET.Element:
    """A drawing as XML."""
    return ET.fromstring(text)  # noqa: S314 - drawn by the code under test


VOID = frozenset({"meta", "link", "input", "br", "img"})


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]


class Document(HTMLParser):
    """`elements` in order, `text` of the page, without titles, a blank at each tag, `faults` of nesting."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self._pieces: list[str] = []
        self.feed(page)
        self.close()
        self.faults += [f"<{tag}> stays open" for tag in self._open]
        self.text = " ".join("".join(self._pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        self._pieces.append(" ")
        if len({name for name, _ in attrs}) < len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._pieces.append(" ")
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_data(self, data: str) -> None:
        if "title" not in self._open and "desc" not in self._open:
            self._pieces.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [element.attributes for element in self.elements if element.tag == tag]

    def check(self) -> None:
        """What every page must be: well nested, one h1, unique ids, references that lead somewhere, labelled fields,
        nothing inline that the content security policy forbids, nothing from other servers."""
        assert not self.faults
        assert len(self.all("h1")) == 1
        assert self.all("html") == [{"lang": "en"}]
        assert [a["id"] for a in self.all("main")] == ["main"]
        ids = [a["id"] for _, a in self.elements if "id" in a]
        assert not [name for name, times in Counter(ids).items() if times > 1]
        self._check_references(set(ids))
        self._check_fields()
        for tag, attributes in self.elements:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
            assert tag not in ("style", "iframe", "object", "embed", "base", "img")
        scripts = [each for each in self.all("script") if each.get("type") != "application/ld+json"]  # which is data
        for attributes in (*scripts, *self.all("link")):
            assert (attributes.get("src") or attributes["href"]).startswith("/static/")
        for attributes in self.all("a"):  # an address to write to runs nothing
            assert urlsplit(attributes["href"]).scheme in ("", "http", "https", "mailto")

    def _check_references(self, ids: set[str]) -> None:
        for _, attributes in self.elements:
            for name in ("aria-labelledby", "aria-describedby", "for"):
                assert set(attributes.get(name, "").split()) <= ids, attributes
            if attributes.get("href", "").startswith("#"):
                assert attributes["href"][1:] in ids

    def _check_fields(self) -> None:
        labelled = {a["for"] for a in self.all("label") if "for" in a}
        for attributes in (*self.all("input"), *self.all("select")):
            assert attributes.get("type") in ("radio", "hidden") or attributes["id"] in labelled
