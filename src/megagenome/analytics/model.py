# SPDX-License-Identifier: Apache-2.0
"""What a method's site side is given of people, and what it is."""

from typing import NamedTuple, Protocol

from megagenome.analytics.needs import Floats
from megagenome.standards.study_arrays import Arrays


class Table(NamedTuple):
    """The people of a study at this site of whom everything that the study needs is known, in the scan's order.

    trait       float64 [people]; of length 0 where the method has none
    covariates  float64 [people, columns], without the constant
    names       of the columns; a category has one for each level but the first
    """

    trait: Floats
    covariates: Floats
    names: tuple[str, ...]


class MethodSite(Protocol):
    """A method's side at a site. Made anew whenever the node was restarted: an answer depends on the document, the
    people and the parameters, and on no earlier question."""

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """The arrays of one of the method's steps. Raises `Invalid` where the parameters are not what they must be."""
