# SPDX-License-Identifier: Apache-2.0
"""What is to be found of the files of the VCF 4.3 suite of hts-specs, by their names."""

import tarfile
from pathlib import Path

MISREAD = {
    "failed_body_alt_000.vcf": (4, "1:123: ALT 'R': neither bases nor a symbol"),
    "failed_body_alt_001.vcf": (4, "1:123: ALT 'A T': neither bases nor a symbol"),
    "failed_body_alt_002.vcf": (4, "1:123: ALT 'A,,T' has an empty allele"),
    "failed_body_alt_003.vcf": (4, "1:123: ALT '<INS>BLAH>': neither bases nor a symbol"),
    "failed_body_alt_005.vcf": (4, "1:123: ALT '[1:100[': neither bases nor a symbol"),
    "failed_body_chrom_000.vcf": (4, "CHROM '<1' cannot be the name of a contig"),
    "failed_body_chrom_001.vcf": (4, "CHROM 'chr:1' cannot be the name of a contig"),
    "failed_body_chrom_002.vcf": (4, "CHROM 'chr 1' cannot be the name of a contig"),
    "failed_body_chrom_003.vcf": (4, "CHROM 'chr,1' cannot be the name of a contig"),
    "failed_body_chrom_004.vcf": (4, "CHROM 'chr*1' cannot be the name of a contig"),
    "failed_body_contiguous_000.vcf": (
        5,
        "1:200: sample 1 has 3 likelihoods, which are not those of its genotype's ploidy (6)",
    ),
    "failed_body_contiguous_001.vcf": (
        5,
        "1:200: sample 1 has 3 likelihoods, which are not those of its genotype's ploidy (6)",
    ),
    "failed_body_format_000.vcf": (4, "FORMAT 'GT::GL' has a bad key ''"),
    "failed_body_format_001.vcf": (4, "FORMAT 'GT:G S:GL' has a bad key 'G S'"),
    "failed_body_format_002.vcf": (4, "GT must be the first key"),
    "failed_body_format_003.vcf": (4, "FORMAT 'GT:G*S:GL' has a bad key 'G*S'"),
    "failed_body_format_006.vcf": (4, "the genotype (GT) of sample 1 is none"),
    "failed_body_no_newline_000.vcf": (4, "the last line has no end"),
    "failed_body_no_newline_001.vcf": (4, "the last line has no end"),
    "failed_body_no_newline_002.vcf": (4, "the last line has no end"),
    "failed_body_no_newline_003.vcf": (3, "the last line has no end"),
    "failed_body_no_newline_004.vcf": (3, "the last line has no end"),
    "failed_body_pos_000.vcf": (4, "POS '.' is no position"),
    "failed_body_pos_001.vcf": (4, "POS '123abc' is no position"),
    "failed_body_pos_002.vcf": (4, "POS '-1' is no position"),
    "failed_body_ref_000.vcf": (4, "1:123: REF 'C,A' is no run of the bases"),
    "failed_body_ref_001.vcf": (4, "1:123: REF 'B' is no run of the bases"),
    "failed_body_ref_002.vcf": (4, "1:123: REF '.' is no run of the bases"),
    "failed_body_sample_000.vcf": (4, "the genotype (GT) of sample 1 is none"),
    "failed_body_sample_001.vcf": (4, "names an allele that the record does not list"),
    "failed_body_sample_002.vcf": (4, "the genotype (GT) of sample 1 is none"),
    "failed_body_sample_003.vcf": (4, "the cell of sample 1 has more values than FORMAT has keys"),
    "failed_body_sample_011.vcf": (3, "sample 'HG00096' stands twice in the header"),
    "failed_body_samples_ploidy_000.vcf": (
        4,
        "1:61462: sample 1 has 2 likelihoods, which are not those of its genotype's ploidy (3)",
    ),
    "failed_body_samples_ploidy_001.vcf": (
        4,
        "1:61462: sample 1 has 3 likelihoods, which are not those of its genotype's ploidy (6)",
    ),
    "failed_body_samples_ploidy_002.vcf": (
        4,
        "X:61462: sample 1 has 3 likelihoods, which are not those of its genotype's ploidy (2)",
    ),
    "failed_body_samples_ploidy_003.vcf": (
        4,
        "X:61462: sample 1 has 2 likelihoods, which are not those of its genotype's ploidy (3)",
    ),
    "failed_body_unsorted_000.vcf": (
        5,
        "1:200: sample 1 has 3 likelihoods, which are not those of its genotype's ploidy (6)",
    ),
    "failed_empty.vcf": (1, "the first line must be such as ##fileformat=VCFv4.3"),
    "failed_empty_sample.vcf": (1, "the first line must be such as ##fileformat=VCFv4.3"),
    "failed_fileformat_000.vcf": (1, "the first line must be such as ##fileformat=VCFv4.3"),
    "failed_fileformat_001.vcf": (1, "the first line must be such as ##fileformat=VCFv4.3"),
    "failed_header_000.vcf": (2, "column 2 of the #CHROM line is 'POSITION'; it must be POS"),
    "failed_header_001.vcf": (2, "has 9 columns, which is not all: samples after FORMAT are missing"),
}
"""Files that hold what a collection reads, wrongly: at which line, and words of the reason. Those that are named after
their order, or after contigs in pieces, are wrong in an earlier line too, by likelihoods of another ploidy."""

UNTOLD = {"failed_meta_contig_003.vcf", "failed_meta_sample_003.vcf"}
"""Names of a contig and a sample in meta lines with a `*` in them, which the text of VCF 4.3 allows (section 1.4.7; HLA
contigs have it), and by which nothing is called in the files."""

NOT_LOADED = {
    "complexfile_passed_000.vcf": (None, "GRCh37 has no contig '<1>'"),
    "passed_body_alt.vcf": (22, "1:1900: the genotype (GT) of sample 2 names an alternate, yet ALT is `.`"),
    "passed_body_chrom.vcf": (4, "<2>:13302: no contig '<2>' is declared in the header"),
    "passed_body_id.vcf": (None, "1:0 is before the contig's first base"),
    "passed_body_info.vcf": (13, "0:100: no contig '0' is declared in the header"),
    "passed_body_pos.vcf": (None, "1:0 is before the contig's first base"),
    "passed_ploidy_000.vcf": (3, "1:61462: a call of 3 alleles"),
    "passed_ploidy_001.vcf": (4, "2:61462: a call of 3 alleles"),
    "failed_body_duplicated_002.vcf": (4, "1:123: sample 1 has 3 likelihoods, which are not those of its genotype's"),
    "failed_body_filter_003.vcf": (4, "1:100: FILTER is empty"),
    "failed_body_id_000.vcf": (4, "1:123: ID is empty"),
    "failed_body_qual_000.vcf": (4, "1:100: QUAL 'quality' is no number"),
    "failed_body_sample_006.vcf": (5, "1:61462: sample 1 has 3 likelihoods, which are not those of its genotype's"),
    "failed_meta_002.vcf": (4, "the header has no #CHROM line"),
    "failed_meta_004.vcf": (3, "the header has no #CHROM line"),
    "failed_meta_005.vcf": (3, "the header has no #CHROM line"),
}
"""Others that have samples, or no line that says so, and that a load refuses though they are compressed: at which line,
and words of the reason. Those that pass hold what VCF allows and no collection can hold: places before a contig's
begin, contigs that no assembly has or nobody declared, calls of three alleles, or of an allele that ALT lacks."""

NOBODY = (None, "none of its 0 samples is named in a people table")
"""What is said of a file without samples."""

NOT_READ_BY_BCFTOOLS = {"failed_body_sample_007.vcf", "failed_body_sample_008.vcf"}
"""Text where FORMAT declares a number: bcftools leaves the record out, whose genotype is fine."""


def unpacked(shared: Path, folder: Path, name: str) -> list[Path]:
    """The files of a suite, in a folder."""
    with tarfile.open(shared / "data/conformance" / name) as archive:
        archive.extractall(folder, filter="data")
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__" not in path.name)
