# SPDX-License-Identifier: Apache-2.0
"""What comes over HTTP as facts. The routes themselves are asked in the journeys."""

import json
from collections.abc import Callable

import httpx
import pytest

from megagenome.app.demo import answers
from megagenome.kernel.errors import Unavailable
from megagenome.network.question import parse
from megagenome.synthetic.truth import AlleleTruth, CohortQuestion

ALLELE = AlleleTruth("22-101-A-G", "22", 100, 101, "", ())


def server(reply: object, status: int = 200, see: Callable[[httpx.Request], None] = lambda _: None) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        see(request)
        return httpx.Response(status, content=json.dumps(reply).encode())

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://node")


def frequency(population: str, count: int) -> dict[str, object]:
    return {
        "population": population,
        "alleleFrequency": count / 100,
        "alleleCount": count,
        "alleleNumber": 100,
        "alleleCountHomozygous": 1,
        "alleleCountHeterozygous": count - 2,
        "alleleCountHemizygous": 0,
    }


def beacon_answer(**response: object) -> dict[str, object]:
    return {
        "meta": {"beaconId": "x", "apiVersion": "v2.0"},
        "responseSummary": {"exists": True, "numTotalResults": 7},
        "response": {"resultSets": [], **response},
    }


def test_beacon_asks_with_flat_parameters_and_reads_the_sums() -> None:
    seen: list[httpx.Request] = []
    frequencies = [frequency("Total", 12), frequency("FI:WFI", 12)]
    reply = beacon_answer(info={"combined": {"frequencies": frequencies}})
    facts = answers.beacon_allele(server(reply, see=seen.append), ALLELE, "GRCh38")
    assert facts == {"found": "yes", "Total": "12 of 100 (1 hom, 10 het, 0 hemi)"}
    [request] = seen
    assert dict(request.url.params) == {
        "assemblyId": "GRCh38",
        "referenceName": "22",
        "start": "100",
        "referenceBases": "A",
        "alternateBases": "G",
        "requestedGranularity": "record",
    }


QUESTION = CohortQuestion(
    sex="female",
    at_least=40,
    at_most=59,
    terms=("HP:0001250", "ICD10:E11"),
    excluded=("HP:0000545",),
    smoking="current",
    carries="22-101-A-G",
)


def test_cohort_becomes_filters() -> None:
    seen: list[httpx.Request] = []
    facts = answers.beacon_people(server(beacon_answer(), see=seen.append), QUESTION, "GRCh38")
    assert facts == {"found": "yes", "people": "7"}
    query = json.loads(seen[0].content)["query"]
    assert query["filters"] == [
        {"id": "NCIT:C16576"},
        {"id": "age", "operator": ">=", "value": "40"},
        {"id": "age", "operator": "<=", "value": "59"},
        {"id": "HP:0001250"},
        {"id": "ICD10:E11"},
        {"id": "HP:0000545", "operator": "!"},
        {"id": "smoking", "operator": "=", "value": "current"},
    ]
    assert query["requestParameters"]["g_variant"]["start"] == 100


def test_cohort_becomes_a_question_of_the_language() -> None:
    text = answers.cohort_text(QUESTION)
    assert text == (
        "sex=female age>=40 age<=59 phenotype=HP:0001250 disease=ICD10:E11 !phenotype=HP:0000545 "
        "smoking=current carries=22-101-A-G"
    )
    assert len(parse(text)) == 8


@pytest.mark.parametrize("status", [400, 500, 503])
def test_what_is_no_answer_is_an_error(status: int) -> None:
    with pytest.raises(Unavailable, match=f"answers {status}"):
        answers.ask_variant(server({"detail": "no"}, status), ALLELE, "GRCh38")
