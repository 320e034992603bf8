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
    largest_file_bytes          plain, of one file
    most_people                 in the people tables of one submission: they are held in memory, and compared, together
    most_open                   submissions of one provider to which files can be sent
    keep_open_days              a submission to which nothing was sent for so long is cancelled
    """

    require_isolation: bool = True
    validation_memory_mb: Annotated[int, msgspec.Meta(ge=512)] = 2048
    validation_cpu_s_per_gib: Positive = 600
    largest_file_bytes: Positive = 1 << 40
    most_people: Positive = 500_000
    most_open: Positive = 20
    keep_open_days: Positive = 30
