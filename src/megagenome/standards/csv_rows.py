# SPDX-License-Identifier: Apache-2.0
"""CSV (RFC 4180, UTF-8): exact numbers, and no cell that a spreadsheet would run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | float | bool | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """`rows` under `header`. None is an empty cell; numbers are exact.

    A text that begins like a formula gets a `'` before it, which spreadsheets read as "this is text" (OWASP, CSV
    injection); numbers are never changed.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_safe(cell) for cell in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def _safe(cell: Cell) -> Cell:
    # a leading space hides nothing: spreadsheets trim it
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA) else cell
