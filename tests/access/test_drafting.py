# SPDX-License-Identifier: Apache-2.0
"""Beginning, drafts and members."""

import dataclasses

import pytest

from megagenome.access import command_types as c
from megagenome.access.process import Process
from megagenome.collection.cohort import cohort_id
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, NotFound, TooLarge
from megagenome.standards.application import DatasetRef
from tests.access.hub import ADA, BEN, COHORT, DEFINITION, DORA, STRANGER, Hub, identify


def test_beginning_needs_an_organisation_and_a_true_cohort(hub: Hub) -> None:
    with pytest.raises(NotEntitled, match="organisation"):
        hub.create(DORA)
    with pytest.raises(Invalid, match="one of your organisations"):
        hub.create(organisation="Oulu")
    with pytest.raises(Invalid, match="definition"):
        hub.create(cohort="sha256:00")
    other = DEFINITION.replace("}", ',"note":"and nobody else"}')
    assert identify(other) == cohort_id(COHORT)  # the same cohort, in words that its id is not of
    for text in (other, DEFINITION + " ", DEFINITION.replace(":", ": ")):
        with pytest.raises(Invalid, match="definition"):
            hub.create(definition=text)
    twice = (DatasetRef("node-ee", "EE", "A"), DatasetRef("node-ee", "FI", "A"))
    for datasets in (twice, (DatasetRef("node", "Estonia", "A"),), (DatasetRef("node", "EE", "../x"),)):
        with pytest.raises(Invalid):
            hub.create(datasets=datasets)
    with pytest.raises(NotFound):
        hub.create(form="other")


def test_no_draft_begins_for_what_no_node_publishes_and_a_repeated_command_is_not_asked_again(hub: Hub) -> None:
    begun = hub.begun()
    first = hub.process.create(ADA, begun)
    gone = dataclasses.replace(
        hub.world, against_datasets=lambda datasets: Invalid(f"nobody has {datasets[0].dataset}")
    )
    process = Process(hub.store, gone)
    assert process.create(ADA, begun) == first
    with pytest.raises(Invalid, match="nobody has GDI-EE-1"):
        process.create(ADA, hub.begun())


def test_a_draft_takes_what_the_form_has_and_no_more(hub: Hub) -> None:
    application = hub.create()
    with pytest.raises(Invalid, match="no such field"):
        hub.do(ADA, application, c.SaveDraft({"nonsense": "x"}))
    with pytest.raises(TooLarge):
        hub.do(ADA, application, c.SaveDraft({"description": "x" * 400_000}))
    with pytest.raises(Invalid, match="people: this is needed"):
        hub.do(ADA, application, c.Submit())
    assert hub.show(ADA, application).findings


def test_an_invitation_is_for_one_and_can_be_taken_back(hub: Hub) -> None:
    application = hub.create()
    for name in ("Ben", "Eve"):
        hub.do(ADA, application, c.InviteMember(name, "x@example.org"))
    ben, eve = hub.show(ADA, application).invitations
    with pytest.raises(NotFound):
        hub.do(STRANGER, application, c.Join("guess"))
    hub.do(BEN, application, c.Join(ben.secret))
    with pytest.raises(NotFound):
        hub.do(STRANGER, application, c.Join(ben.secret))
    with pytest.raises(Conflict, match="already"):
        hub.do(BEN, application, c.Join(eve.secret))
    hub.do(ADA, application, c.UninviteMember(eve.id))
    with pytest.raises(NotFound):
        hub.do(STRANGER, application, c.Join(eve.secret))
    assert [each.name for each in hub.show(BEN, application).people] == ["Ada", "Ben"]
    assert hub.show(BEN, application).invitations == ()
    [member] = hub.view(application).members
    hub.do(ADA, application, c.RemoveMember(member))
    with pytest.raises(NotFound):
        hub.show(BEN, application)
