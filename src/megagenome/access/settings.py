# SPDX-License-Identifier: Apache-2.0
"""Settings of access, the table `[access]` of a hub's settings file. Time limits are settings because rules change."""

from typing import Annotated

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import parse_country

Days = Annotated[int, msgspec.Meta(ge=1, le=366)]


def _check_country(text: str) -> None:
    try:
        parse_country(text)
    except Invalid as error:
        raise ValueError(str(error)) from None  # msgspec adds the place in the file


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[access.windows]]`: a country with a time limit of its own, and what says so."""

    country: str
    working_days: Days
    reason: str

    def __post_init__(self) -> None:
        """Refuse a country that no dataset could have: its window would silently never apply."""
        _check_country(self.country)


class AccessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How applications are dealt with here. Each time limit goes into the event of its clock with its reason.

    calendar           country (ISO 3166) whose public holidays the data access committee keeps
    quorum             members of the committee who must have voted on each criterion before it recommends
    assessment_days    working days of the committee's assessment
    assessment_reason  what says so
    reminder_days      calendar days until a country that has not decided is reminded
    reminder_reason    what says so
    window_days        working days in which each country decides
    window_reason      what says so
    windows            countries with another window
    longest_permit_days  most days from a permit's first to its last
    attachment_bytes   largest attachment
    attachments        most attachments of one application
    saved_cohorts      most cohorts that one person may have saved
    open_applications  most applications of one person, drafts too, that have not ended
    """

    calendar: str = "LU"
    quorum: Annotated[int, msgspec.Meta(ge=2)] = 2
    assessment_days: Days = 5
    assessment_reason: str = "1+MG SOP0003: the committee's initial check takes at most 5 working days"
    reminder_days: Days = 6
    reminder_reason: str = "1+MG SOP0003: a reminder 6 calendar days after the recommendation"
    window_days: Days = 11
    window_reason: str = "1+MG SOP0003, DATE:A: 11 working days (SOP0002: 10 to answer, 1 to justify a veto)"
    windows: tuple[Window, ...] = ()
    longest_permit_days: Annotated[int, msgspec.Meta(ge=1, le=3653)] = 3653
    attachment_bytes: Annotated[int, msgspec.Meta(ge=1000, le=100_000_000)] = 10_000_000
    attachments: Annotated[int, msgspec.Meta(ge=1)] = 20
    saved_cohorts: Annotated[int, msgspec.Meta(ge=1)] = 500
    open_applications: Annotated[int, msgspec.Meta(ge=1)] = 100

    def __post_init__(self) -> None:
        """Refuse a calendar of no country, and two windows of one."""
        _check_country(self.calendar)
        if len({each.country for each in self.windows}) != len(self.windows):
            raise ValueError("windows: a country stands twice")

    def window(self, country: str) -> Window:
        """The time in which `country` decides."""
        own = next((each for each in self.windows if each.country == country), None)
        return own or Window(country, self.window_days, self.window_reason)
