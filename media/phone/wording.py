"""What announcements say, in every language that is spoken here without a recording.

Whoever answers a telephone hears these words, and it may be somebody else: they name no person and
say nothing of health. The name and the number that open a call are the practice's own choice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from rooms.model import Prompt

ENGLISH = "en"
SPOKEN = (ENGLISH, "es")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """In whose name announcements are made.

    ``who`` is the name and ``call_back`` the number that the practice chose for announcements;
    both may be empty. ``language`` is spoken to those whose own is not known or not recorded.
    """

    practice: str = ""
    who: str = ""
    call_back: str = ""
    language: str = ENGLISH

    @property
    def has_no_name(self) -> bool:
        """Whether calls open with nothing but what they are."""
        return not (self.who or self.call_back)


_OPENINGS = {
    "en": {
        "who and number": "This is {who}, phone number {call_back}. ",
        "who": "This is {who}. ",
        "number": "This is a call from {call_back}. ",
        "": "",
    },
    "es": {
        "who and number": "Le llama {who}, teléfono {call_back}. ",
        "who": "Le llama {who}. ",
        "number": "Le llaman del teléfono {call_back}. ",
        "": "",
    },
}

_TEXTS = {
    (Prompt.GATE, "en"): (
        "{opening}This is an automatic call to reconnect you to your video appointment. "
        "To join, press 1. If this is not for you, press 9 or hang up."
    ),
    (Prompt.GATE, "es"): (
        "{opening}Esta es una llamada automática para volver a conectarle con su cita por video. "
        "Para entrar, marque 1. Si no es para usted, marque 9 o cuelgue."
    ),
    (Prompt.CONNECTING, "en"): "Thank you. You are joining now.",
    (Prompt.CONNECTING, "es"): "Gracias. Está entrando ahora.",
    (Prompt.TRIAL, "en"): (
        "{opening}This is the test call you asked for. If you can hear this, press 1. "
        "If this is not for you, press 9 or hang up."
    ),
    (Prompt.TRIAL, "es"): (
        "{opening}Esta es la llamada de prueba que pidió. Si escucha este mensaje, marque 1. "
        "Si no es para usted, marque 9 o cuelgue."
    ),
    (Prompt.TRIAL_DONE, "en"): "Thank you. We can reach you on this phone. You can hang up now.",
    (Prompt.TRIAL_DONE, "es"): "Gracias. Podemos llamarle a este teléfono. Ya puede colgar.",
    (Prompt.JOINED, "en"): "Another phone is joining.",
    (Prompt.JOINED, "es"): "Se une otro teléfono.",
    (Prompt.FIRST_IN_LINE, "en"): "You are first in line. Please stay on the phone.",
    (Prompt.FIRST_IN_LINE, "es"): "Es la primera persona en la fila. Por favor, no cuelgue.",
    (Prompt.HAND_BACK, "en"): (
        "Your video connection is good again. To move the sound back to your video, press 2. "
        "Or stay on the phone: you do not need to do anything."
    ),
    (Prompt.HAND_BACK, "es"): (
        "Su conexión de video ya funciona bien. Para pasar el sonido al video, marque 2. "
        "O siga por teléfono: no tiene que hacer nada."
    ),
    (Prompt.INTERRUPTED, "en"): (
        "This call has to be interrupted for a moment. We will call you again right away."
    ),
    (Prompt.INTERRUPTED, "es"): (
        "Esta llamada se tiene que interrumpir un momento. Le volveremos a llamar enseguida."
    ),
    (Prompt.GOODBYE, "en"): "This call ends now. Goodbye.",
    (Prompt.GOODBYE, "es"): "Esta llamada termina ahora. Adiós.",
}

_PLUS = {"en": "plus", "es": "más"}

# Beginnings of words, without accents. A specialty gives away as much as the word itself.
_HEALTH = re.compile(
    r"\b(doctor|dra?\b|m\.?d\b|clinic|medic|patient|pacient|hospi|health|salud|nurs|enferm|physic"
    r"|therap|terap|treatment|tratamient|diagnos|disease|illness|sick|surger|surgic|cirug|cirujan"
    r"|pharmac|farmac|dental|dentis|cancer|onco|cardio|psych|psiq|psic|neuro|pediatr|paediatr"
    r"|derma|obstet|gyn|gin[ae]co|urolog|fertil|rehab|addict|adicc|dialy|dialis|hiv|vih|care\b"
    r"|cuidado|wellness|bienestar|maternity|maternidad|hospice|symptom|sintoma|telehealth)",
    re.IGNORECASE,
)


def texts(announcer: Announcer) -> Iterator[tuple[Prompt, str, str]]:
    """Everything that can be said in this name: announcement, language, words."""
    return ((prompt, language, text_of(prompt, language, announcer)) for prompt, language in _TEXTS)


def text_of(prompt: Prompt, language: str, announcer: Announcer) -> str:
    """The words of one announcement; ``language`` is one of ``SPOKEN``."""
    return _TEXTS[prompt, language].format(opening=_opening(language, announcer))


def opens_with_name(prompt: Prompt) -> bool:
    """Whether the announcement is the first that is heard, and so says who calls."""
    return "{opening}" in _TEXTS[prompt, ENGLISH]


def tells_of_health(words: str) -> bool:
    """Whether the words say, to whoever hears them, that this is about somebody's health."""
    plain = unicodedata.normalize("NFKD", words)
    return bool(_HEALTH.search("".join(c for c in plain if not unicodedata.combining(c))))


def spoken_number(number: str, language: str) -> str:
    """A telephone number, digit by digit, with a pause between its groups."""
    groups = re.findall(r"\d+", _in_groups(number))
    digits = ", ".join(" ".join(group) for group in groups)
    return f"{_PLUS[language]} {digits}" if number.lstrip().startswith("+") else digits


def _opening(language: str, announcer: Announcer) -> str:
    said = " and ".join(
        part for part, given in (("who", announcer.who), ("number", announcer.call_back)) if given
    )
    number = spoken_number(announcer.call_back, language)
    return _OPENINGS[language][said].format(who=_readable(announcer.who), call_back=number)


def _readable(name: str) -> str:
    """The name without what the voice would take for orders: ``[[…]]`` are phonemes to it."""
    return " ".join(re.sub(r"[^\w\s.,'’&-]", " ", name).split())


def _in_groups(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number  # a national number, in the groups it was written in
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
