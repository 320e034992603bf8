# SPDX-License-Identifier: Apache-2.0
"""Room for questions about wide regions, of which only some are answered at once."""

import contextlib
import threading
from collections.abc import Iterator

from megagenome.discovery.count import SLICE_BASES
from megagenome.discovery.model import VariantQuestion
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Unavailable

MOST_WIDE = 8
"""Wide regions that are counted at once. Each takes a thread of the server for seconds; as many others answer the rest
(`app.server.THREADS`)."""


class WideRegions:
    """The wide regions that one node counts now."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MOST_WIDE)

    @contextlib.contextmanager
    def room_for(self, question: VariantQuestion) -> Iterator[None]:
        """Hold a place while a wide region is counted. Raises `Unavailable` where there is none."""
        place = question.place
        if isinstance(place, Allele) or place.end - place.start <= SLICE_BASES:
            yield
        elif self._places.acquire(blocking=False):
            try:
                yield
            finally:
                self._places.release()
        else:
            raise Unavailable(
                f"{MOST_WIDE} wide regions are being counted: ask for up to {SLICE_BASES} bases, or again in a moment"
            )
