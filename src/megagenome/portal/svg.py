# SPDX-License-Identifier: Apache-2.0
"""What the drawings share: their frame, rows with a label, a field and a number, and lengths.

Drawings hold no style attribute and no script (the content security policy forbids both); classes are styled by the
style sheet. Widths are percentages of the drawing, letters keep their size, so a drawing fits a telephone as it is.
"""

from collections.abc import Iterable

from markupsafe import Markup

FIELD = ("36%", "43%")
"""Where the field of a plot with rows begins and how wide it is; labels stand left of it, numbers right."""
_LABEL_WIDTH = "34.5%"


def join(pieces: Iterable[Markup]) -> Markup:
    """The pieces one after another."""
    return Markup("").join(pieces)


def share(place: float) -> str:
    """A place from 0 to 1 as an SVG length."""
    return f"{place * 100:.2f}%"


def drawing(style: str, height: float, ident: str, title: str, description: str, body: Markup) -> Markup:
    """An SVG of the full width and `height` pixels. Readers that do not see it are told `title` and `description`.

    `ident` must be unique on the page.
    """
    return Markup(
        '<svg class="{style}" role="img" width="100%" height="{height}" aria-labelledby="{ident}-title {ident}-desc">'
        '<title id="{ident}-title">{title}</title><desc id="{ident}-desc">{description}</desc>{body}</svg>'
    ).format(style=style, height=height, ident=ident, title=title, description=description, body=body)


def _in_field(body: Markup, place: tuple[str, str] = FIELD) -> Markup:
    """`body` in a column from `place[0]`, whose width `place[1]` is its 100 %."""
    return Markup('<svg x="{}" width="{}" overflow="visible">{}</svg>').format(*place, body)


def upright_grid(ticks: Iterable[tuple[str, str]], bottom: float, place: tuple[str, str] = FIELD) -> Markup:
    """Lines at `(length, text)` from the top to `bottom`, with the texts below."""
    lines = (
        Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{bottom}"/>'
            '<text class="tick" x="{x}" y="{y}">{text}</text>'
        ).format(x=x, bottom=bottom, y=bottom + 19, text=text)
        for x, text in ticks
    )
    return _in_field(join(lines), place)


def labelled_row(label: str, marks: Markup, number: str, middle: float, style: str = "row") -> Markup:
    """A row: `label` at the left, cut at the end of its column, `marks` in the field, `number` at the right edge."""
    return Markup(
        '<g class="{style}"><title>{label}: {number}</title>'
        '<svg width="{width}"><text x="0" y="{y}">{label}</text></svg>{marks}'
        '<text class="number" x="100%" y="{y}">{number}</text></g>'
    ).format(style=style, y=middle + 4.5, label=label, width=_LABEL_WIDTH, marks=_in_field(marks), number=number)
