# SPDX-License-Identifier: Apache-2.0
import time
from datetime import timedelta

from megagenome.kernel import clock


def test_now_is_aware_in_utc_and_between_two_looks_at_the_system_clock() -> None:
    before = time.time()
    now = clock.now()
    after = time.time()
    assert now.utcoffset() == timedelta(0)
    assert before - 1e-3 <= now.timestamp() <= after + 1e-3
