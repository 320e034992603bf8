# SPDX-License-Identifier: Apache-2.0
"""Pages of a node's catalogue: its datasets, one of them, and what is left of one that was withdrawn.

The catalogue's own routes serve them, at the addresses at which programs get the same as RDF.
"""

from typing import Any

import msgspec
from markupsafe import Markup

from megagenome.portal.pages import render
from megagenome.standards.catalogue_pages import CataloguePage, DatasetPage, PublicPreview, WithdrawnPage
from megagenome.standards.dataset_fields import ACCESS_RIGHTS, KINDS, topics

_DECIDERS = {
    "1MGCompliant": "The country's holder of the data decides on applications.",
    "1MGCohort": "The network's committee recommends, and each country may say no; none says yes by silence.",
    "ExternallyGoverned": "Applications are decided elsewhere: ask the contact point.",
    "": "The health data access body decides on applications, and this country's desk countersigns each permit.",
}


def catalogue_page(shown: CataloguePage | DatasetPage | WithdrawnPage, preview: PublicPreview | None = None) -> str:
    """The page of whatever the catalogue shows. With a `preview`, of a dataset, it says first that nobody else sees it,
    and what everybody will be able to ask."""
    if isinstance(shown, CataloguePage):
        return render("catalogue.html", page=shown, access=ACCESS_RIGHTS, schema_org=_as_data(shown.schema_org))
    if isinstance(shown, WithdrawnPage):
        return render("catalogue_withdrawn.html", page=shown)
    return render(
        "catalogue_dataset.html",
        page=shown,
        record=shown.record,
        governance=shown.record.governance,
        access=ACCESS_RIGHTS,
        kinds=KINDS,
        decides=_DECIDERS[shown.record.conforms_to],
        schema_org=_as_data(shown.schema_org),
        preview=preview,
        left=topics(preview.missing) if preview else "",
    )


def _as_data(said: dict[str, Any]) -> Markup:
    """JSON for a script element that no browser runs: what could end the element is escaped as JSON lets it be."""
    text = msgspec.json.encode(said).decode()
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - without <, > and & it cannot end its element
