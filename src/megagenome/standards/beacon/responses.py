# SPDX-License-Identifier: Apache-2.0
"""What a Beacon answers to a question: the envelope, result sets, variants with their frequencies, errors.

Beacon v2.1.1's schemas, and from v2.2 `countPrecision` and `countAdjustedTo`. Decode another Beacon's answer with
`decode_answer`: unknown fields are ignored, numbers may be strings or floats without a fraction.
"""

import re
from enum import StrEnum
from typing import Any

import msgspec

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Corrupt, NotFound
from megagenome.standards.beacon.requests import (
    API_VERSION,
    Granularity,
    IncludeResultsets,
    Pagination,
    RequestedSchema,
    RequestParameters,
    VariantParameters,
)
from megagenome.standards.individuals import OntologyTerm


def _written(default: Any) -> Any:
    """A default for what we read that is written all the same: the schema requires the field."""
    return msgspec.field(default_factory=lambda: default)


class CountPrecision(StrEnum):
    """How a count relates to the truth: it is it, it is not, it is rounded."""

    EXACT = "exact"
    IMPRECISE = "imprecise"
    ROUNDED = "rounded"


class Frequency(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """One population's counts, in the Genome of Europe's form that the GDI portal reads. Genotype counts are people."""

    population: str
    allele_frequency: float
    allele_count: int | None = None
    allele_number: int | None = None
    allele_count_homozygous: int | None = None
    allele_count_heterozygous: int | None = None
    allele_count_hemizygous: int | None = None


class FrequencyInPopulations(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Frequencies by one way of dividing people into populations. Never empty."""

    frequencies: tuple[Frequency, ...]
    source: str = _written("")
    source_reference: str = _written("")


class Number(msgspec.Struct, frozen=True):
    """An exact coordinate (VRS 1.3)."""

    value: int
    type: str = "Number"


class SequenceInterval(msgspec.Struct, frozen=True):
    """0-based half-open (VRS 1.3)."""

    start: Number
    end: Number
    type: str = "SequenceInterval"


class SequenceLocation(msgspec.Struct, frozen=True):
    """A place on a sequence (VRS 1.3).

    We write `sequence_id` as `HGVSid:22`, the contig as the assembly names it. It must be a CURIE; and the GDI portal's
    discovery service (`BeaconGVariantsRequestMapper.extractReferenceName`) shows as the contig's name what stands
    between the first and second colon after `HGVSid`, and any other CURIE whole (`refseq:NC_000022.10`). Other nodes
    write a whole expression there (`HGVSid:22:g.16050075A>G`), which names a variant, not a sequence; we read both, and
    give the expression with its accession in `identifiers.genomicHGVSId`.
    """

    sequence_id: str
    interval: SequenceInterval
    type: str = "SequenceLocation"


class Variation(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """LegacyVariation of the default model. `alternate_bases` is empty for symbolic alternates (the schema has no other
    way to write them); `variant_type` and the record's `variant_internal_id` name them."""

    variant_type: str = _written("SNP")
    alternate_bases: str = _written("")
    reference_bases: str = ""
    location: SequenceLocation | None = None


class Identifiers(msgspec.Struct, frozen=True, omit_defaults=True):
    """Other names of a variant."""

    genomic_hgvs_id: str = msgspec.field(name="genomicHGVSId", default="")


class GenomicVariant(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One allele of one dataset and what it tells of it. `variant_internal_id` as `variant_internal_id()` writes it."""

    variant_internal_id: str = ""
    variation: Variation = Variation()
    identifiers: Identifiers = Identifiers()
    frequency_in_populations: tuple[FrequencyInPopulations, ...] = ()

    def allele(self, assembly: str) -> Allele | None:
        """The allele, on `assembly` (a record does not say it); None where the record has none that can be told."""
        place = self.variation.location
        if place is None or not self.variation.reference_bases:
            return None
        start, reference = place.interval.start.value, self.variation.reference_bases
        # what the schema cannot write stands in the id: all after position and reference
        alternate = (
            self.variation.alternate_bases or self.variant_internal_id.partition(f"-{start + 1}-{reference}-")[2]
        )
        if not alternate:
            return None
        return Allele(assembly, contig_of(place.sequence_id), start, reference, alternate)


class CaseLevelData(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One person who carries the allele. The schema requires a biosample: where none is told it is the person again."""

    biosample_id: str
    individual_id: str
    zygosity: OntologyTerm


class VariantWithCases(GenomicVariant, frozen=True, rename="camel", omit_defaults=True):
    """The same with the people who carry it, as a permit lets a reader know them. Written; of others never read."""

    case_level_data: tuple[CaseLevelData, ...] = ()


class ResultSet(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One dataset's answer. `beacon_id` is set in the answers of a network only."""

    id: str
    set_type: str = _written("dataset")
    exists: bool = _written(False)
    results_count: int = _written(0)
    results: tuple[GenomicVariant, ...] = _written(())
    count_precision: CountPrecision | None = None
    count_adjusted_to: tuple[int | str, ...] = ()
    beacon_id: str = ""


class AnswerNotes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ours, for whoever adds up.

    combined  the Beacon's own sum over the asked datasets, each person once, in the frequencies' form
    shared    pairs of ids of asked datasets that have people in common and may both tell an allele: to add both would
              count these people twice
    """

    combined: FrequencyInPopulations | None = None
    shared: tuple[tuple[str, str], ...] = ()


class ResultSets(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The result sets of a `record` answer."""

    result_sets: tuple[ResultSet, ...] = _written(())
    info: AnswerNotes = AnswerNotes()


class ResponseSummary(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The answer in short. At `boolean` granularity only `exists` is set."""

    exists: bool = _written(False)
    num_total_results: int | None = None
    count_precision: CountPrecision | None = None
    count_adjusted_to: tuple[int | str, ...] = ()


class ReceivedRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The question as it was understood."""

    api_version: str = API_VERSION
    requested_schemas: tuple[RequestedSchema, ...] = ()
    filters: tuple[str, ...] = ()
    request_parameters: RequestParameters = RequestParameters()
    include_resultset_responses: IncludeResultsets = IncludeResultsets.HIT
    pagination: Pagination = Pagination()
    requested_granularity: Granularity = Granularity.BOOLEAN
    test_mode: bool = False


class ResponseMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Who answers, in which schema, what."""

    beacon_id: str
    api_version: str = API_VERSION
    returned_schemas: tuple[RequestedSchema, ...] = ()
    returned_granularity: Granularity = Granularity.BOOLEAN
    received_request_summary: ReceivedRequest = ReceivedRequest()


class BeaconResponse(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An answer at any granularity; `response` only at `record`."""

    meta: ResponseMeta
    response_summary: ResponseSummary
    response: ResultSets | None = None
    info: dict[str, Any] | None = None


class BeaconError(msgspec.Struct, frozen=True, rename="camel"):
    """Why there is no answer; `error_code` is the HTTP status."""

    error_code: int
    error_message: str = ""


class ErrorResponse(msgspec.Struct, frozen=True):
    """The envelope of an error."""

    meta: ResponseMeta
    error: BeaconError


class _TheirMeta(msgspec.Struct, frozen=True, rename="camel"):
    beacon_id: str = ""
    api_version: str | float = ""
    returned_granularity: str = ""


class AnswerSummary(msgspec.Struct, frozen=True, rename="camel"):
    """Another Beacon's summary. Without `exists` it is none, and would read as a no."""

    exists: bool
    num_total_results: int | None = None
    count_precision: CountPrecision | None = None
    count_adjusted_to: tuple[int | str, ...] = ()


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """Another Beacon's answer, as much of it as matters to one who asked: result sets and summary, no echo."""

    response_summary: AnswerSummary
    meta: _TheirMeta = _TheirMeta()
    response: ResultSets = ResultSets()


class _TheirMessage(msgspec.Struct, frozen=True, rename="camel"):
    error_message: str = ""


class _TheirError(msgspec.Struct, frozen=True):
    error: _TheirMessage


_answers = msgspec.json.Decoder(Answer, strict=False)
_errors = msgspec.json.Decoder(_TheirError, strict=False)


def decode_answer(body: bytes) -> Answer:
    """Read another Beacon's answer. Raises `Corrupt`, saying which field, when it is not one."""
    try:
        return _answers.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"not a Beacon answer: {error}") from None


def decode_error_message(body: bytes) -> str:
    """The message in another Beacon's error; empty when there is none to read."""
    try:
        return _errors.decode(body).error.error_message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def contig_of(sequence_id: str) -> str:
    """The contig in a `sequence_id`: `HGVSid:22` and `HGVSid:chr22:g.1A>T` give `22`; so does a bare name."""
    tokens = sequence_id.split(":")
    return tokens[min(1, len(tokens) - 1)].removeprefix("chr")


_INTERNAL_ID = re.compile(r"(?P<assembly>[A-Za-z0-9.]+)-(?P<contig>[A-Za-z0-9._]+)-(?P<pos1>[0-9]{1,12})-(?P<bases>.+)")


def read_internal_id(text: str) -> VariantParameters:
    """The request parameters for the allele that `variant_internal_id` named. Raises `NotFound` for any other text."""
    found = _INTERNAL_ID.fullmatch(text)
    ref, _, alt = found["bases"].partition("-") if found else ("", "", "")
    if found is None or not ref or not alt:
        raise NotFound(f"no variant is called {text[:100]!r}: ids are such as GRCh37-22-16050075-A-G")
    return VariantParameters(
        found["assembly"], found["contig"], (int(found["pos1"]) - 1,), reference_bases=ref, alternate_bases=alt
    )


def variant_internal_id(allele: Allele) -> str:
    """The stable name of an allele over releases and nodes, in the form of the specification's examples:
    `GRCh37-22-16050075-A-G`, with a 1-based position as in VCF; symbolic alternates as VCF writes them."""
    return f"{allele.assembly}-{allele}"


def withheld_below(count_adjusted_to: tuple[int | str, ...]) -> int | None:
    """The floor that a withheld count states: we write `[floor - 1]`, the largest count that looks like none."""
    last = count_adjusted_to[-1] if count_adjusted_to else None
    return last + 1 if isinstance(last, int) else None
