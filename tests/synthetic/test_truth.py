# SPDX-License-Identifier: Apache-2.0
from megagenome.network.question import parse
from megagenome.synthetic.truth import CohortQuestion, Truth

EVERYTHING = CohortQuestion(
    sex="male",
    at_least=40,
    at_most=59,
    terms=("HP:0000545", "ICD10:E11"),
    excluded=("HP:0001250",),
    smoking="never",
    carries="22-28695868-AG-A",
)


def test_a_cohort_question_reads_as_the_network_takes_it() -> None:
    assert EVERYTHING.text("GRCh38") == (
        "sex=male age>=40 age<=59 phenotype=HP:0000545 disease=ICD10:E11 !phenotype=HP:0001250 smoking=never"
        " carries=22-28695868-AG-A@GRCh38"
    )


def test_the_network_reads_each_question_as_the_same_clauses(truth: Truth) -> None:
    texts = [cohort.question.text(truth.assembly) for cohort in truth.cohorts]
    assert len(set(texts)) == len(texts)
    for text in [*texts, EVERYTHING.text("GRCh38")]:
        assert " ".join(map(str, parse(text))) == text
