# SPDX-License-Identifier: Apache-2.0
"""Settings of discovery, the table `[discovery]` of a node's settings file."""

from typing import Annotated, Literal

import msgspec


class DiscoverySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How this node answers the public.

    floor               smallest count of alleles or people that is told; 10 at least, a dataset may only raise it
    largest_page        most alleles on one page
    widest_region       most bases of a region that is searched in one question
    environment         what `/info` and `/service-info` call this service
    """

    floor: Annotated[int, msgspec.Meta(ge=10)] = 10
    largest_page: Annotated[int, msgspec.Meta(ge=1)] = 1000
    widest_region: Annotated[int, msgspec.Meta(ge=1)] = 10_000_000
    environment: Literal["prod", "test", "dev", "staging"] = "prod"
