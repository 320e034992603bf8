# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at the node itself, as a provider is told of it: no path, no address, no error of its system. Those
are in the node's log, under the submission's id."""

import contextlib
import logging
from collections.abc import Iterator

from megagenome.kernel.errors import NoRoom, Unavailable

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def told_plainly(submission: str) -> Iterator[None]:
    """Raise the same condition in words for the provider, and log what it said."""
    try:
        yield
    except Unavailable as error:
        _log.warning("submission %s: %s", submission, error)
        says = "has no room for this" if isinstance(error, NoRoom) else "could not keep this"
        words = f"the node {says} now: send it again later; why is in the log of its operator, under {submission}"
        raise type(error)(words) from None
