# SPDX-License-Identifier: Apache-2.0
"""Terms of the Data Use Ontology (DUO, release 2021-02-23, https://github.com/EBISPOT/DUO), with what they mean in
plain words. The words are ours; the ontology's own definitions are written for committees."""

from enum import Enum
from typing import NamedTuple

from megagenome.standards.dataset_record import DataUse

IRI = "http://purl.obolibrary.org/obo/"


class Needs(Enum):
    """What a term is limited to, beside itself."""

    NOTHING = ""
    DISEASES = "diseases by their ids in MONDO, with their names for readers: MONDO:0005027 epilepsy"
    DATE = "a day, such as 2027-06-30"
    MONTHS = "a number of months"
    COUNTRIES = "countries by ISO 3166, such as FI"
    NAMES = "names"


class Term(NamedTuple):
    """A term: its short name among committees, its words for everybody, and what it needs with it.

    `words` has a `{}` where the values stand.
    """

    code: str
    words: str
    needs: Needs = Needs.NOTHING
    is_permission: bool = False


TERMS: dict[str, Term] = {
    "DUO:0000004": Term("NRES", "May be used for any purpose.", is_permission=True),
    "DUO:0000042": Term("GRU", "May be used for any kind of research.", is_permission=True),
    "DUO:0000006": Term("HMB", "May be used for research into health and medicine only.", is_permission=True),
    "DUO:0000007": Term("DS", "May be used for research into {} only.", Needs.DISEASES, is_permission=True),
    "DUO:0000011": Term("POA", "May be used for research into ancestry and populations only.", is_permission=True),
    "DUO:0000012": Term("RS", "May be used for certain research only: {}.", Needs.NAMES),
    "DUO:0000015": Term("NMDS", "May not be used to develop methods unless they serve the allowed research."),
    "DUO:0000016": Term("GSO", "May be used for genetic studies only."),
    "DUO:0000018": Term("NPUNCU", "May be used by not-for-profit organisations, and not commercially."),
    "DUO:0000019": Term("PUB", "Who uses it must publish what they find."),
    "DUO:0000020": Term("COL", "May be used in collaboration with those who made it only."),
    "DUO:0000021": Term("IRB", "Who uses it needs the approval of an ethics committee."),
    "DUO:0000022": Term("GS", "May be used in these countries only: {}.", Needs.COUNTRIES),
    "DUO:0000024": Term("MOR", "Nothing may be published from it before {}.", Needs.DATE),
    "DUO:0000025": Term("TS", "May be used for {} months.", Needs.MONTHS),
    "DUO:0000026": Term("US", "May be used by these people only: {}.", Needs.NAMES),
    "DUO:0000027": Term("PS", "May be used in these projects only: {}.", Needs.NAMES),
    "DUO:0000028": Term("IS", "May be used by these institutions only: {}.", Needs.NAMES),
    "DUO:0000029": Term("RTN", "Who uses it must give their results back."),
    "DUO:0000043": Term("CC", "May be used for the care of patients, too."),
    "DUO:0000044": Term("NPOA", "May not be used for research into ancestry and populations."),
    "DUO:0000045": Term("NPU", "May be used by not-for-profit organisations only."),
    "DUO:0000046": Term("NCU", "May not be used commercially."),
}
"""By id. The two abstract terms of the ontology are left out: they permit and restrict nothing."""


def plain_words(use: DataUse) -> str:
    """What a term means, for everybody. An unknown term is shown as it is."""
    term = TERMS.get(use.term)
    if term is None:
        return f"{use.term} {', '.join(use.values)}".strip()
    if term.needs is Needs.DISEASES:
        labels = [f"{label} ({disease})" if label else disease for disease, label in map(split_disease, use.values)]
        return term.words.format(", ".join(labels))
    return term.words.format(", ".join(use.values))


def split_disease(value: str) -> tuple[str, str]:
    """The id of a disease and its name, which the holder may have written behind it: `MONDO:0005027 epilepsy`."""
    disease, _, label = value.partition(" ")
    return disease, label.strip()


def iri_of(term: str) -> str:
    """The address of a term by its id: `DUO:0000006`, `MONDO:0005027`."""
    return IRI + term.replace(":", "_")
