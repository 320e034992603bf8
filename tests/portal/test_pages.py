# SPDX-License-Identifier: Apache-2.0
"""What all pages have in common: addresses, links, headers, and colours that can be read."""

import re

import jinja2
import pytest

from megagenome.portal import pages

PAIRS = [
    # text on ground, at least 4.5 (WCAG 1.4.3)
    *[(text, ground, 4.5) for text in ("ink", "quiet", "accent", "bad") for ground in ("paper", "wash", "notice")],
    ("accent-ink", "accent", 4.5),
    *[(f"on-step-{i}", f"step-{i}", 4.5) for i in range(5)],
    # what must be seen to understand or use the page, at least 3 (WCAG 1.4.11)
    *[(part, ground, 3.0) for part in ("edge", "accent", "good", "bad", "mark") for ground in ("paper", "wash")],
    ("gold", "paper", 3.0),
    ("paper", "good", 3.0),
]


def colours(scheme: str) -> dict[str, tuple[int, int, int]]:
    """The style sheet's variables under a colour scheme."""
    sheet = pages.STATIC["portal.css"].content.decode()
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[:2]
    text = light + (dark if scheme == "dark" else "")
    return {
        name: (int(r, 16), int(g, 16), int(b, 16)) for name, r, g, b in re.findall(r"--([\w-]+): #(..)(..)(..);", text)
    }


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 for c in colour]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_told_from_its_ground(scheme: str) -> None:
    found = colours(scheme)
    weak = {pair[:2]: contrast(found[pair[0]], found[pair[1]]) for pair in PAIRS}
    assert {pair: weak[pair[:2]] for pair in PAIRS if weak[pair[:2]] < pair[2]} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_of_the_map_differ_in_lightness_so_that_the_colour_blind_tell_them_apart(
    scheme: str,
) -> None:
    steps = [luminance(colours(scheme)[f"step-{i}"]) for i in range(5)]
    assert steps == sorted(steps, reverse=scheme == "light")
    ratios = [contrast(colours(scheme)[f"step-{i}"], colours(scheme)[f"step-{i + 1}"]) for i in range(4)]
    assert min(ratios) > 1.3


def test_nothing_comes_from_elsewhere_and_nothing_is_inline() -> None:
    policy = dict(part.split(maxsplit=1) for part in pages.HEADERS["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    for file in pages.STATIC.values():
        assert not re.findall(rb"https?://(?!www\.w3\.org/2000/svg)", file.content)
        assert b"@import" not in file.content
        assert b"@font-face" not in file.content


def test_static_addresses_change_with_the_content() -> None:
    assert re.fullmatch(r"/static/portal\.css\?v=[0-9a-f]{12}", pages.static_url("portal.css"))


def test_addresses_are_quoted_and_empty_values_left_out() -> None:
    query = {"q": "a&b=c #<é", "assembly": ""}
    assert pages.address("/variant", query, skip=0) == "/variant?q=a%26b%3Dc+%23%3C%C3%A9&skip=0"
    assert pages.address("/cohort", {}) == "/cohort"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://fi.example/x", True),
        ("http://127.0.0.1:8601", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("https:", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, link: bool) -> None:
    assert pages.web_address(url) == (url if link else "")


@pytest.mark.parametrize(
    ("url", "link"),
    [("/beacon/v2", True), ("https://x.example", True), ("//evil.example", False), ("/\\evil", False), ("x", False)],
)
def test_addresses_on_this_server_may_be_links(url: str, link: bool) -> None:
    assert pages.page_address(url) == (url if link else "")


def test_long_alleles_are_shortened_and_say_how_long_they_are() -> None:
    assert pages.bases("ACGT" * 5) == "ACGT" * 5
    assert pages.bases("ACGT" * 301) == "ACGTACGTAC… (1,204 bases)"
    assert pages.abbreviate("22-16050075-A-G") == "22-16050075-A-G"
    short = pages.abbreviate("22-16050075-" + "ACGT" * 100 + "-A")
    assert len(short) == 48
    assert short.startswith("22-16050075-ACGT")
    assert short.endswith("ACGT-A")


def test_a_name_that_a_page_does_not_give_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.render("nodes.html")


def test_file_names_hold_only_what_headers_take() -> None:
    response = pages.download("a\r\n", 'x"; é\r\nset-cookie: a=b/../' + "y" * 300)
    disposition = response.headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]{1,120}\.csv"', disposition)
