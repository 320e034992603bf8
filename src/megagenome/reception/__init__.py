# SPDX-License-Identifier: Apache-2.0
"""Reception: what data providers hand over, and whether it is what they say."""

from megagenome.reception.model import Expectations, Submitted
from megagenome.reception.settings import ReceptionSettings
from megagenome.reception.validate import submitted_at, validate

__all__ = ["Expectations", "ReceptionSettings", "Submitted", "submitted_at", "validate"]
