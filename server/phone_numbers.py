"""Telephone numbers as people type them, into E.164, and which may be called at all."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from rooms.errors import BedsideError

_PREMIUM = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.PERSONAL_NUMBER,  # follow-me numbers, which cost like premium ones
    }
)
_NOBODY_ANSWERS = frozenset({PhoneNumberType.PAGER, PhoneNumberType.VOICEMAIL})


class NumberRefused(BedsideError):
    """This is not a number that can be called; the code says why."""

    code = "number_invalid"
    title = "This does not look like a phone number. Please check it."


class NumberPremium(NumberRefused):
    """Whoever calls it pays somebody for that."""

    code = "number_premium"
    title = "Numbers that cost extra cannot be called."


class NumberEmergency(NumberRefused):
    """Emergency services are not called by a machine."""

    code = "number_emergency"
    title = "Emergency numbers cannot be called from here."


class NumberUnreachable(NumberRefused):
    """The practice's carriers do not call this country."""

    code = "number_unreachable"
    title = "We cannot call numbers in that country."


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """How a practice reads numbers: its own region (ISO 3166), and the countries it can call."""

    region: str
    countries: frozenset[str]

    def e164(self, typed: str) -> str:
        """The number in E.164 (ITU-T E.164). Raises ``NumberRefused`` or one of its kinds.

        Extensions are refused: the announcement could not be answered by a switchboard.
        """
        if phonenumbers.connects_to_emergency_number(typed, self.region):
            raise NumberEmergency
        try:
            number = phonenumbers.parse(typed, self.region)
        except NumberParseException:
            raise NumberRefused from None
        self._check(number)
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)

    def _check(self, number: PhoneNumber) -> None:
        if number.extension or not phonenumbers.is_possible_number(number):
            raise NumberRefused
        kind = phonenumbers.number_type(number)
        if kind in _PREMIUM:
            raise NumberPremium
        if kind in _NOBODY_ANSWERS:
            raise NumberRefused
        country = phonenumbers.region_code_for_country_code(number.country_code or 0)
        exact = phonenumbers.region_code_for_number(number) or country
        if exact not in self.countries:
            raise NumberUnreachable
        if not phonenumbers.is_valid_number(number) and not _is_for_fiction(number):
            raise NumberRefused


def _is_for_fiction(number: PhoneNumber) -> bool:
    """555-01xx: never given to anybody in North America, so that demos and drills can use them."""
    national = str(number.national_number)
    return number.country_code == 1 and national[3:8] == "55501"
