# SPDX-License-Identifier: Apache-2.0
import io

import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.reference import obo

SMALL = r"""format-version: 1.2
data-version: xo/releases/2024-02-29
ontology: xo

[Term]
id: XO:3
name: leaf with a "quote\"
alt_id: XO:30
alt_id: XO:6
alt_id: XO:7
synonym: "Blatt \"am\" Baum" EXACT layperson [PMID:1, "x"]
synonym: "needle" NARROW []
is_a: XO:2 {source="PMID:2"} ! twig
is_a: XO:1 ! root

[Term]
id: XO:1
name: root

[Term]
id: XO:2
name: twig
is_a: XO:1 ! root
relationship: part_of XO:1

[Term]
id: XO:4
name: obsolete gone
is_obsolete: true

[Term]
id: XO:5
name: obsolete renamed
is_obsolete: true
replaced_by: XO:2

[Term]
id: XO:6
name: obsolete renamed, though a leaf claims it
is_obsolete: true
replaced_by: XO:1

[Term]
id: XO:7
name: obsolete split, though a leaf claims it
is_obsolete: true
replaced_by: XO:2
replaced_by: XO:3
consider: XO:1

[Term]
id: XO:8
name: obsolete, replaced by what is obsolete
is_obsolete: true
replaced_by: XO:4

[Typedef]
id: part_of
name: part of
is_transitive: true
"""


def read(text: str) -> tuple[str, obo.Table]:
    return obo.read(io.StringIO(text))


def test_a_small_ontology() -> None:
    version, table = read(SMALL)
    assert version == "xo/releases/2024-02-29"
    assert table == obo.Table(
        ids=("XO:1", "XO:2", "XO:3"),
        labels=("root", "twig", 'leaf with a "quote"'),
        parents=((), (0,), (1, 0)),
        moved={"XO:30": 2, "XO:5": 1, "XO:6": 0},
        retired={"XO:4": (), "XO:7": ("XO:2", "XO:3", "XO:1"), "XO:8": ("XO:4",)},
        names='root\t0\ntwig\t1\nleaf with a "quote"\t2\nblatt "am" baum\t2\nneedle\t2\n',
    )


def test_a_file_without_typedefs_keeps_its_last_term() -> None:
    assert read(SMALL[: SMALL.index("[Typedef]")].rstrip()) == read(SMALL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no data-version or no terms"),
        ("data-version: 1\n", "no data-version or no terms"),
        (SMALL.replace("id: XO:1\n", "id: XO:2\n", 1), "the OBO file has a term twice"),
        (SMALL.replace("data-version", "other"), "no data-version or no terms"),
        (SMALL.replace("id: XO:1\n", "", 1), "a term of the OBO file has no id"),
        (SMALL.replace("is_a: XO:2", "is_a: XO:99"), "term XO:3 of the OBO file is a XO:99, which is not in it"),
    ],
)
def test_what_is_no_whole_ontology_is_corrupt(text: str, message: str) -> None:
    with pytest.raises(Corrupt, match=message):
        read(text)
