# SPDX-License-Identifier: Apache-2.0
"""Stub."""

from megagenome.app.demo.expect import Sharing
from megagenome.app.demo.plan import PlannedNode
from megagenome.synthetic.truth import Truth


def recount(planned: list[PlannedNode]) -> tuple[Truth, Sharing]:
    raise NotImplementedError
