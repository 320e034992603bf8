# SPDX-License-Identifier: Apache-2.0
"""A reception for each test that asks for one."""

from tests.reception.receptions import house

__all__ = ["house"]
