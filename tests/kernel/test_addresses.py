# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.kernel.addresses import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "::", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_any_other(host: str) -> None:
    assert not is_loopback(host)
