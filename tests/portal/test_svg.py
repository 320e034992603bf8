# SPDX-License-Identifier: Apache-2.0
"""The parts that drawings share."""

from markupsafe import Markup

from megagenome.portal.svg import drawing, labelled_row, share, upright_grid
from tests.portal.document import parse_svg
from tests.portal.fake_hub import EVIL


def test_a_drawing_names_itself_for_those_who_do_not_see_it() -> None:
    root = parse_svg(drawing("plot", 40, "x", "Title", "Words", Markup("<g/>")))
    assert root.get("role") == "img"
    assert [root.find(f"*[@id='{name}']").text for name in root.get("aria-labelledby", "").split()] == [
        "Title",
        "Words",
    ]


def test_no_drawing_has_what_the_content_security_policy_forbids() -> None:
    text = drawing("p", 1, "x", EVIL, EVIL, upright_grid([("0%", EVIL)], 9) + labelled_row(EVIL, Markup(""), EVIL, 5))
    names = {name for element in parse_svg(text).iter() for name in element.attrib}
    assert "style" not in names
    assert not {name for name in names if name.startswith("on")}
    assert {element.tag for element in parse_svg(text).iter()} == {"svg", "title", "desc", "line", "text", "g"}


def test_lengths_are_per_cent() -> None:
    assert [share(place) for place in (0, 0.123456, 1)] == ["0.00%", "12.35%", "100.00%"]
