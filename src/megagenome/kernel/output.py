# SPDX-License-Identifier: Apache-2.0
"""What commands show: text for people, JSON for programs, a progress bar on a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, TextIO, TypeVar

import msgspec
from cyclopts import Parameter
from rich.console import Console, RenderableType
from rich.table import Table

Result = TypeVar("Result")

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for programs instead of text.")]
"""The type of every command's parameter `json`; its default is False."""

PIPE_COLUMNS = 160
"""Width of text that goes to a file or another program, which has no width of its own."""

_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")


def show(result: Result, *, json: bool, render: Callable[[Result], RenderableType]) -> None:
    """Print `result` on standard output: as one JSON document, or as what `render` makes of it for people."""
    if json:
        encoded = msgspec.json.format(msgspec.json.encode(result), indent=2)
        sys.stdout.write(encoded.decode() + "\n")
    else:
        rendered = render(result)
        # a line stays one line, so that programs such as grep find it whole
        _console(sys.stdout).print(rendered, soft_wrap=isinstance(rendered, str))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """A table for people. Numbers stand to the right, None is a dash.

    Control characters are replaced: a cell may come from a foreign node, and must not steer the reader's terminal.
    """
    cells = [list(row) for row in rows]
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        numeric = any(isinstance(row[place], int | float) for row in cells)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*("-" if cell is None else printable(str(cell)) for cell in row))
    return drawn


def printable(text: str) -> str:
    """`text` without control characters; each becomes U+FFFD."""
    return text.translate(_CONTROL)


@contextlib.contextmanager
def progress(what: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error, if that is a terminal, for work of over a second.

    Yields the function to call with how much of `total` is done so far (records read, people simulated); a `total` of
    None, unknown, makes a bar that only moves.
    """
    with stages() as tell:
        yield lambda done: tell(what, done, total)


Tell = Callable[[str, float, float | None], None]
"""Called with what is being done, how much of it is done, and of how much, if that is known."""


@contextlib.contextmanager
def stages() -> Iterator[Tell]:
    """As `progress`, for work in several stages, each with a bar of its own."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    # imported for terminals only: it takes 15 ms
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=_console(sys.stderr), transient=True) as bar:
        task, stage = bar.add_task(""), ""

        def tell(what: str, done: float, total: float | None) -> None:
            nonlocal stage
            if what != stage:
                bar.reset(task, total=total, description=printable(what))
                stage = what
            bar.update(task, completed=done)

        yield tell


def _console(stream: TextIO) -> Console:
    # Titles and names are not ours: nothing in them is markup.
    width = None if stream.isatty() else PIPE_COLUMNS
    return Console(file=stream, markup=False, emoji=False, highlight=False, width=width)
