# SPDX-License-Identifier: Apache-2.0
import struct

import numpy as np
import pytest

from megagenome.standards import bcf

DICTIONARY = bcf.Dictionary({0: "22"}, gt=1, samples=3)
SHARED = struct.pack("<iiifII", 0, 99, 1, 0.0, 2 << 16, 2 << 24 | 3) + b"\x07" + b"\x17A" + b"\x27GT" + b"\x00"
DEPTHS = b"\x11\x02" + b"\x12" + struct.pack("<3h", 30, 31, 32)
GENOTYPES = b"\x11\x01" + b"\x21" + bytes([2, 4, 0, 1, 4, 0x81])
BODY = SHARED + DEPTHS + GENOTYPES


def test_a_record_is_read() -> None:
    record = bcf.parse_record(BODY, len(SHARED), DICTIONARY)
    assert record == bcf.Record(0, 99, ["A", "GT"], 2, 1, len(BODY) - 6)
    calls = bcf.as_calls(np.frombuffer(bytearray(BODY[record.at :]), np.int8))
    assert calls.tolist() == [0, 1, -1, -1, 1, -2]


def test_a_record_without_genotypes_has_no_ploidy() -> None:
    assert bcf.parse_record(BODY, len(SHARED), DICTIONARY._replace(gt=None)).ploidy == 0


@pytest.mark.parametrize(
    "dictionary", [DICTIONARY._replace(samples=4), DICTIONARY._replace(contigs={1: "22"})], ids=["samples", "contig"]
)
def test_a_record_that_contradicts_its_header_is_refused(dictionary: bcf.Dictionary) -> None:
    with pytest.raises(bcf.Malformed):
        bcf.parse_record(BODY, len(SHARED), dictionary)


@pytest.mark.parametrize("length", range(len(BODY)))
def test_a_record_that_is_cut_is_refused(length: int) -> None:
    with pytest.raises(bcf.Malformed):
        bcf.parse_record(BODY[:length], min(length, len(SHARED)), DICTIONARY)


def test_no_changed_byte_leads_outside_a_record() -> None:
    for at in range(len(BODY)):
        for value in range(256):
            body = BODY[:at] + bytes([value]) + BODY[at + 1 :]
            try:
                record = bcf.parse_record(body, len(SHARED), DICTIONARY)
            except bcf.Malformed:
                continue
            assert len(SHARED) <= record.at <= record.at + 3 * record.ploidy * record.width <= len(body)


def test_calls_are_turned_in_all_parts() -> None:
    raw = np.tile(np.array([2, 5, 0, -127], np.int8), 200_000)
    assert (bcf.as_calls(raw).reshape(-1, 4) == [0, 1, -1, -2]).all()
