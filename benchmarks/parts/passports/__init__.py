# SPDX-License-Identifier: Apache-2.0
"""Valid passports of every shape, and forged ones of every kind."""

from benchmarks.parts.passports import forged_claims, forged_tokens
from benchmarks.parts.passports.forging import Forgery

FORGERIES: tuple[Forgery, ...] = (*forged_tokens.kept.forgeries, *forged_claims.kept.forgeries)
"""Every kind of forgery."""
