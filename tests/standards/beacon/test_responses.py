# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

import msgspec
import pytest

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Corrupt, NotFound
from megagenome.standards.beacon import (
    BeaconError,
    CountPrecision,
    ErrorResponse,
    Frequency,
    FrequencyInPopulations,
    GenomicVariant,
    Number,
    ResponseMeta,
    ResultSet,
    SequenceInterval,
    SequenceLocation,
    Variation,
    contig_of,
    decode_answer,
    decode_error_message,
    read_internal_id,
    variant_internal_id,
    withheld_below,
)

ALLELE = Allele("GRCh37", "22", 16050074, "A", "G")


@pytest.mark.parametrize(
    "allele", [ALLELE, Allele("GRCh38", "X", 0, "AC", "<DEL>"), Allele("GRCh38", "MT", 9, "A", "]13:5]A")]
)
def test_the_name_of_an_allele_is_read_as_it_was_written(allele: Allele) -> None:
    parameters = read_internal_id(variant_internal_id(allele))
    assert (parameters.assembly_id, parameters.reference_name) == (allele.assembly, allele.contig)
    assert (parameters.start, parameters.end) == ((allele.start,), ())
    assert (parameters.reference_bases, parameters.alternate_bases) == (allele.ref, allele.alt)


@pytest.mark.parametrize("text", ["", "x", "GRCh37-22-1-A", "GRCh37-22-1-A-", "GRCh37-22--1-A-G", "22-1-A-G"])
def test_what_names_no_allele_is_not_found(text: str) -> None:
    with pytest.raises(NotFound, match="such as"):
        read_internal_id(text)


def test_an_answer_as_the_gdi_portals_tests_have_it() -> None:
    """Counts are floats there, there is no returnedSchemas, and sequence_id holds a whole expression."""
    document: dict[str, Any] = {
        "meta": {"apiVersion": "v2.0.0", "beaconId": "es.gdi.af.beacon-network", "returnedGranularity": "record"},
        "responseSummary": {"exists": True, "numTotalResults": 40628794},
        "response": {
            "resultSets": [
                {
                    "beaconId": "org.nbis.test",
                    "exists": True,
                    "id": "EGAD50000000276",
                    "resultsCount": 22246418,
                    "setType": "dataset",
                    "results": [
                        {
                            "frequencyInPopulations": [
                                {
                                    "source": "The Genome of Europe",
                                    "sourceReference": "https://genomeofeurope.eu/",
                                    "frequencies": [
                                        {
                                            "population": "FR_M",
                                            "alleleFrequency": 0.13095,
                                            "alleleCount": 7102.0,
                                            "alleleNumber": "54233",
                                            "alleleCountHomozygous": 2400.0,
                                        }
                                    ],
                                }
                            ],
                            "variantInternalId": "69dce43a:G:T",
                            "variation": {
                                "location": {
                                    "type": "SequenceLocation",
                                    "sequence_id": "HGVSid:11:g.87202G>T",
                                    "interval": {
                                        "type": "SequenceInterval",
                                        "start": {"type": "Number", "value": 87202},
                                        "end": {"type": "Number", "value": 87203},
                                    },
                                },
                                "alternateBases": "T",
                                "referenceBases": "G",
                                "variantType": "SNP",
                            },
                        }
                    ],
                }
            ]
        },
    }
    answer = decode_answer(json.dumps(document).encode())
    found = answer.response.result_sets[0]
    assert (found.beacon_id, found.id, found.results_count) == ("org.nbis.test", "EGAD50000000276", 22246418)
    record = found.results[0]
    assert record.allele("GRCh38") == Allele("GRCh38", "11", 87202, "G", "T")
    assert record.frequency_in_populations[0].frequencies == (Frequency("FR_M", 0.13095, 7102, 54233, 2400),)
    assert answer.response.info.combined is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"responseSummary": {"exists": "maybe"}}',
        b'{"responseSummary": {"exists": true}, "response": {"resultSets": [{}]}}',
        b'{"responseSummary": {"exists": true, "numTotalResults": 1.5}}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[-30:]),
)
def test_what_is_no_answer_is_corrupt(body: bytes) -> None:
    with pytest.raises(Corrupt, match="not a Beacon answer"):
        decode_answer(body)


def test_what_the_schema_requires_is_written_even_where_it_is_nothing() -> None:
    assert msgspec.to_builtins(ResultSet("A")) == {
        "id": "A", "setType": "dataset", "exists": False, "resultsCount": 0, "results": ()
    }  # fmt: skip
    assert msgspec.to_builtins(Variation()) == {"variantType": "SNP", "alternateBases": ""}
    assert msgspec.to_builtins(Frequency("FI", 0.0, 0, 10)) == {
        "population": "FI", "alleleFrequency": 0.0, "alleleCount": 0, "alleleNumber": 10
    }  # fmt: skip
    assert msgspec.to_builtins(FrequencyInPopulations(())) == {"frequencies": (), "source": "", "sourceReference": ""}


@pytest.mark.parametrize(
    ("sequence_id", "contig"),
    [
        ("HGVSid:22", "22"),
        ("HGVSid:22:g.16050075A>G", "22"),
        ("HGVSid:chrX:g.1A>T", "X"),
        ("refseq:NC_000022.10", "NC_000022.10"),
        ("22", "22"),
        ("chr22", "22"),
    ],
)
def test_the_contig_in_a_sequence_id(sequence_id: str, contig: str) -> None:
    assert contig_of(sequence_id) == contig


def record(allele: Allele, alternate: str | None = None) -> GenomicVariant:
    place = SequenceLocation(f"HGVSid:{allele.contig}", SequenceInterval(Number(allele.start), Number(allele.end)))
    return GenomicVariant(
        variant_internal_id(allele),
        Variation("SNP", allele.alt if alternate is None else alternate, allele.ref, place),
    )


@pytest.mark.parametrize("alternate", ["G", "<CN0>", "]HLA-A*01:01:5]A", "*"])
def test_the_allele_of_a_record(alternate: str) -> None:
    allele = ALLELE._replace(alt=alternate)
    assert variant_internal_id(allele) == f"GRCh37-22-16050075-A-{alternate}"
    assert record(allele, alternate if alternate == "G" else "").allele("GRCh37") == allele


def test_a_record_that_does_not_say_its_allele_has_none() -> None:
    assert GenomicVariant("x").allele("GRCh37") is None
    unnamed = msgspec.structs.replace(record(ALLELE, ""), variant_internal_id="a1b2-c3")
    assert unnamed.allele("GRCh37") is None


def test_the_floor_that_a_withheld_count_states() -> None:
    assert withheld_below((9,)) == 10
    assert withheld_below((0, 4)) == 5
    assert withheld_below(("immediate ten",)) is None
    assert withheld_below(()) is None
    assert ResultSet("A", count_precision=CountPrecision.IMPRECISE).count_adjusted_to == ()


def test_errors_are_read() -> None:
    written = msgspec.json.encode(ErrorResponse(ResponseMeta("a"), BeaconError(400, "no such thing")))
    assert decode_error_message(written) == "no such thing"
    for other in (b"<html>", b"{}", b'{"error": "text"}', b""):
        assert decode_error_message(other) == ""
