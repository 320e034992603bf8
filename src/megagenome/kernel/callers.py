# SPDX-License-Identifier: Apache-2.0
"""Who asks. `app` puts one `Caller` on each request and every role decides by it."""

from enum import StrEnum

import msgspec

from megagenome.kernel.errors import NotEntitled, Unauthenticated


class Role(StrEnum):
    """What a person may do at one node or hub; granted by its operator and nowhere else."""

    RESEARCHER = "researcher"
    SIGNING_OFFICIAL = "signing_official"
    DAC_MEMBER = "dac_member"
    DAC_CHAIR = "dac_chair"
    COUNTRY_DECIDER = "country_decider"
    DATA_STEWARD = "data_steward"
    DATA_PROVIDER = "data_provider"
    AUDITOR = "auditor"
    CITIZEN = "citizen"

    @property
    def called(self) -> str:
        """What people call it: `signing official`; a DAC is a data access committee."""
        return self.value.replace("_", " ").replace("dac", "DAC")


class Caller(msgspec.Struct, frozen=True):
    """The person or service behind a request.

    subject     one opaque text made by `identity`, never parsed again; None for the public
    name        what people read; it is the provider's word, and no identity
    roles       what they may do at this server
    registered  whether they have registered access: terms accepted and standing as a researcher confirmed
    node        the id of the node that speaks for itself by a message that it signed; nobody signs in as one
    """

    subject: str | None = None
    name: str = ""
    roles: frozenset[Role] = frozenset()
    registered: bool = False
    node: str = ""

    def require_subject(self) -> str:
        """Who asks. Raises `Unauthenticated` for the public."""
        if self.subject is None:
            raise Unauthenticated("sign in first")
        return self.subject

    def require(self, role: Role) -> str:
        """Who asks, who has this role. Raises `Unauthenticated` for the public, `NotEntitled` for everybody else
        without it. Whether a role holds for one organisation, country or dataset only is for the part to ask."""
        subject = self.require_subject()
        if role not in self.roles:
            raise NotEntitled(f"this is for the role {role.called}, which this server's operator gives")
        return subject


ERASED = "erased"
"""In place of a subject that was erased, where a record of what they did stays. Nobody's: a subject has an @."""

PUBLIC = Caller()
"""Anybody: what the public may see is what this caller may see."""
