# SPDX-License-Identifier: Apache-2.0
"""The people table: one line for each person, tab-separated, with a header. No outside standard.

What a cell may hold: docs/collection.md. Further columns are the holder's own.
"""

COLUMNS = (
    "individual_id",
    "sample_id",
    "sex",
    "country",
    "population",
    "birth_year",
    "diseases",
    "phenotypes",
    "consent",
)
"""What columns are called that every holder's table may have, in any order; only the first must be there."""
