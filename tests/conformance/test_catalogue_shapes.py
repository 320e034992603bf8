# SPDX-License-Identifier: Apache-2.0
"""What our own shapes accept, the official ones of both profiles accept; and what these need, both refuse to lack."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from megagenome.catalogue.check import check_shapes, hold_to
from megagenome.catalogue.containers import contain_distributions, describe_catalog, describe_point
from megagenome.catalogue.describe import describe_beacon, describe_dataset, describe_distribution
from megagenome.catalogue.model import Listed, Offer, Profile
from megagenome.catalogue.rdf import IRI, Description, term
from megagenome.catalogue.serialise import as_graph
from megagenome.standards.dataset_fields import faults, missing
from megagenome.standards.dataset_record import DatasetRecord
from tests.catalogue.records import official, records_with_gaps, violations, whole_records, without
from tests.catalogue.samples import PLACE, listed, listing

pytestmark = pytest.mark.shared

OF = {Profile.GDI: ("gdi", "fdp"), Profile.HEALTHDCAT_AP: ("dcat-ap", "dcat-ap-ranges")}
"""Which specifications each view is held to."""

REMOVED = {
    Profile.GDI: {
        "dct:title",
        "dct:description",
        "dct:identifier",
        "dct:accessRights",
        "dcatap:applicableLegislation",
        "dct:creator",
        "dct:publisher",
        "dcat:theme",
        "healthdcatap:healthCategory",
    },
    Profile.HEALTHDCAT_AP: {"dct:title", "dct:description"},
}
"""What the official shapes of a profile that are at hand refuse a dataset without."""


def described(found: Listed, profile: Profile) -> Description:
    said = describe_dataset(found, PLACE, profile)
    contain_distributions(said, found, PLACE)
    return said


@pytest.fixture
def specs(shared: Path) -> Path:
    return shared / "specs"


def refused(found: Listed, specs: Path) -> list[str]:
    """What the official shapes refuse of all views of a dataset."""
    return [
        f"{name}: {each}"
        for profile, names in OF.items()
        for name in names
        for each in violations(described(found, profile).triples, official(specs, name))
    ]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=whole_records)
def test_whole_records_conform(specs: Path, record: DatasetRecord) -> None:
    found = listed(record)
    assert faults(record, is_open=False) == ()
    assert missing(record, is_open=False) == ()
    assert check_shapes(found, PLACE) == ()
    assert refused(found, specs) == []
    # the profile of Health-RI, which is HealthDCAT-AP with more demanded of organisations
    assert violations(described(found, Profile.HEALTHDCAT_AP).triples, official(specs, "health-ri")) == []


@pytest.mark.parametrize("is_open", [False, True])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=records_with_gaps())
def test_whatever_ours_accept_is_accepted(specs: Path, is_open: bool, record: DatasetRecord) -> None:
    found = listed(record, is_open=is_open)
    if not check_shapes(found, PLACE):
        assert refused(found, specs) == []


@pytest.mark.parametrize(("profile", "property_"), [(p, each) for p, some in REMOVED.items() for each in sorted(some)])
def test_what_is_removed_is_refused_by_both(specs: Path, profile: Profile, property_: str) -> None:
    at = IRI(PLACE.dataset(listed().dataset.id))
    kept = [each for each in described(listed(), profile).triples if each[:2] != (at, term(property_))]
    assert hold_to(as_graph(kept), profile, is_open=False) != ()
    assert [each for name in OF[profile] for each in violations(kept, official(specs, name))] != []


@pytest.mark.parametrize("profile", Profile)
def test_everything_else_that_is_served_conforms(specs: Path, profile: Profile) -> None:
    listed_ = listing()
    documents = [
        describe_point(listed_, PLACE, profile),
        describe_catalog(listed_, PLACE, profile),
        describe_beacon(PLACE, listed_.published, profile),
        *(describe_distribution(each, offer, PLACE, profile) for each in listed_.published for offer in Offer),
    ]
    for said in documents:
        for name in OF[profile]:
            assert violations(said.triples, official(specs, name)) == []


def test_a_missing_field_is_found_at_the_field() -> None:
    """Without the look at texts before it: the shapes alone, and each message at its field."""
    for path in ("title", "description", "themes", "health_categories", "keywords", "provenance", "uses"):
        gap = without(listed().record, path)
        assert path in [problem.field for problem in check_shapes(listed()._replace(record=gap), PLACE)]
