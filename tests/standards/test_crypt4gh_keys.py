# SPDX-License-Identifier: Apache-2.0
"""Key files, held against PyPI's `crypt4gh`, which writes and reads the same ones."""

import base64
import contextlib
import struct
import subprocess
from pathlib import Path

import pytest
from crypt4gh.keys import get_private_key, get_public_key
from crypt4gh.keys.c4gh import encode_private_key
from crypt4gh.keys.kdf import derive_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid, MegagenomeError, NotEntitled
from megagenome.kernel.secret import Secret
from megagenome.standards.crypt4gh_keys import (
    fingerprint,
    read_private_key,
    read_public_key,
    write_private_key,
    write_public_key,
)

KEY = X25519PrivateKey.generate()
RAW, PUBLIC = KEY.private_bytes_raw(), KEY.public_key().public_bytes_raw()


def armoured(kind: str, content: bytes) -> str:
    body = base64.b64encode(content).decode()
    return f"-----BEGIN CRYPT4GH {kind} KEY-----\n{body}\n-----END CRYPT4GH {kind} KEY-----\n"


@pytest.mark.parametrize("passphrase", ["", "correct horse", "pässwörd"])
def test_what_is_written_the_other_program_reads(tmp_path: Path, passphrase: str) -> None:
    (tmp_path / "key.sec").write_text(write_private_key(KEY, Secret(passphrase)))
    (tmp_path / "key.pub").write_text(write_public_key(KEY.public_key()))
    assert bytes(get_private_key(str(tmp_path / "key.sec"), lambda: passphrase)) == RAW
    assert bytes(get_public_key(str(tmp_path / "key.pub"))) == PUBLIC


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_what_the_other_program_writes_is_read(passphrase: str) -> None:
    content = encode_private_key(RAW, passphrase.encode() or None, b"a comment")
    key = read_private_key(armoured("PRIVATE", content), Secret(passphrase))
    assert key.private_bytes_raw() == RAW
    assert read_public_key(armoured("PUBLIC", PUBLIC)).public_bytes_raw() == PUBLIC


def test_a_key_locked_by_pbkdf2_is_read() -> None:
    salt, nonce = bytes(range(16)), bytes(12)
    sealed = ChaCha20Poly1305(derive_key(b"pbkdf2_hmac_sha256", b"pass", salt, 1000)).encrypt(nonce, RAW, None)
    parts = [b"pbkdf2_hmac_sha256", struct.pack(">I", 1000) + salt, b"chacha20_poly1305", nonce + sealed]
    content = b"c4gh-v1" + b"".join(struct.pack(">H", len(part)) + part for part in parts)
    assert read_private_key(armoured("PRIVATE", content), Secret("pass")).private_bytes_raw() == RAW


def test_files_of_windows_are_read() -> None:
    assert read_public_key(write_public_key(KEY.public_key()).replace("\n", "\r\n")).public_bytes_raw() == PUBLIC


def test_a_wrong_passphrase_is_told_and_no_passphrase_too() -> None:
    text = write_private_key(KEY, Secret("right"))
    with pytest.raises(NotEntitled, match="does not unlock"):
        read_private_key(text, Secret("wrong"))
    with pytest.raises(NotEntitled, match="give its passphrase"):
        read_private_key(text)


def test_an_openssh_key_is_the_same_person(tmp_path: Path) -> None:
    """Converted as the other program converts it: what is encrypted for the one opens with the other."""
    pair = Ed25519PrivateKey.generate()
    private = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    line = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " me@here\n"
    (tmp_path / "id").write_bytes(private)
    (tmp_path / "id.pub").write_text(line)
    converted = bytes(get_private_key(str(tmp_path / "id"), lambda: ""))
    public = read_public_key(line).public_bytes_raw()
    assert public == bytes(get_public_key(str(tmp_path / "id.pub")))
    assert public == X25519PrivateKey.from_private_bytes(converted).public_key().public_bytes_raw()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        armoured("PUBLIC", b"short"),
        armoured("PRIVATE", PUBLIC),
        armoured("PUBLIC", bytes(32)),
        "ssh-rsa AAAA me",
        "ssh-ed25519 AAAA me",
        "-----BEGIN CRYPT4GH PUBLIC KEY-----\nÿÿ\n-----END CRYPT4GH PUBLIC KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_public_key(text)
    assert "\n" not in str(raised.value)


@given(st.binary(max_size=200))
def test_nonsense_never_raises_anything_else_and_no_error_holds_the_key(content: bytes) -> None:
    for nonsense in (content, b"c4gh-v1" + content, b"c4gh-v1\0\4none\0\4none\0\x21" + RAW + content[:1]):
        try:
            read_private_key(armoured("PRIVATE", nonsense), Secret("x"))
        except MegagenomeError as error:
            assert RAW.hex() not in str(error)  # noqa: PT017 - whether it is raised depends on what was drawn
    with contextlib.suppress(MegagenomeError):
        read_public_key(armoured("PUBLIC", content))


def test_a_fingerprint_is_sha256_of_the_key() -> None:
    shown = subprocess.run(["sha256sum"], input=PUBLIC, capture_output=True, check=True).stdout.decode()
    assert shown.startswith(fingerprint(KEY.public_key()))
