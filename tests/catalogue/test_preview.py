# SPDX-License-Identifier: Apache-2.0
"""What a steward sees before anybody else does is what is served after, and looking changes nothing."""

import re
from collections.abc import Callable
from functools import partial

import pytest
import rdflib
from litestar.testing import TestClient

from megagenome.catalogue.catalogue import Catalogue, Document
from megagenome.catalogue.model import Profile
from megagenome.catalogue.preview import Previews
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.shown import show
from megagenome.catalogue.steward import Stewardship
from megagenome.collection import Collection
from megagenome.collection.datasets import set_tiers
from megagenome.collection.model import DatasetState, Tier
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, NotEntitled, NotFound, Unauthenticated
from megagenome.standards.catalogue_pages import DatasetPage, ToWrite
from megagenome.standards.dataset_record import with_value
from tests.catalogue.conftest import COUNTED
from tests.catalogue.samples import CLOSED, DRAFT, OPEN
from tests.catalogue.test_steward import OTHERS, RECORD, STEWARD, client, state
from tests.collection import clocks

pytestmark = [
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.usefixtures("database"),
]

_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
Documents = dict[tuple[Profile, Form], object]


def described(ask: Callable[[Profile, Form], Document]) -> Documents:
    """The bytes of each form without their moments; of RDF/XML, which rdflib writes in no order, what it says."""
    found: Documents = {}
    for profile in Profile:
        for form in (Form.TURTLE, Form.JSON_LD, Form.N_TRIPLES):
            found[profile, form] = _MOMENT.sub(b"WHEN", ask(profile, form).content)
        xml = _MOMENT.sub(b"2026-01-01T00:00:00+00:00", ask(profile, Form.RDF_XML).content)
        found[profile, Form.RDF_XML] = set(rdflib.Graph().parse(data=xml, format="xml"))
    return found


def previewed(previews: Previews) -> Documents:
    return described(partial(previews.document, STEWARD, CLOSED))


def served(catalogue: Catalogue) -> Documents:
    return described(partial(catalogue.document, ("dataset", CLOSED)))


@pytest.mark.parametrize("people", list(Tier))
def test_it_is_byte_for_byte_what_is_served_after(
    stewardship: Stewardship, previews: Previews, catalogue: Catalogue, people: Tier
) -> None:
    with begin_writing(stewardship.collection.engine) as connection:
        set_tiers(connection, CLOSED, "holder", people=people)
    stewardship.write(STEWARD, CLOSED, ToWrite(RECORD))
    before, page = previewed(previews), previews.view(STEWARD, CLOSED).page
    turtle = previews.document(STEWARD, CLOSED, Profile.GDI, Form.TURTLE).content
    assert (b"numberOfUniqueIndividuals" in turtle) is (people is Tier.PUBLIC)
    stewardship.move(STEWARD, CLOSED, "published")
    after = show(catalogue, ("dataset", CLOSED))
    assert served(catalogue) == before
    assert isinstance(after, DatasetPage)
    for name in set(page.__struct_fields__) - {"issued", "changed", "schema_org", "downloads"}:
        assert getattr(page, name) == getattr(after, name), name
    assert page.people == (40 if people is Tier.PUBLIC else None)


def test_a_draft_is_shown_as_it_will_be_when_it_is_recorded(
    stewardship: Stewardship, previews: Previews, catalogue: Catalogue
) -> None:
    stewardship.write(STEWARD, CLOSED, ToWrite(RECORD))
    stewardship.move(STEWARD, CLOSED, "published")
    today = served(catalogue)
    changed = with_value(with_value(RECORD, "keywords", ("new",)), "governance.sign_off.name", "Somebody else")
    stewardship.write(STEWARD, CLOSED, ToWrite(changed, draft=True))
    found = previews.view(STEWARD, CLOSED)
    assert (found.state, found.is_draft, found.page.record.keywords) == ("published", True, ("new",))
    before = previewed(previews)
    assert served(catalogue) == today != before
    assert stewardship.write(STEWARD, CLOSED, ToWrite(changed)).version
    assert served(catalogue) == before


def test_it_says_what_is_missing_and_what_cannot_be_shown(stewardship: Stewardship, previews: Previews) -> None:
    found = previews.view(STEWARD, DRAFT)
    assert (found.state, found.is_draft) == ("draft", False)
    assert "publisher.name" in {each.field for each in found.missing}
    stewardship.write(STEWARD, DRAFT, ToWrite(with_value(RECORD, "publisher.url", "not an address"), draft=True))
    with pytest.raises(Conflict, match=r"publisher\.url"):
        previews.view(STEWARD, DRAFT)
    with pytest.raises(NotFound):
        previews.view(STEWARD, "NONE")


def test_numbers_are_those_that_the_rules_let_out(previews: Previews) -> None:
    cells = clocks.counted(range(20, 60))
    told = 0
    for counts in cells.values():
        countries: dict[str, list[int]] = {}
        for (country, _, _), (het, hom, hemi, an) in counts.items():
            found = countries.setdefault(country, [0, 0])
            found[0] += het + 2 * hom + hemi
            found[1] += an
        told += any(10 <= copies <= called - 10 for copies, called in countries.values())
    answers = previews.view(STEWARD, CLOSED).answers
    assert answers is not None
    assert (answers.alleles, answers.alleles_held_back) == (told, len(cells) - told)
    assert (answers.floor, answers.people, answers.people_told) == (10, 40, True)
    few = previews.view(STEWARD, DRAFT).answers
    assert few is not None
    assert (few.people_told, few.alleles) == (False, 0)


def test_what_nobody_is_told_without_a_permit_has_no_number(collection: Collection, previews: Previews) -> None:
    with begin_writing(collection.engine) as connection:
        set_tiers(connection, CLOSED, "holder", alleles=Tier.CONTROLLED, people=Tier.CONTROLLED)
    answers = previews.view(STEWARD, CLOSED).answers
    assert answers is not None
    assert (answers.alleles, answers.alleles_held_back, answers.terms, answers.people_told) == (None, None, None, False)


def test_looking_changes_nothing(collection: Collection, previews: Previews, catalogue: Catalogue) -> None:
    version, public = collection.version, catalogue.document(("", ""), Profile.GDI, Form.TURTLE)
    for _ in range(2):
        previews.view(STEWARD, CLOSED)
        previews.document(STEWARD, CLOSED, Profile.GDI, Form.TURTLE)
    collection.refresh()
    assert collection.version == version
    assert state(collection) == DatasetState.DRAFT
    assert CLOSED not in {each.id for each in collection.published}
    assert catalogue.document(("", ""), Profile.GDI, Form.TURTLE) == public
    with pytest.raises(NotFound):
        catalogue.document(("dataset", CLOSED), Profile.GDI, Form.TURTLE)
    assert COUNTED == []


def test_only_stewards_see_it(stewardship: Stewardship, previews: Previews) -> None:
    paths = [f"/metadata/{CLOSED}/preview", f"/metadata/{CLOSED}/preview/index.ttl", f"/metadata/{OPEN}/preview"]
    member = Caller("dac@idp", "D", frozenset({Role.DAC_MEMBER, Role.DAC_CHAIR}))
    for caller, status in ((PUBLIC, 401), (OTHERS, 403), (member, 403), (Caller("y@idp", "Y"), 403)):
        with client(stewardship, previews, caller) as http:
            for path in (*paths, "/metadata/NONE/preview", f"/metadata/{CLOSED}/preview/x"):
                answer = http.get(path)
                assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
        with pytest.raises((Unauthenticated, NotEntitled)):
            previews.document(caller, CLOSED, Profile.GDI, Form.TURTLE)
    with client(stewardship, previews, STEWARD) as http:
        for path in paths:
            answer = http.get(path)
            assert answer.status_code == 200
            assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store, private", "noindex")
        for wrong in ("index.html", "index", "other.ttl"):
            assert http.get(f"/metadata/{CLOSED}/preview/{wrong}").status_code == 404
        assert http.get(f"/metadata/{CLOSED}/preview/index.ttl?profile=x").status_code == 400
        assert_links(http, stewardship)


def assert_links(http: TestClient, stewardship: Stewardship) -> None:
    """Each form that the page leads to is there."""
    stewardship.write(STEWARD, CLOSED, ToWrite(RECORD))
    for each in http.get(f"/metadata/{CLOSED}/preview").json()["page"]["downloads"]:
        assert http.get(each["address"]).status_code == 200
