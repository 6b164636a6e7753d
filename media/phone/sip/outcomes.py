"""Why a call failed: **table** from SIP status codes and Q.850 causes to ``CallFailure``.

A status code that says what happened is believed. A vague one (a gateway's 480 or 503) gives way
to the cause that the telephone network reported in a Reason header (RFC 3326, RFC 6432).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from media.phone.sip.messages import Response
from rooms.model import CallFailure

# Codes that say what happened, whatever else the response holds.
PLAIN: dict[int, CallFailure] = {
    404: CallFailure.BAD_NUMBER,
    410: CallFailure.BAD_NUMBER,
    433: CallFailure.BLOCKED,  # the called network takes no anonymous calls (RFC 5079)
    484: CallFailure.BAD_NUMBER,
    485: CallFailure.BAD_NUMBER,
    486: CallFailure.BUSY,
    600: CallFailure.BUSY,
    604: CallFailure.BAD_NUMBER,
    607: CallFailure.BLOCKED,  # RFC 8197
    608: CallFailure.BLOCKED,  # RFC 8688
}

# Codes that gateways use for many things: believed only if no cause says more.
VAGUE: dict[int, CallFailure] = {
    408: CallFailure.NO_ANSWER,
    480: CallFailure.NO_ANSWER,
    487: CallFailure.NO_ANSWER,  # the network gave up ringing, or we did
    603: CallFailure.DECLINED,
}

# Causes of the telephone network (ITU-T Q.850).
CAUSES: dict[int, CallFailure] = {
    1: CallFailure.BAD_NUMBER,  # unallocated
    3: CallFailure.BAD_NUMBER,  # no route to destination
    17: CallFailure.BUSY,
    18: CallFailure.NO_ANSWER,  # no user responding: a phone that is switched off
    19: CallFailure.NO_ANSWER,
    20: CallFailure.NO_ANSWER,  # subscriber absent
    21: CallFailure.DECLINED,
    22: CallFailure.BAD_NUMBER,  # number changed
    27: CallFailure.NO_ANSWER,  # destination out of order
    28: CallFailure.BAD_NUMBER,  # invalid format
    34: CallFailure.CARRIER_DOWN,  # no circuit
    38: CallFailure.CARRIER_DOWN,
    41: CallFailure.CARRIER_DOWN,
    42: CallFailure.CARRIER_DOWN,
}

# Everything else is the trunk's own trouble, and another carrier may do better: redirections
# (following one would dial a number nobody consented to), refused credentials, 4xx about our
# request, 5xx, and the remaining 6xx.
OTHERWISE = CallFailure.CARRIER_DOWN

_Q850 = re.compile(r"^\s*Q\.850\s*;.*?\bcause\s*=\s*(\d{1,3})\b", re.IGNORECASE)
_BLOCKING = re.compile(r"\bcause\s*=\s*60[78]\b|text\s*=\s*\"?v=analytics", re.IGNORECASE)

# What a caller is told (RFC 3261 section 21); whatever is our own affair, only that it cannot be.
REFUSED_WITH: Mapping[CallFailure, int] = {
    **dict.fromkeys(CallFailure, 480),
    CallFailure.BUSY: 486,
    CallFailure.DECLINED: 603,
}


def failure_of(response: Response) -> CallFailure:
    """Why a call with this final response (300 to 699) did not come about."""
    if response.code in PLAIN:
        return PLAIN[response.code]
    if response.code == 603 and _blocked(response):
        return CallFailure.BLOCKED
    cause = _cause(response)
    if cause in CAUSES and response.code not in {401, 403, 407}:
        return CAUSES[cause]
    return VAGUE.get(response.code, OTHERWISE)


def _blocked(response: Response) -> bool:
    """Whether a 603 came from a network's analytics and not from a person (ATIS-1000099)."""
    return (
        any(_BLOCKING.search(value) for value in response.all("Reason"))
        or "network blocked" in response.phrase.lower()
        or bool(response.all("Call-Info"))
    )


def _cause(response: Response) -> int:
    """The Q.850 cause, 0 if there is none."""
    found = (_Q850.search(value) for value in response.all("Reason"))
    return next((int(match[1]) for match in found if match), 0)
