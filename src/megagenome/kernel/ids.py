# SPDX-License-Identifier: Apache-2.0
"""The ids that cross module borders, as types of their own, and the few that have a grammar."""

import re
from typing import NewType

from megagenome.kernel.errors import Invalid

DatasetId = NewType("DatasetId", str)
IndividualId = NewType("IndividualId", str)
SampleId = NewType("SampleId", str)
CohortId = NewType("CohortId", str)
PermitId = NewType("PermitId", str)
Curie = NewType("Curie", str)
Country = NewType("Country", str)
"""ISO 3166-1 alpha-2; `UNKNOWN_COUNTRY` where it is unrecorded."""

UNKNOWN_COUNTRY = Country("ZZ")
"""The user-assigned ISO 3166 code for an unknown country (as CLDR uses it)."""

_DATASET_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CURIE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._/-]*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOT_ISO = {"EL": "GR", "UK": "GB"}
"""Written by the institutions of the European Union for Greece and the United Kingdom."""


def parse_dataset_id(text: str) -> DatasetId:
    """A dataset id is up to 100 of A-Z a-z 0-9 . _ - and survives every URL, file name and proxy as it is."""
    if not _DATASET_ID.fullmatch(text):
        raise Invalid(f"dataset id {text[:100]!r}: use up to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit")
    return DatasetId(text)


def parse_curie(text: str) -> Curie:
    """A CURIE such as `HP:0001250`."""
    if not _CURIE.fullmatch(text):
        raise Invalid(f"{text[:100]!r} is not a CURIE such as HP:0001250")
    return Curie(text)


def parse_country(text: str) -> Country:
    """An ISO 3166-1 alpha-2 code, upper case. Only its form is checked, and that it is not one of the EU's own."""
    if text in _NOT_ISO:
        raise Invalid(f"country {text!r}: ISO 3166 writes {_NOT_ISO[text]}")
    if not _COUNTRY.fullmatch(text):
        raise Invalid(f"country {text[:20]!r}: use the two capital letters of ISO 3166, such as EE")
    return Country(text)
