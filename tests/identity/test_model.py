# SPDX-License-Identifier: Apache-2.0
from megagenome.identity.model import subject_of
from megagenome.standards.passport import VisaIdentity


def test_a_subject_is_one_text_of_both_names() -> None:
    assert subject_of(VisaIdentity("p@ls-aai", "https://login.example/")) == "p@ls-aai@https://login.example/"
