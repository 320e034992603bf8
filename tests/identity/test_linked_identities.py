# SPDX-License-Identifier: Apache-2.0
"""Who is the same person, and until when that is known, beside an oracle that merges sets."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parts.passports.world import encode_identities
from megagenome.identity.linked_identities import Standing, same_person, usable_until
from megagenome.standards.passport import LATEST_TIME, Visa, VisaIdentity, VisaType
from megagenome.standards.visa_conditions import Conditions, read_conditions
from tests.oracles import passports as oracle

NAMES = "abcdef"
identities = st.sampled_from(NAMES).map(lambda name: VisaIdentity(name, "https://x/"))
conditions = st.sampled_from(
    [
        None,
        None,
        (),
        read_conditions([[{"type": "T", "by": "const:a"}]]),
        read_conditions(
            [[{"type": "T", "by": "const:b"}, {"type": "T", "by": "const:c"}], [{"type": "T", "by": "const:d"}]]
        ),
        read_conditions([[{"type": "LinkedIdentities", "by": "pattern:*"}]]),
    ]
)


@st.composite
def standing(draw: st.DrawFn) -> Standing:
    linked = draw(st.lists(identities, min_size=1, max_size=2).map(tuple))
    type_, value = draw(st.sampled_from([("T", "v"), (VisaType.LINKED_IDENTITIES, encode_identities(linked))]))
    visa = Visa(type_, 1, value, "https://x/", draw(st.sampled_from(NAMES)), draw(conditions))
    return Standing(0, draw(identities), visa, draw(st.integers(1, 6)))


@given(identities, st.integers(1, 6), st.lists(standing(), max_size=8))
def test_persons_and_conditions_are_as_the_oracle_finds(
    person: VisaIdentity, until: int, visas: list[Standing]
) -> None:
    known = same_person(person, until, visas)
    assert known == oracle.known_until(person, until, visas)
    for each in visas:
        met = usable_until(each, known, visas)
        assert (met and min(met, until)) == oracle.usable_until(each, person, until, visas)


def link(name: str, *others: str, until: int = 9, when: Conditions | None = None) -> Standing:
    value = encode_identities(tuple(VisaIdentity(other, "https://x/") for other in others))
    return Standing(
        0, VisaIdentity(name, "https://x/"), Visa(VisaType.LINKED_IDENTITIES, 1, value, "s", None, when), until
    )


def names(visas: list[Standing], of: str = "a", until: int = 100) -> dict[str, int]:
    return {identity.sub: end for identity, end in same_person(VisaIdentity(of, "https://x/"), until, visas).items()}


def test_links_go_both_ways_and_on() -> None:
    assert names([link("c", "d"), link("x", "b", "c"), link("b", "a")]) == {"a": 100, "b": 9, "c": 9, "x": 9, "d": 9}


def test_another_issuers_identity_of_that_name_is_another() -> None:
    assert set(same_person(VisaIdentity("a", "https://y/"), 9, [link("a", "b")])) == {VisaIdentity("a", "https://y/")}


def test_the_chain_that_lasts_longest_counts() -> None:
    assert names([link("a", "b", until=3), link("a", "c", until=7), link("c", "b", until=5)]) == {
        "a": 100,
        "b": 5,
        "c": 7,
    }


def test_nothing_lasts_longer_than_the_passport() -> None:
    assert names([link("a", "b", until=9)], until=4) == {"a": 4, "b": 4}


def test_a_link_cannot_meet_its_own_condition() -> None:
    wants_t_of_b = read_conditions([[{"type": "T", "value": "const:v"}]])
    of_b = Standing(1, VisaIdentity("b", "https://x/"), Visa("T", 1, "v", "s"), 9)
    assert names([link("a", "b", when=wants_t_of_b), of_b]) == {"a": 100}
    assert names([link("a", "b", when=wants_t_of_b), of_b, link("a", "b", until=2)]) == {"a": 100, "b": 2}


def test_without_conditions_a_visa_is_usable_always() -> None:
    of_a = Standing(0, VisaIdentity("a", "https://x/"), Visa("T", 1, "v", "s", None, ()), 9)
    assert usable_until(of_a, {}, []) == LATEST_TIME
