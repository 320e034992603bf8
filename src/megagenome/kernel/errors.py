# SPDX-License-Identifier: Apache-2.0
"""The conditions that the house can be in, one class each. Raise the condition; the edge decides how it looks.

A message says what happened, on which id, and what to do next, in one line. It never holds a genotype, a person's
id from clinical data, a secret, or a path that the reader did not give.
"""


class MegagenomeError(Exception):
    """Base of all conditions. `exit_code` is what the command line returns for it (2 used wrongly, 3 refused)."""

    exit_code = 1


class Invalid(MegagenomeError):
    """What was given cannot be understood or is against the rules of its format."""

    exit_code = 2


class Unauthenticated(MegagenomeError):
    """The caller must say who they are first."""

    exit_code = 3


class NotEntitled(MegagenomeError):
    """The caller is known and may not. Where existence is sensitive it looks the same as `NotFound`."""

    exit_code = 3


class NotFound(MegagenomeError):
    """There is no such thing, as far as this caller may know."""

    exit_code = 3


class Conflict(MegagenomeError):
    """It contradicts what is already there: loaded twice, port in use, folder in use."""

    exit_code = 3


class TooLarge(MegagenomeError):
    """More than this service takes at once."""

    exit_code = 3


class RateLimited(MegagenomeError):
    """Too often; try again later."""

    exit_code = 3


class Unavailable(MegagenomeError):
    """A part that is needed does not answer now."""

    exit_code = 1


class NoRoom(Unavailable):
    """There is no room to keep it now. What waits for room is tried again as what waits for any part is."""


class Corrupt(MegagenomeError):
    """Stored or received bytes are not what they must be."""

    exit_code = 3
