# SPDX-License-Identifier: Apache-2.0
from typing import Any

import msgspec
import pytest

from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Carries,
    Cohort,
    FromCountry,
    FromPopulation,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    Not,
    canonical,
)
from megagenome.collection.model import FilteringTerm, Sex
from megagenome.discovery.model import KnownTerms, VariantQuestion
from megagenome.discovery.query import people_question, variant_question
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId
from megagenome.standards.beacon import decode_request, request_from_parameters
from tests.discovery.fake import FakeReference

DATASETS = {DatasetId("A"): 0, DatasetId("B"): 1}
ASSEMBLIES = frozenset({"GRCh37"})
TERMS = KnownTerms({"smoker": FilteringTerm("smoker", "smoker", "custom")}, frozenset({"ICD10"}))
ALLELE = Allele("GRCh37", "22", 16050074, "A", "G")
EXACT = {"referenceName": "22", "start": [16050074], "referenceBases": "A", "alternateBases": "G"}


def ask(parameters: Any = None, assemblies: frozenset[str] = ASSEMBLIES, **query: Any) -> VariantQuestion:
    body = {"meta": {"apiVersion": "v2.0"}, "query": {"requestParameters": parameters, **query}}
    request = decode_request(msgspec.json.encode(body))
    return variant_question(request, DATASETS, assemblies, page=1000, widest=1_000_000)


def cohort(*filters: Any, parameters: Any = None) -> Cohort:
    body = {"query": {"filters": filters, "requestParameters": parameters}}
    request = decode_request(msgspec.json.encode(body))
    return people_question(request, DATASETS, ASSEMBLIES, FakeReference().ontology_for, lambda: TERMS).cohort


@pytest.mark.parametrize("name", ["22", "chr22", "CHR22", "NC_000022.10", "refseq:NC_000022.10", "CM000684.1"])
@pytest.mark.parametrize("assembly", ["GRCh37", "hg19", "grch37.p13", ""])
@pytest.mark.parametrize(
    "start", [[16050074], 16050074, "16050074", ["16050074"]], ids=["list", "int", "text", "texts"]
)
def test_one_allele_in_all_the_dialects(name: str, assembly: str, start: Any) -> None:
    flat = {**EXACT, "referenceName": name, "assemblyId": assembly, "start": start, "variantType": ""}
    for parameters in (flat, {"g_variant": flat}, [flat], [{"g_variant": flat}], {"g_variant": [flat]}):
        assert ask(parameters).place == ALLELE
    assert ask({**flat, "end": 16050075}).place == ALLELE
    assert ask({**flat, "alternateBases": "g", "referenceBases": "a"}).place == ALLELE


def test_one_allele_by_get() -> None:
    pairs = [(k, str(v)) for k, v in EXACT.items() if k != "start"]
    request = request_from_parameters([*pairs, ("start", "16050074"), ("datasets", "B,A"), ("limit", "0")])
    question = variant_question(request, DATASETS, ASSEMBLIES, page=1000, widest=1)
    assert question == VariantQuestion(ALLELE, (0, 1), 0, 1000, named=True)


def test_an_accession_says_the_assembly() -> None:
    both = frozenset({"GRCh37", "GRCh38"})
    assert ask({**EXACT, "referenceName": "NC_000022.11"}, both).place.assembly == "GRCh38"
    with pytest.raises(Invalid, match="assemblyId is missing: GRCh37 or GRCh38"):
        ask(EXACT, both)
    with pytest.raises(Invalid, match="it is a contig of GRCh37"):
        ask({**EXACT, "referenceName": "NC_000022.10", "assemblyId": "GRCh38"}, both)


def test_alleles_become_parsimonious_and_symbolic_ones_stay() -> None:
    assert ask({**EXACT, "referenceBases": "ACC", "alternateBases": "AC"}).place == ALLELE._replace(ref="AC", alt="A")
    for alternate in ("<CN0>", "<INS:ME:ALU>", "*", "A]21:100]", "[chr2:5[T"):
        assert ask({**EXACT, "alternateBases": alternate}).place == ALLELE._replace(alt=alternate)


def test_a_region_and_a_gene() -> None:
    region = ask({"referenceName": "chr22", "start": [100], "end": ["200"], "referenceBases": " "})
    assert region == VariantQuestion(Region("GRCh37", "22", 100, 200), (0, 1), 0, 10)
    gene = ask({"geneId": "pcsk9"}).place
    assert gene[:2] == ("GRCh37", "1")
    assert gene.start < 55505647 < 55529187 < gene.end  # its coding sequence


def test_pages() -> None:
    assert ask(EXACT, pagination={"skip": "5", "limit": 0})[2:4] == (5, 1000)
    assert ask(EXACT, pagination={"limit": 5000})[2:4] == (0, 1000)
    assert ask(EXACT, pagination={"limit": "3"})[2:4] == (0, 3)


REFUSED_VARIANTS: list[tuple[Any, str]] = [
    (None, "say which variants"),
    ({}, "say which variants"),
    ({**EXACT, "start": [5, 9], "end": [20, 30]}, "bracket queries"),
    ({**EXACT, "start": "5,9", "end": "20,30"}, "bracket queries"),
    ({**EXACT, "start": [1, 2, 3]}, "takes one, or two"),
    ({"geneId": "BRCA2", "aminoacidChange": "V600E"}, "aminoacidChange is not supported"),
    ({"geneId": "BRCA2", "start": 5}, "leave out referenceName, start"),
    ({"geneId": "NOSUCHGENE"}, "no gene is called"),
    ({"genomicAlleleShortForm": "NM_004006.2:c.4375C>T"}, "genomicAlleleShortForm"),
    ({**EXACT, "variantType": "SNP"}, "variantType is not supported"),
    ({**EXACT, "variantMinLength": 5}, "variantMinLength"),
    ({**EXACT, "variantMaxLength": "5"}, "variantMaxLength"),
    ({**EXACT, "mateName": "2"}, "mateName"),
    ({**EXACT, "colour": "red"}, "unknown request parameter 'colour'"),
    ({**EXACT, "referenceName": "99"}, "no contig '99'"),
    ({**EXACT, "assemblyId": "mm10"}, "unknown assembly 'mm10'"),
    ({**EXACT, "referenceName": ""}, "referenceName is missing"),
    ({k: v for k, v in EXACT.items() if k != "start"}, "start is missing"),
    ({**EXACT, "start": [-1]}, "start -1"),
    ({**EXACT, "start": [10**12]}, "start 1000000000000"),
    ({**EXACT, "start": [51304566]}, "22 has 51304566 bases"),
    ({**EXACT, "start": [1.5]}, "not a whole number"),
    ({**EXACT, "start": ["one"]}, "not a whole number"),
    ({**EXACT, "start": "45,823,239"}, "has 3 values"),
    ({**EXACT, "end": [16050080]}, "does not agree"),
    ({"referenceName": "22", "start": [200], "end": [100]}, "0 <= start < end"),
    ({"referenceName": "22", "start": [200], "end": [200]}, "0 <= start < end"),
    ({"referenceName": "22", "start": [0], "end": [10**9]}, "0 <= start < end"),
    ({"referenceName": "22", "start": [0], "end": [1_000_001]}, "at most 1000000"),
    ({"referenceName": "22", "start": [200]}, "give end for a region"),
    ({**EXACT, "alternateBases": ""}, "give both"),
    ({**EXACT, "referenceBases": ""}, "give both"),
    ({**EXACT, "alternateBases": "N"}, "no wildcards"),
    ({**EXACT, "alternateBases": "-"}, "with the base before"),
    ({**EXACT, "alternateBases": "A"}, "are the same"),
    ({**EXACT, "alternateBases": "A" * 10_001}, "10000 bases at most"),
    ({**EXACT, "start": [51304565], "referenceBases": "AA"}, "beyond the end"),
    ([EXACT, {"start": [5]}], "given twice"),
    ({"g_variant": EXACT, "start": [5]}, "given twice"),
    ({"g_variant": "x"}, "is an object"),
    ("22-1-A-G", "is an object"),
    ({**EXACT, "datasets": ["A", "Z"]}, "unknown dataset 'Z'"),
    ({**EXACT, "datasets": {"datasetIds": "Z"}}, "unknown dataset 'Z'"),
    ({**EXACT, "datasets": 5}, "datasets is a list"),
    ({**EXACT, "assemblyId": {"a": 1}}, "must be a text"),
]


@pytest.mark.parametrize(("parameters", "message"), REFUSED_VARIANTS)
def test_what_is_not_supported_is_refused_and_says_so(parameters: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ask(parameters)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"filters": ["HP:0001250"]}, "ask /individuals"),
        ({"pagination": {"skip": -1}}, "skip -1"),
        ({"pagination": {"limit": "many"}}, "limit 'many'"),
        ({"requestedGranularity": "everything"}, "requestedGranularity"),
        ({"includeResultsetResponses": "SOME"}, "includeResultsetResponses"),
    ],
)
def test_what_is_wrong_around_the_parameters_is_refused(query: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ask(EXACT, **query)


def test_datasets_are_chosen() -> None:
    assert ask({**EXACT, "datasets": ["B"]}).datasets == (1,)
    assert ask({"g_variant": EXACT, "datasets": {"datasetIds": ["B", "A", "B"]}}).datasets == (0, 1)
    assert ask({**EXACT, "datasetIds": "A"}).datasets == (0,)
    assert ask({**EXACT, "datasets": []}).datasets == (0, 1)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"id": "HP:0001250"}, HasTerm("HP:0001250")),
        ("HP:0001250", HasTerm("HP:0001250")),
        ({"id": "HP:0001275"}, HasTerm("HP:0001250")),  # an old id of the same term
        ({"id": "HP:0001250", "includeDescendantTerms": False}, HasTerm("HP:0001250", descendants=False)),
        ({"id": "HP:0001250", "operator": "!"}, Not(HasTerm("HP:0001250"))),
        ({"id": "HP:0000118", "scope": "individuals"}, HasTerm("HP:0000118")),  # that nobody is described with
        ({"id": "ICD10:I83", "similarity": "exact"}, HasTerm("ICD10:I83")),
        ({"id": "NCIT:C16576", "scope": "individual"}, HasSex(Sex.FEMALE)),
        ({"id": "NCIT:C20197"}, HasSex(Sex.MALE)),
        ({"id": "sex", "operator": "=", "value": "NCIT:C20197"}, HasSex(Sex.MALE)),
        ({"id": "sex", "operator": "=", "value": "Female"}, HasSex(Sex.FEMALE)),
        ({"id": "sex", "operator": "!", "value": "female"}, Not(HasSex(Sex.FEMALE))),
        ({"id": "age", "operator": ">=", "value": "P30Y"}, HasAge(at_least=30)),
        ({"id": "age", "operator": ">", "value": 30}, HasAge(at_least=31)),
        ({"id": "age", "operator": "<", "value": "30"}, HasAge(at_most=29)),
        ({"id": "PATO:0000011", "operator": "<=", "value": "P30Y"}, HasAge(at_most=30)),
        ({"id": "age", "operator": "=", "value": "30"}, HasAge(30, 30)),
        ({"id": "age", "operator": "!", "value": "30"}, Not(HasAge(30, 30))),
        ({"id": "country", "operator": "=", "value": "fi"}, FromCountry("FI")),
        ({"id": "population", "operator": "=", "value": "FIN"}, FromPopulation("FIN")),
        ({"id": "smoker", "operator": "=", "value": "yes"}, HasCustom("smoker", "yes")),
        ({"id": "smoker", "operator": "!", "value": "yes"}, Not(HasCustom("smoker", "yes"))),
        ({"id": "smoker:yes"}, HasCustom("smoker", "yes")),
        ({"id": "smoker=no"}, HasCustom("smoker", "no")),
    ],
)
def test_filters_become_cohorts(filter_: Any, expected: Cohort) -> None:
    assert cohort(filter_) == expected


def test_filters_hold_together_and_with_a_variant() -> None:
    parts = (HasSex(Sex.FEMALE), HasTerm("HP:0001250"), Carries(ALLELE))
    assert cohort("NCIT:C16576", "HP:0001250", parameters={"g_variant": EXACT}) == canonical(All(parts))
    assert cohort(parameters=EXACT) == Carries(ALLELE)
    assert cohort() == EVERYONE


def test_a_dataset_is_chosen_by_filter_or_parameter() -> None:
    filters = [{"id": "dataset", "operator": "=", "value": "B"}]
    for query in ({"filters": filters}, {"requestParameters": {"datasets": ["B"]}}):
        request = decode_request(msgspec.json.encode({"query": query}))
        question = people_question(request, DATASETS, ASSEMBLIES, FakeReference().ontology_for, lambda: TERMS)
        assert question == (EVERYONE, (1,), True)


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        ({"id": "HP:9999999"}, "unknown term"),
        ({"id": "ICD9:X99"}, "unknown filter"),
        ({"id": "nothing"}, "unknown filter"),
        ({"id": "nothing:yes"}, "unknown filter"),
        ({"id": "smoker:yes", "operator": "=", "value": "no"}, "unknown filter"),
        ({"id": "HP:0001250", "operator": "=", "value": "5"}, "the term alone"),
        ({"id": "HP:0001250", "operator": ">"}, "the term alone"),
        ({"id": "HP:0001250", "similarity": "high"}, "similarity is not supported"),
        ({"id": "HP:0001250", "scope": "biosample"}, "scope 'biosample'"),
        ({"id": "sex", "operator": ">", "value": "female"}, "operator = or !"),
        ({"id": "sex", "operator": "=", "value": "blue"}, "sex 'blue'"),
        ({"id": "sex"}, "sex ''"),
        ({"id": "NCIT:C16576", "operator": "=", "value": "x"}, "the term alone"),
        ({"id": "age", "operator": "=", "value": "P30Y6M"}, "whole years"),
        ({"id": "age", "operator": "~", "value": "30"}, "operator"),
        ({"id": "age"}, "operator"),
        ({"id": "diseases.ageOfOnset.iso8601duration", "operator": ">", "value": "P30Y"}, "age of onset"),
        ({"id": "country", "operator": "=", "value": "Finland"}, "two capital letters"),
        ({"id": "country", "operator": "<", "value": "FI"}, "operator"),
        ({"id": "population", "operator": "="}, "operator"),
        ({"id": "smoker", "operator": "<", "value": "yes"}, "operator"),
        ({"id": "smoker"}, "operator"),
        ({"id": "dataset", "operator": "=", "value": "Z"}, "unknown dataset"),
        ({"id": "dataset", "operator": "!", "value": "A"}, "operator"),
        ({"id": ""}, "unknown filter"),
    ],
)
def test_filters_that_do_not_fit_are_refused(filter_: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        cohort(filter_)


def test_individuals_are_counted_by_one_exact_allele_only() -> None:
    with pytest.raises(Invalid, match="one exact allele"):
        cohort(parameters={"referenceName": "22", "start": [1], "end": [2]})
    with pytest.raises(Invalid, match="one exact allele"):
        cohort(parameters={"geneId": "BRCA2"})
