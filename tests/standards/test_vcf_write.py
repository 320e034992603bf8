# SPDX-License-Identifier: Apache-2.0
"""VCF and BCF that are written, as bcftools and htslib read them."""

import subprocess
from itertools import pairwise

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid
from megagenome.standards.bgzf import END, compress, inflate
from megagenome.standards.vcf_write import Contig, bcf_header, bcf_record, header_text, vcf_record

CONTIGS = [Contig("1", 248_956_422), Contig("chrX", 156_040_895)]
CALLS = {
    (0, 0): "./.",
    (0, 2): "0/0",
    (1, 2): "0/1",
    (2, 2): "1/1",
    (0, 1): "0",
    (1, 1): "1",
    (0, -1): "./0",
    (1, -1): "./1",
}

texts = st.text("ACGT", min_size=1, max_size=200)
places = st.tuples(st.integers(0, 1), st.integers(0, 10**8), texts, texts | st.just("<DEL>"))
rows = st.lists(st.tuples(places, st.lists(st.sampled_from(sorted(CALLS)), min_size=3, max_size=3)), max_size=6)


@settings(max_examples=25, deadline=None)
@given(rows)
@pytest.mark.bcftools
def test_both_formats_hold_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[tuple[int, int, str, str], list[tuple[int, int]]]],
) -> None:
    folder = tmp_path_factory.mktemp("written")
    drawn.sort(key=lambda row: row[0][:2])
    header = header_text("GRCh38", CONTIGS, ["S1", "S2", "S3"])
    text, binary, wanted = [header.encode()], [bcf_header(header)], []
    for (number, start, ref, alt), calls in drawn:
        allele = Allele("GRCh38", CONTIGS[number].name, start, ref, alt)
        copies, called = (np.array(column, np.int8) for column in zip(*calls, strict=True))
        text.append(vcf_record(CONTIGS[number].name, allele, copies, called))
        binary.append(bcf_record(number, allele, copies, called))
        wanted.append("\t".join([CONTIGS[number].name, str(start + 1), ref, alt, *(CALLS[each] for each in calls)]))
    for name, parts in (("a.vcf.gz", text), ("a.bcf", binary)):
        path = folder / name
        path.write_bytes(b"".join(compress(parts)))
        command = ["bcftools", "query", "-f", r"%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == wanted
        assert done.stderr == ""
        with pysam.VariantFile(str(path)) as file:
            assert list(file.header.samples) == ["S1", "S2", "S3"]
            assert [(each.name, each.length) for each in file.header.contigs.values()] == CONTIGS


def test_names_that_no_file_can_hold_are_refused() -> None:
    with pytest.raises(Invalid, match="tab or a line's end"):
        header_text("GRCh38", CONTIGS, ["S1\tS2"])


@given(st.lists(st.binary(max_size=1000), max_size=5), st.integers(0, 3))
def test_blocks_hold_what_was_compressed(chunks: list[bytes], large: int) -> None:
    chunks = [*chunks, np.random.default_rng(large).bytes(large * 65_281)]
    written = list(compress(chunks))
    assert written[-1] == END
    assert all(len(each) <= 65_536 for each in written)
    inflated = inflate(b"".join(written), 1 << 30)
    assert b"".join(inflated.parts) == b"".join(chunks)
    assert inflated.used == sum(map(len, written))
    assert all(len(one) == 0xFF00 for one, _ in pairwise(inflated.parts[:-1]))


def test_nothing_is_a_whole_file() -> None:
    assert list(compress([])) == [END]
