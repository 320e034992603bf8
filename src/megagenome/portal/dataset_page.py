# SPDX-License-Identifier: Apache-2.0
"""Pages of the datasets that a hub harvested: finding among them, and one of them in plain words.

What a description says is foreign: it is escaped like everything, links lead to the web only, and the page says who
says it and when.
"""

from typing import NamedTuple

from megagenome.portal.pages import address, render
from megagenome.standards.dataset_fields import ACCESS_RIGHTS
from megagenome.standards.harvested import DatasetList, DatasetView

PER_PAGE = 20
FACET_NAMES = {
    "country": "Country",
    "category": "Category",
    "access": "Access",
    "use": "May be used for",
    "source": "Catalogue",
}
_LANGUAGES = frozenset({
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "is", "it", "lt", "lv", "mt", "nb",
    "nl", "nn", "no", "pl", "pt", "ro", "sk", "sl", "sv",
})  # fmt: skip
"""Those that a page may say a text is in; others are foreign words to a screen reader anyway."""
_DECIDERS = {
    "NON_PUBLIC": "Nobody may see data of individuals without a permit. {who} decides on applications.",
    "RESTRICTED": "It is open to those who meet its conditions. {who} says who does.",
    "PUBLIC": "Everybody may have the data, so nobody decides.",
    "": "Its description does not say who decides. Ask {who}.",
}


class Asked(NamedTuple):
    """What a reader looks for; `chosen` are pairs of a facet's name and a value."""

    text: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    skip: int = 0
    is_gone: bool = False

    def at(self, skip: int) -> str:
        """The address of the same from another dataset on."""
        pairs = [("q", self.text), ("gone", "yes" if self.is_gone else ""), *self.chosen, ("skip", str(skip or ""))]
        return datasets_address([pair for pair in pairs if pair[1]])


def datasets_address(pairs: list[tuple[str, str]]) -> str:
    """The address of a list; a name may stand in it several times."""
    query = "&".join(address("", {name: value}).removeprefix("?") for name, value in pairs)
    return f"/datasets?{query}" if query else "/datasets"


def datasets_page(found: DatasetList, asked: Asked, problem: str = "") -> str:
    """The datasets that fit, with what they can be narrowed by."""
    facets = [
        (name, FACET_NAMES[name], values) for facet in found.facets if (name := facet.name) and (values := facet.values)
    ]
    return render(
        "datasets.html",
        found=found,
        asked=asked,
        facets=facets,
        access=ACCESS_RIGHTS,
        language=language_of,
        problem=problem,
        previous=asked.at(max(0, asked.skip - PER_PAGE)) if asked.skip else "",
        next=asked.at(asked.skip + PER_PAGE) if asked.skip + len(found.datasets) < found.total else "",
    )


def dataset_page(view: DatasetView) -> str:
    """One dataset; of one that is gone, that it is."""
    if view.gone:
        return render("dataset_gone.html", view=view, language=language_of)
    said = view.described
    who = said.hdab.name or said.custodian.name or said.publisher.name or "the contact point"
    return render(
        "dataset.html",
        view=view,
        said=said,
        access=ACCESS_RIGHTS.get(said.access, "Access not stated"),
        decides=_DECIDERS[said.access].format(who=who),
        apply=_apply(view),
        language=language_of,
    )


def language_of(stated: str) -> str:
    """A language for the `lang` of a part of a page; empty where it is none that screen readers know."""
    is_tag = stated.isascii() and stated.replace("-", "").isalnum()
    return stated if is_tag and stated.partition("-")[0].lower() in _LANGUAGES else ""


def _apply(view: DatasetView) -> str:
    """Where to apply at this hub; empty where that is done elsewhere."""
    if not view.local or view.described.access == "PUBLIC":
        return ""
    return address("/applications/new", dataset=f"{view.source.node} {view.source.country} {view.local}")
