# SPDX-License-Identifier: Apache-2.0
"""Settings of the archive, the table `[archive]` of a node's settings file."""

from typing import Annotated

import msgspec


class ArchiveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a node takes no more files. Where it keeps them is in `[blobs]`.

    least_free_bytes  nothing is taken that would leave less room than this in the store, and nothing is taken or loaded
                      where the disk of the node's folder has less
    lease_s           what a worker left unfinished is swept so long after it was last heard of
    keys              folder of the recipient keys; "": `keys` in the node's own. Where it lies elsewhere, whoever holds
                      database and blobs opens no file
    verify_days       each file is read again from the disk when nobody did for so long; 0: never by itself
    """

    least_free_bytes: Annotated[int, msgspec.Meta(ge=0)] = 1 << 30
    lease_s: Annotated[int, msgspec.Meta(ge=60)] = 900
    keys: str = ""
    verify_days: Annotated[int, msgspec.Meta(ge=0)] = 30
