# SPDX-License-Identifier: Apache-2.0
"""Settings of delivery, the table `[delivery]` of a node's settings file."""

from typing import Annotated

import msgspec


class DeliverySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a node gives out files and slices.

    ticket_s      how long a ticket is good; at each use all that it was given for is looked at anew
    most_streams  files and slices that are being sent at once; who asks for more is told to come again
    slowest_s     a receiver that takes longer for a piece (1 MiB at most) is let go
    """

    ticket_s: Annotated[int, msgspec.Meta(ge=10, le=900)] = 900
    most_streams: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 64
    slowest_s: Annotated[int, msgspec.Meta(ge=1)] = 60
