# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.identity import begin_limit
from megagenome.identity.begin_limit import MOST, BeginLimit, address_of
from megagenome.kernel.errors import RateLimited


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limit: BeginLimit, address: str, times: int) -> int:
    """How many of these begin."""
    begun = 0
    for _ in range(times):
        try:
            limit.take(address)
        except RateLimited:
            continue
        begun += 1
    return begun


def test_an_address_begins_so_many_in_a_minute_and_others_as_well() -> None:
    limit = BeginLimit(clock := Clock())
    assert taken(limit, "192.0.2.1", MOST + 10) == MOST
    assert taken(limit, "192.0.2.2", 1) == 1
    clock.now = 59.9
    assert taken(limit, "192.0.2.1", 1) == 0
    clock.now = 60.0
    assert taken(limit, "192.0.2.1", 3 * MOST) == MOST


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begin_limit, "ADDRESSES", 3)
    limit = BeginLimit(Clock())
    taken(limit, "busy", MOST)
    for number in range(10):
        taken(limit, str(number), 1)
        assert taken(limit, "busy", 1) == 0  # who asks again and again is not forgotten
        assert len(limit._counts) <= 3


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "counted"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # only a proxy on this machine is believed
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("::1", "10.0.0.1, 198.51.100.7", "198.51.100.7"),  # what the caller wrote stands before
        ("127.0.0.1", "198.51.100.7,", "127.0.0.1"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7:443", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),  # else all of IPv4 would be one caller
        ("127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("", "", ""),
    ],
)
def test_who_counts_as_one_caller(peer: str, forwarded_for: str, counted: str) -> None:
    assert address_of(peer, forwarded_for) == counted
