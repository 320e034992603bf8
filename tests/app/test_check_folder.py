# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.app import check_folder as check_module
from megagenome.app.check_folder import check_folder
from megagenome.app.ledger import open_keys, open_ledger
from megagenome.kernel.database import open_database, sqlite_url
from megagenome.kernel.findings import Finding
from megagenome.kernel.ledger import Act, Kind
from megagenome.kernel.local_store import LocalStore
from megagenome.testing.blob_store import put


def wrong(findings: list[Finding]) -> list[Finding]:
    """What is wrong; each says what to do."""
    bad = [finding for finding in findings if not finding.fine]
    assert all(finding.says and finding.do for finding in bad)
    return bad


def test_sound_node_has_nothing_wrong(loaded: Path) -> None:
    findings = check_folder(loaded, deep=True)
    assert wrong(findings) == []
    parts = {finding.part: finding.says for finding in findings}
    assert parts["settings"] == "node.ee, EE"
    assert parts["database"] == "whole"
    assert parts["dataset EE-SMALL"] == "published, open, 6 people, floor 0, GRCh37; alleles public, people public"
    assert parts["genotypes, every byte"] == "as written"
    assert parts["ledger, every entry"] == "all 1 entries as written"  # who published
    assert parts["signing key"] == open_keys(loaded).kid
    assert parts["trust"] == "0 brokers of passports, 0 issuers of visas"


def test_what_was_published_without_a_record_is_named(loaded: Path) -> None:
    """As a node of an earlier version holds it."""
    engine = open_database(sqlite_url(loaded / "node.sqlite"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dataset SET open = 0, floor = 10")
    engine.dispose()
    [finding] = wrong(check_folder(loaded))
    assert finding.part == "record of EE-SMALL"
    assert "controller, legal basis" in finding.says


def test_empty_node_says_what_comes_next(folder: Path) -> None:
    findings = check_folder(folder)
    assert wrong(findings) == []
    assert any("megagenome node load" in finding.says for finding in findings)


def test_where_sealed_files_lie_is_looked_after(folder: Path) -> None:
    def says() -> str:
        [found] = [finding for finding in check_folder(folder) if finding.part == "sealed files"]
        assert found.fine
        return found.says

    assert says() == "none yet"
    put(LocalStore(folder / "blobs"), "a/b", b"sealed")
    assert says().startswith("there are some, ")
    settings = folder / "node.toml"
    settings.write_text(settings.read_text() + '\n[blobs]\nurl = "s3://key:secret@bucket"\n')
    [finding] = wrong(check_folder(folder))
    assert "without credentials" in finding.says


def test_folder_that_is_no_node(tmp_path: Path) -> None:
    [finding] = wrong(check_folder(tmp_path))
    assert "node.toml" in finding.says


def test_unknown_setting_is_named(folder: Path) -> None:
    settings = folder / "node.toml"
    settings.write_text(settings.read_text().replace("[server]", "[sever]"))
    [finding] = wrong(check_folder(folder))
    assert "did you mean 'server'?" in finding.says


def test_a_mistake_in_whom_to_trust_is_named(folder: Path) -> None:
    (folder / "trust.toml").write_text('[[brokers]]\nissuer = "https://login.example/"\n')
    [finding] = wrong(check_folder(folder))
    assert (finding.part, "jwks_url" in finding.says) == ("trust", True)


def test_altered_byte_is_found_by_a_deep_check_only(loaded: Path) -> None:
    [pack] = (loaded / "genotypes").rglob("*.genotypes")
    content = bytearray(pack.read_bytes())
    content[12] ^= 1  # in the first tile
    pack.write_bytes(content)
    assert wrong(check_folder(loaded)) == []
    [finding] = wrong(check_folder(loaded, deep=True))
    assert pack.name in finding.says


def test_missing_file_is_named(loaded: Path) -> None:
    pack = next((loaded / "genotypes").rglob("*.genotypes"))
    pack.unlink()
    [finding] = wrong(check_folder(loaded))
    assert finding.part == "genotypes"
    assert pack.name in finding.says


def test_damaged_database_is_found(loaded: Path) -> None:
    database = loaded / "node.sqlite"
    database.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert len(wrong(check_folder(loaded))) == 1


def test_full_disk_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "_LEAST_FREE_BYTES", 1 << 62)
    [finding] = wrong(check_folder(folder))
    assert finding.part == "disk"


def test_a_key_that_others_may_read_is_found(folder: Path) -> None:
    (folder / "keys").chmod(0o755)
    [finding] = wrong(check_folder(folder))
    assert (finding.part, "mode 0755" in finding.says) == ("signing key", True)


def test_a_changed_ledger_is_found_by_a_deep_check_only(folder: Path) -> None:
    engine = open_database(sqlite_url(folder / "node.sqlite"))
    open_ledger(folder, engine, "node.ee").append(*[Act(Kind.READ, dataset="EE-SMALL")] * 3)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE ledger_entry SET dataset = 'EE-OTHER' WHERE seq = 2"))
    engine.dispose()
    assert wrong(check_folder(folder)) == []
    [finding] = wrong(check_folder(folder, deep=True))
    assert finding.part == "ledger, every entry"
    assert finding.says.startswith("entry 2 is not what was written")
