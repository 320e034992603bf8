# SPDX-License-Identifier: Apache-2.0
"""What a country decides: on this document, signed, and once."""

from typing import Any

import pytest

from megagenome.access import command_types as c
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled
from megagenome.standards.application import ApplicationId, PartState
from megagenome.standards.permit import Verdict
from tests.access.hub import EEVA, Hub


def states(hub: Hub, application: ApplicationId) -> list[PartState]:
    return [part.state for part in hub.view(application).parts]


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"permit_digest": "sha256:00"}, Conflict),
        ({"permit": "another"}, Conflict),
        ({"node": "node-fi"}, NotEntitled),
        ({"country": "FI", "node": "node-fi"}, NotEntitled),
        ({"decisions": ()}, Invalid),
    ],
)
def test_a_decision_that_is_not_on_this_is_refused(hub: Hub, other: dict[str, Any], error: type[Exception]) -> None:
    application = hub.requested()
    token = hub.sign(EEVA, application, {"GDI-EE-1": Verdict.APPROVED}, **other)
    with pytest.raises(error):
        hub.do(EEVA, application, c.RecordDecision(token))
    assert set(states(hub, application)) == {PartState.REQUESTED}


def test_an_unsigned_decision_is_none(hub: Hub) -> None:
    application = hub.requested()
    token = hub.sign(EEVA, application, {"GDI-EE-1": Verdict.APPROVED}).removeprefix("signed")
    with pytest.raises(NotEntitled, match="signature"):
        hub.do(EEVA, application, c.RecordDecision(token))


def test_nothing_is_granted_twice_nor_taken_back_ungranted(hub: Hub) -> None:
    application = hub.active()
    for verdicts in ({"GDI-EE-1": Verdict.APPROVED}, {"GDI-EE-1": Verdict.REFUSED}, {"GDI-EE-2": Verdict.REVOKED}):
        with pytest.raises(Conflict):
            hub.decide(EEVA, application, verdicts)
