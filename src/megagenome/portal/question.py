# SPDX-License-Identifier: Apache-2.0
"""The cohort form as a question: checked, in words, and as the text that the API and the command line take."""

import re
from collections.abc import Mapping, Sequence
from typing import Self
from urllib.parse import parse_qsl

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import parse_country
from megagenome.portal.countries import country_name
from megagenome.portal.examples import ASSEMBLIES
from megagenome.standards.federation import Term

SEXES = {"female": "female", "male": "male"}
TERM_FIELDS = ("phenotype", "disease")
"""Fields of the form that take terms; each is also the kind of its terms."""
OLDEST = 150
_CURIE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._/-]*")


class CohortForm(msgspec.Struct, frozen=True):
    """The fields as typed; empty where nothing is asked. Names are those of the page's address.

    `dataset` is no part of the question: what the reader is on the way to apply for, which the pages pass on.
    """

    sex: str = ""
    age_from: str = ""
    age_to: str = ""
    phenotype: str = ""
    disease: str = ""
    carrier: str = ""
    assembly: str = ""
    country: str = ""
    dataset: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked: an assembly alone says nothing of people."""
        return not any(self.replaced(assembly="", dataset=""))

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """The form's part of an address, without blanks around the values."""
        return cls(**{name: query[name].strip() for name in cls.__struct_fields__ if name in query})

    @classmethod
    def parse(cls, text: str) -> Self:
        """The form that a page carries as the query of its own address."""
        return cls.read(dict(parse_qsl(text[:10_000])))

    def replaced(self, **values: str) -> dict[str, str]:
        """The fields that are filled, with `values` in place of theirs: the query of a link to the changed form."""
        filled = msgspec.structs.asdict(msgspec.structs.replace(self, **values))
        return {name: value for name, value in filled.items() if value}


def is_curie(text: str) -> bool:
    """True for a term id such as `HP:0001250`; other texts are looked up."""
    return _CURIE.fullmatch(text) is not None


def faults(form: CohortForm) -> dict[str, str]:
    """What is wrong with each field, by its name, in one line each; under `""` what is wrong with the whole.
    Empty when the form can be asked."""
    found = {}
    for name, label in (("age_from", "Age from"), ("age_to", "Age to")):
        value = getattr(form, name)
        if value and not (value.isascii() and value.isdecimal() and len(value) <= 9 and int(value) <= OLDEST):
            found[name] = f"{label}: give whole years from 0 to {OLDEST}."
    if not found and form.age_from and form.age_to and int(form.age_from) > int(form.age_to):
        found["age_to"] = "Age to: it is below the age that the range begins with."
    if form.sex and form.sex not in SEXES:
        found["sex"] = "Sex: choose female, male or any."
    if not re.fullmatch(r'[^\s"@]*', form.carrier):
        found["carrier"] = "Carrier of: give one variant, such as 22-16050075-A-G."
    if form.assembly not in ("", *ASSEMBLIES):
        found["assembly"] = f"Assembly: choose {' or '.join(ASSEMBLIES)}."
    try:
        if form.country:
            parse_country(form.country)
    except Invalid as error:
        found["country"] = f"Country: {error}."
    if not found and form.is_empty:
        found[""] = "Fill in at least one field."
    return found


def question_text(form: CohortForm) -> str:
    """The question for the API and for `megagenome ask cohort`. Needs a form without faults whose terms are ids."""
    parts = [
        f"sex={form.sex}" if form.sex else "",
        f"age>={int(form.age_from)}" if form.age_from else "",
        f"age<={int(form.age_to)}" if form.age_to else "",
        f"phenotype={form.phenotype}" if form.phenotype else "",
        f"disease={form.disease}" if form.disease else "",
        f"carries={form.carrier}" + (f"@{form.assembly}" if form.assembly else "") if form.carrier else "",
        f"country={form.country}" if form.country else "",
    ]
    return " ".join(part for part in parts if part)


def in_words(form: CohortForm, labels: Mapping[str, str]) -> str:
    """The question as one sentence; `labels` has the name of each term id where it is known."""
    people = f"{SEXES[form.sex].capitalize()} participants" if form.sex else "People"
    ages = {
        (True, True): f"aged {form.age_from} to {form.age_to}",
        (True, False): f"aged {form.age_from} or more",
        (False, True): f"aged up to {form.age_to}",
        (False, False): "",
    }[bool(form.age_from), bool(form.age_to)]
    parts = [
        ages,
        f"with {_named(form.phenotype, labels)} observed" if form.phenotype else "",
        f"with the diagnosis {_named(form.disease, labels)}" if form.disease else "",
        f"who carry {form.carrier}" + (f" ({form.assembly})" if form.assembly else "") if form.carrier else "",
        f"recorded in {country_name(form.country)}" if form.country else "",
    ]
    return f"{people} {', '.join(part for part in parts if part)}".rstrip() + "."


def _named(term: str, labels: Mapping[str, str]) -> str:
    return f"{labels[term]} ({term})" if term in labels else term


def chosen_term(text: str, terms: Sequence[Term], kind: str) -> Term | None:
    """The term that `text` means without doubt: its id or name exactly, or, for a word, the only one that matches."""
    matching = fitting(terms, kind)
    exact = [term for term in matching if text.casefold() in (term.id.casefold(), term.label.casefold())]
    if len(exact) == 1:
        return exact[0]
    return matching[0] if len(matching) == 1 and not is_curie(text) else None


def fitting(terms: Sequence[Term], kind: str) -> list[Term]:
    """The terms for the field `kind`, in the order in which they came: those of that kind, and ontology terms of
    which the network says no kind."""
    return [term for term in terms if term.kind == kind or (term.kind not in TERM_FIELDS and is_curie(term.id))]
