# SPDX-License-Identifier: Apache-2.0
"""Random draws that depend on the seed and on what they are for, and on nothing that was drawn before."""

import zlib

import numpy as np


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """An independent generator for each seed and purpose; the same ones on every machine and numpy since 1.17."""
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose)))


def simulation_seed(seed: int, *purpose: str | int) -> int:
    """A seed for msprime, 1 .. 2**32 - 1."""
    return int(_sequence(seed, purpose).generate_state(1)[0]) or 1


def _sequence(seed: int, purpose: tuple[str | int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, *(zlib.crc32(str(part).encode()) for part in purpose)])
