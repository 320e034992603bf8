# SPDX-License-Identifier: Apache-2.0
"""Who asks. `app` puts one `Caller` on each request and every role decides by it."""

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """The person or service behind a request. `subject` is None for the public."""

    subject: str | None = None


PUBLIC = Caller()
"""Anybody: what the public may see is what this caller may see."""
