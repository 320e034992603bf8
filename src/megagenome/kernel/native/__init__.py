# SPDX-License-Identifier: Apache-2.0
"""The loops over every genotype, in C: a plain shared library that the package's build makes from `*.c` beside this.

Each function has a twin in NumPy where it is used, which gives the same answers, is its oracle in the tests, and
stands in where the package was built without a compiler. No header of Python or of NumPy is needed to build it, and
it works with every version of both.
"""

import ctypes
import sys
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).with_name("libmegagenome.so")
VERSION = 5
"""What `native_version` in C must say: a library that was built from other sources is not used."""

_POINTER, _INT64 = ctypes.c_void_p, ctypes.c_int64
_SETS = (_POINTER, _INT64, _POINTER, _POINTER, _INT64)


class Collecting(ctypes.Structure):
    """Where people and counts of rows are collected; `calls.c` says what each is."""

    _fields_ = (
        *((name, _INT64) for name in ("samples", "batches", "strata")),
        *((name, _POINTER) for name in ("end", "member", "stratum", "expected", "copies", "counts")),
        *((name, _POINTER) for name in ("people", "room", "used", "cells")),
        *((name, _INT64) for name in ("cells_room", "cells_used")),
        ("odd", _INT64 * 3),
    )


class Form(ctypes.Structure):
    """What records of a file must agree with; `records.c` says what each is."""

    _fields_ = (("contigs", _POINTER), *((name, _INT64) for name in ("known", "samples", "limit", "key")))


class Walk(ctypes.Structure):
    """What is known of a file's reads; `reads.c` says what each is."""

    _fields_ = (
        *((name, _INT64) for name in ("references", "is_sorted", "reference", "start", "records", "problem")),
        *((name, _POINTER) for name in ("counts", "lengths", "runs")),
        *((name, _INT64) for name in ("shift", "begin", "room", "used")),
    )


class Held(ctypes.Structure):
    """An index that a file's reads are held against; `reads.c` says what each is."""

    _fields_ = (
        *((name, _INT64) for name in ("shift", "depth", "bins", "chunks", "places", "least_points", "beyond_points")),
        ("unplaced", _INT64),
        *((name, _POINTER) for name in ("bin", "begins", "ends", "place")),
        *((name, _POINTER) for name in ("least_point", "least", "beyond_point", "beyond")),
    )


@cache
def library() -> ctypes.CDLL | None:
    """The library, its functions ready to be called with addresses of arrays (which release Python's lock); None where
    there is none that fits."""
    if sys.byteorder != "little":  # as packs are, and so what C writes into them
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    if found.native_version() != VERSION:
        return None
    found.decode_calls.argtypes = [_POINTER, _POINTER, _INT64, _INT64, _POINTER, _POINTER]
    found.decode_calls.restype = None
    found.collect_rows.argtypes = [ctypes.POINTER(Collecting), *[_POINTER] * 4, _INT64, _INT64, _POINTER, _POINTER]
    found.collect_rows.restype = _INT64
    found.find_records.argtypes = [_POINTER, _INT64, _POINTER, ctypes.POINTER(Form), _INT64, _POINTER]
    found.find_records.restype = _INT64
    found.read_lines.argtypes = [*(_POINTER, _INT64) * 2, ctypes.c_char_p, _INT64, _POINTER, _POINTER]
    found.read_lines.restype = _INT64
    found.walk_reads.argtypes = [_POINTER, _INT64, ctypes.POINTER(Walk)]
    found.walk_reads.restype = _INT64
    found.find_hidden.argtypes = [ctypes.POINTER(Held), _POINTER, _INT64]
    found.find_hidden.restype = _INT64
    for loop in (found.set_sums, found.plane_sums, found.add_to_members, found.add_to_plane_members):
        loop.argtypes = (*_SETS, _POINTER, _POINTER, _INT64, _INT64)
        loop.restype = _INT64
    found.count_within.argtypes = (*_SETS, _POINTER, _POINTER)
    found.count_within.restype = _INT64
    return found
