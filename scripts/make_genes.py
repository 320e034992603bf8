# SPDX-License-Identifier: Apache-2.0
"""Make `src/megagenome/reference/data/genes.tsv.gz` from a table of Ensembl genes (its README says which).

    python scripts/make_genes.py genes_ensembl110.tsv.gz src/megagenome/reference/data/genes.tsv.gz

The table has the columns ensembl_gene_id, symbol, chrom, start_grch38, end_grch38, start_grch37 and end_grch37 (1-based
inclusive; the last two empty where a gene has no place there). The same table gives the same rows.
"""

import csv
import gzip
import io
import sys
from pathlib import Path

from megagenome.reference import assembly

COLUMNS = ("symbol", "ensembl_id", "contig", "start_grch38", "end_grch38", "start_grch37", "end_grch37")


def main(source: Path, target: Path) -> None:
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        genes = sorted(map(gene, csv.DictReader(file, delimiter="\t")), key=lambda row: (row[0].upper(), row[1]))
    lines = ["\t".join(row) for row in (COLUMNS, *genes)]
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=9, mtime=0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())
    target.write_bytes(content.getvalue())


def gene(row: dict[str, str]) -> tuple[str, ...]:
    contig = assembly("GRCh38").contig(row["chrom"]).name
    new = half_open(row["start_grch38"], row["end_grch38"])
    # chains lift to the chrM of UCSC's first hg19, another sequence than MT, which is NC_012920.1 in both assemblies
    old = new if contig == "MT" else half_open(row["start_grch37"], row["end_grch37"])
    return (row["symbol"], row["ensembl_gene_id"], contig, *new, *old)


def half_open(first: str, last: str) -> tuple[str, str]:
    return (str(int(first) - 1), last) if first else ("", "")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
