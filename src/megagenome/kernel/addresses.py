# SPDX-License-Identifier: Apache-2.0
"""Addresses of machines, as far as the whole house must agree on them."""

import ipaddress


def is_loopback(host: str) -> bool:
    """True for names and addresses that only this machine itself can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
