# SPDX-License-Identifier: Apache-2.0
"""Settings of reception, the table `[reception]` of a node's settings file."""

from typing import Annotated

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1)]


class ReceptionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How this node receives.

    require_isolation           refuse to read submitted files where the system gives no namespaces
    validation_memory_mb        of the process that reads one file
    validation_cpu_s_per_gib    of it for each GiB of the file, beyond the first minute; four times that by the clock
    """

    require_isolation: bool = True
    validation_memory_mb: Annotated[int, msgspec.Meta(ge=512)] = 2048
    validation_cpu_s_per_gib: Positive = 600
