# SPDX-License-Identifier: Apache-2.0
"""Questions to begin with, shown as links beside the search box."""

from typing import NamedTuple


class Example(NamedTuple):
    """A text for the search box, the assembly that it is meant for, and what kind of question it is."""

    text: str
    assembly: str
    kind: str


EXAMPLES = (
    Example("22-16050075-A-G", "GRCh37", "a variant"),
    Example("22:16050000-16060000", "GRCh37", "a region"),
    Example("BRCA2", "GRCh38", "a gene"),
)
ASSEMBLIES = ("GRCh38", "GRCh37")
"""Assemblies to choose from; the first is chosen when nothing is said."""
