"""What is refused about announcements, each with a stable code.

PromptError
├── PromptUnreadable        prompt_unreadable         no sound file, or nothing to be heard in it
├── PromptTooLong           prompt_too_long           longer or larger than anybody would listen to
├── PromptLanguageInvalid   prompt_language_invalid   not a language tag (RFC 5646)
├── TooManyPrompts          too_many_prompts          one practice has recorded enough
└── NameTellsOfHealth       name_tells_of_health      whoever answers would learn what the call is
"""

from __future__ import annotations

from rooms.errors import BedsideError


class PromptError(BedsideError):
    """An announcement cannot be made like this; nothing was changed."""


class PromptUnreadable(PromptError):
    """Not a sound file of a known kind, or nothing can be heard in it."""

    code = "prompt_unreadable"
    title = "This file could not be read as a recording, or nothing can be heard in it."


class PromptTooLong(PromptError):
    """More than ``PromptPolicy.longest`` seconds or ``PromptPolicy.largest`` bytes."""

    code = "prompt_too_long"
    title = "This recording is too long. Keep it under a minute and 5 MB."


class PromptLanguageInvalid(PromptError):
    """The language is not a tag such as ``es`` or ``pt-BR`` (RFC 5646)."""

    code = "prompt_language_invalid"
    title = "Name the language of the recording as a tag such as es or pt-BR."


class TooManyPrompts(PromptError):
    """The practice has as many recordings as it may have."""

    code = "too_many_prompts"
    title = "There are too many recordings. Remove one first."


class NameTellsOfHealth(PromptError):
    """The name for announcements says what kind of appointment this is."""

    code = "name_tells_of_health"
    title = "Choose a name for announcements that does not say what kind of appointment it is."
