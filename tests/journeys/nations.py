# SPDX-License-Identifier: Apache-2.0
"""National nodes that hold the 1000 Genomes people of their country: each file a dataset with its own people."""

import atexit
import contextlib
import functools
import gzip
import io
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from megagenome import reference
from megagenome.cli.main import main
from megagenome.collection.model import Sex, Stratum
from megagenome.kernel.ids import Country
from tests.oracles import disclosure
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import FILES, samples_of

CHR22_37, CHR22_38, SPARSE, CHRX = FILES
KINDS = {CHR22_37: "CHR22-37", CHR22_38: "CHR22-38", SPARSE: "SPARSE", CHRX: "CHRX"}
"""How each file's datasets are called: `FI-CHR22-37`."""

Cells = dict[str, disclosure.Cell]


def run(*arguments: str | Path) -> Any:
    """A command in this process, which must succeed; what it prints as JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        assert main([*map(str, arguments), "--json"]) == 0, arguments
    return json.loads(text.getvalue())


@functools.cache
def reference_folder() -> Path:
    """Packed ontologies, made once: a node that finds them current leaves them."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    reference.build(folder)
    return folder


def make_node(folder: Path, country: str) -> None:
    """An empty node."""
    shutil.copytree(reference_folder(), folder / "reference")
    run("node", "init", folder, "--country", country)


def make_nation(folder: Path, country: str, files: Mapping[Path, list[oracle.Someone]], clinical: Path) -> None:
    """A node with a dataset for each file, declared open, of these people, with clinical facts joined by id."""
    make_node(folder, country)
    for path, people in files.items():
        table = folder.with_name(f"{folder.name}-{KINDS[path.name]}.tsv")
        rows = ["individual_id\tsample_id\tsex\tcountry\tpopulation"]
        rows += [f"{one.sample}\t{one.sample}\t{one.sex}\t{one.country}\t{one.population}" for one in people]
        table.write_text("\n".join(rows) + "\n")
        facts = facts_of(clinical, {one.sample for one in people}, table.with_suffix(".json"))
        dataset, genome = f"{country}-{KINDS[path.name]}", FILES[path.name]
        options = ["--assembly", genome, "--vcf", path, "--individuals", table, facts]
        run("node", "load", folder, "--dataset", dataset, *options, "--consent-all", "--open", "--publish")


@functools.cache
def read_clinical(path: Path) -> list[dict[str, Any]]:
    """Everybody's Beacon individuals."""
    everybody: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))
    return everybody


def facts_of(clinical: Path, ids: set[str], target: Path) -> Path:
    """Beacon individuals of these ids only, without their ethnicity, which contradicts the genomes."""
    mine = [{key: one[key] for key in one if key != "ethnicity"} for one in read_clinical(clinical) if one["id"] in ids]
    target.write_text(json.dumps(mine))
    return target


def close_nation(folder: Path, target: Path) -> None:
    """The same node, had its holder not declared the data open: what `load` records without `--open`."""
    shutil.copytree(folder, target)
    with contextlib.closing(sqlite3.connect(target / "node.sqlite")) as connection:
        connection.execute("UPDATE dataset SET open = 0, floor = 10")
        connection.execute("UPDATE collection_version SET version = version + 1")
        connection.commit()


def members(path: Path, people: Iterable[oracle.Someone]) -> list[oracle.Someone]:
    """Those whose samples a file has."""
    samples = set(samples_of(path))
    return [one for one in people if one.sample in samples]


def told(
    genome: str, key: oracle.Key, counted: Mapping[oracle.Cell, tuple[int, int, int, int]], country: str, floor: int
) -> Cells:
    """The cells of one country's dataset that the rules tell, by the oracle of disclosure. Where nobody carries the
    allele (open data tell that) there is no record, and with it no division by population."""
    table: dict[Stratum, disclosure.Genotypes] = {}
    copies: set[int] = set()
    for (nation, population, sex), (het, hom, hemi, an) in counted.items():
        if nation == country:
            expected = oracle.copies_expected(genome, key[0], key[1], sex)
            copies.add(expected)
            possible = (expected == 2, expected == 2, expected == 1)
            without = (an - 2 * (het + hom) - hemi) / max(1, expected)
            table[Stratum(Country(nation), population, Sex(sex))] = disclosure.Genotypes(
                het, hom, hemi, an, possible, without
            )
    cells = disclosure.told_cells(table, floor, separates=len(copies) > 1)
    carried = cells.get("Total", (0,))[0] > 0
    return cells if carried else {label: cell for label, cell in cells.items() if ":" not in label}


def carried(cells: Cells) -> bool:
    """Whether somebody carries the allele."""
    return "Total" in cells and cells["Total"][0] > 0


def added(parts: Iterable[Cells]) -> Cells:
    """Sums by label; genotypes only where every part tells them."""
    by_label: dict[str, list[disclosure.Cell]] = {}
    for cells in parts:
        for label, cell in cells.items():
            by_label.setdefault(label, []).append(cell)
    sums: Cells = {}
    for label, column in by_label.items():
        trios = [trio for _, _, trio in column if trio is not None]
        het, hom, hemi = (sum(numbers) for numbers in zip(*trios, strict=True)) if trios else (0, 0, 0)
        trio = (het, hom, hemi) if len(trios) == len(column) else None
        sums[label] = sum(cell[0] for cell in column), sum(cell[1] for cell in column), trio
    return sums


def beacon_cells(divisions: Iterable[Mapping[str, Any]]) -> Cells:
    """What a Beacon record's `frequencyInPopulations` tell."""
    cells: Cells = {}
    for division in divisions:
        for each in division["frequencies"]:
            trio = [each.get(f"alleleCount{kind}") for kind in ("Heterozygous", "Homozygous", "Hemizygous")]
            assert abs(each["alleleFrequency"] - each["alleleCount"] / each["alleleNumber"]) < 1e-12
            assert (None in trio) == (trio == [None] * 3)
            assert each["population"] not in cells
            people = None if None in trio else (trio[0], trio[1], trio[2])
            cells[each["population"]] = each["alleleCount"], each["alleleNumber"], people
    return cells


def hub_cells(frequencies: Iterable[Mapping[str, Any]]) -> Cells:
    """What the hub's API tells."""
    cells: Cells = {}
    for each in frequencies:
        trio = (each["heterozygous"], each["homozygous"], each["hemizygous"])
        assert each["low"] <= each["allele_frequency"] <= each["high"]
        cells[each["population"]] = each["allele_count"], each["allele_number"], None if None in trio else trio
    return cells


def text_of(key: oracle.Key) -> str:
    """As people write an allele."""
    contig, start, ref, alt = key
    return f"{contig}-{start + 1}-{ref}-{alt}"


def variant_query(genome: str, key: oracle.Key) -> dict[str, object]:
    """Request parameters for one allele."""
    contig, start, ref, alt = key
    return {
        "requestParameters": {
            "g_variant": {
                "assemblyId": genome,
                "referenceName": contig,
                "start": [start],
                "referenceBases": ref,
                "alternateBases": alt,
            }
        }
    }
