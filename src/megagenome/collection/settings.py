# SPDX-License-Identifier: Apache-2.0
"""Settings of the collection, the table `[collection]` of a node's settings file."""

from typing import Annotated

import msgspec

from megagenome.collection.release import LONGEST_DELAY_DAYS


class CollectionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How this node keeps its collection.

    release_longest_delay_days  who withdrew so long ago leaves the public numbers with the next release in any case
    """

    release_longest_delay_days: Annotated[int, msgspec.Meta(ge=0)] = LONGEST_DELAY_DAYS
