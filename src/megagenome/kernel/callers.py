# SPDX-License-Identifier: Apache-2.0
"""Who asks. `app` puts one `Caller` on each request and every role decides by it."""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a person is to one node or hub, as its operator granted it there."""

    RESEARCHER = "researcher"
    SIGNING_OFFICIAL = "signing_official"
    DAC_MEMBER = "dac_member"
    DAC_CHAIR = "dac_chair"
    COUNTRY_DECIDER = "country_decider"
    DATA_STEWARD = "data_steward"
    AUDITOR = "auditor"
    CITIZEN = "citizen"
    OPERATOR = "operator"


class Caller(msgspec.Struct, frozen=True):
    """The person or service behind a request. `subject` is None for the public.

    subject     the person's opaque id with its issuer, as one text that nobody takes apart
    name        what people read; never a key
    registered  holds both registered-access statements (terms accepted, bona fide researcher)
    """

    subject: str | None = None
    name: str = ""
    roles: frozenset[Role] = frozenset()
    registered: bool = False


PUBLIC = Caller()
"""Anybody: what the public may see is what this caller may see."""
