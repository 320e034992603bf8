# SPDX-License-Identifier: Apache-2.0
"""What is to be found of the files of the VCF 4.3 suite of hts-specs, by their names."""

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
