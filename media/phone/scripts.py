"""What the telephones of the practice carrier do when nobody holds them: one table.

A script begins with the dialling. Each step comes ``after`` seconds after the one before; after the
last, the telephone stays as it is until the caller ends the call or gives up ringing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from rooms.model import CallFailure
from rooms.policy import PracticeCarrierPolicy

PERSON_HZ = 440.0
GREETING_HZ = 330.0
BEEP_HZ = 1_000.0


class Script(StrEnum):
    """Everything a telephone can be told to do."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    DECLINES = "declines"
    PRESSES_1 = "presses_1"
    PRESSES_9 = "presses_9"
    DROPS = "drops"
    HANGS_UP_AT_GATE = "hangs_up_at_gate"
    BLOCKED = "blocked"
    BAD_NUMBER = "bad_number"
    CARRIER_DOWN = "carrier_down"


class Act(StrEnum):
    """One thing that a telephone does."""

    RING = "ring"
    ANSWER = "answer"
    PRESS = "press"  # ``key``
    TALK = "talk"  # ``frequency``; nothing is silence
    HANG_UP = "hang_up"
    LOSE = "lose"  # the network loses the call
    FAIL = "fail"  # ``why``


@dataclass(frozen=True, slots=True)
class Step:
    """One act, ``after`` seconds after the step before."""

    after: float
    act: Act
    key: str = ""
    frequency: float | None = None
    why: CallFailure | None = None


Steps: TypeAlias = tuple[Step, ...]

# Numbers of the range that no country gives to anybody (NANP 555-0100 to 555-0199).
NUMBERS: Mapping[str, Script] = {
    "+12025550101": Script.PRESSES_1,
    "+12025550102": Script.PRESSES_9,
    "+12025550103": Script.VOICEMAIL,
    "+12025550104": Script.BUSY,
    "+12025550105": Script.NO_ANSWER,
    "+12025550106": Script.DECLINES,
    "+12025550107": Script.DROPS,
    "+12025550108": Script.HANGS_UP_AT_GATE,
    "+12025550109": Script.BLOCKED,
    "+12025550110": Script.BAD_NUMBER,
    "+12025550111": Script.CARRIER_DOWN,
}


def scripts(policy: PracticeCarrierPolicy) -> Mapping[Script, Steps]:
    """The table."""
    ring = Step(policy.rings_after, Act.RING)
    answer = Step(policy.answers_after, Act.ANSWER)
    listened = policy.listens_for
    speak = Step(0.0, Act.TALK, frequency=PERSON_HZ)
    return {
        Script.BUSY: _refused(policy, CallFailure.BUSY),
        Script.BLOCKED: _refused(policy, CallFailure.BLOCKED),
        Script.BAD_NUMBER: _refused(policy, CallFailure.BAD_NUMBER),
        Script.CARRIER_DOWN: _refused(policy, CallFailure.CARRIER_DOWN),
        Script.NO_ANSWER: (ring,),
        Script.DECLINES: (ring, Step(policy.declines_after, Act.FAIL, why=CallFailure.DECLINED)),
        Script.VOICEMAIL: (ring, *voicemail(policy)),
        Script.PRESSES_1: (ring, answer, Step(listened, Act.PRESS, key="1"), speak),
        Script.PRESSES_9: (ring, answer, Step(listened, Act.PRESS, key="9")),
        Script.HANGS_UP_AT_GATE: (ring, answer, Step(listened, Act.HANG_UP)),
        Script.DROPS: (
            ring,
            answer,
            Step(listened, Act.PRESS, key="1"),
            speak,
            Step(policy.talks_for, Act.LOSE),
        ),
    }


def voicemail(policy: PracticeCarrierPolicy) -> Steps:
    """What voicemail does with a telephone that rings; keys mean nothing to it."""
    return (
        Step(policy.voicemail_after, Act.ANSWER),
        Step(0.0, Act.TALK, frequency=GREETING_HZ),
        Step(policy.voicemail_greets_for, Act.TALK, frequency=BEEP_HZ),
        Step(policy.voicemail_beeps_for, Act.TALK),
        Step(policy.voicemail_records_for, Act.HANG_UP),
    )


def _refused(policy: PracticeCarrierPolicy, why: CallFailure) -> Steps:
    return (Step(policy.refuses_after, Act.FAIL, why=why),)
