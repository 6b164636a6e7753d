"""One telephone, turn by turn, without a clock."""

from dataclasses import replace

import numpy as np
import pytest

from media.phone.telephone import Telephone, Telephony
from rooms.model import PhoneEnd, Prompt
from rooms.policy import FallbackPolicy, PhonePolicy
from tests.support.phone_lines import Line
from tests.support.speech import frames, speech, tone

END = PhoneEnd("cas", "call-1", talks=True)
POLICY = PhonePolicy()
MUSIC = np.full(160, 8_000, np.int16)


class Rig:
    def __init__(self, end=END, said=None):
        self.line = Line(said)
        self.asked = []
        self.told = []
        self.telephone = Telephone("visit-1", end, Telephony(
            lines=lambda call: self.line if call == "call-1" else None,
            announce=self.announce,
            listener=self,
        ))  # fmt: skip

    def announce(self, visit, end):
        self.asked.append((visit, end.prompt, end.asked_again))
        return {Prompt.GATE: tone(440, 0.1), Prompt.JOINED: tone(300, 0.1)}.get(end.prompt)

    def same_speech(self, visit, seat, call):
        self.told.append((visit, seat, call))

    def turn(self, heard=MUSIC):
        self.telephone.take()
        self.telephone.give(heard)
        return self.line.heard[-1]


def test_it_hears_what_it_is_given_and_is_heard():
    rig = Rig(said=tone(700, 0.02))
    assert np.array_equal(rig.turn(), MUSIC)
    assert np.array_equal(rig.telephone.voice, tone(700, 0.02))


def test_before_it_talks_its_voice_is_exact_silence():
    rig = Rig(replace(END, talks=False), said=tone(700, 1, 30_000))
    for _ in range(100):
        rig.turn()
        assert not rig.telephone.voice.any()


def test_an_announcement_is_said_over_what_others_say():
    rig = Rig(replace(END, prompt=Prompt.JOINED))
    rig.turn()
    said = tone(300, 0.1)[160:320]
    levels = [np.abs(rig.turn(np.zeros(160, np.int16))).max() for _ in range(4)]
    assert levels[0] == np.abs(said).max()
    after = [rig.turn()[-1] for _ in range(20)]
    assert after[0] < after[-1] == 8_000


def test_an_announcement_that_fails_is_silence():
    def fail(_visit, _end):
        raise RuntimeError

    end = replace(END, prompt=Prompt.GATE)
    telephone = Telephone("visit-1", end, Telephony(announce=fail))
    telephone.take()
    telephone.give(MUSIC)
    assert telephone.end == end


def test_others_are_ducked_meanwhile():
    rig = Rig(replace(END, prompt=Prompt.GATE))
    rig.announce = None
    heard = [rig.turn() for _ in range(5)]
    under = np.concatenate(heard) - tone(440, 0.1)
    assert np.all(np.diff(under[::160]) < 0)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"prompt": Prompt.JOINED}, 2),
        ({"asked_again": 1}, 2),
        ({"language": "es"}, 2),
        ({"hears": ("ann",)}, 1),
        ({"fading": True}, 1),
    ],
)
def test_an_announcement_begins_when_it_changes_and_not_otherwise(change, asked):
    rig = Rig(replace(END, prompt=Prompt.GATE))
    rig.turn()
    rig.telephone.become(replace(END, prompt=Prompt.GATE, **change) if "prompt" not in change
                         else replace(END, **change))  # fmt: skip
    assert len(rig.asked) == asked


def test_an_announcement_ends_when_it_is_not_wanted():
    rig = Rig(replace(END, prompt=Prompt.GATE))
    rig.turn(np.zeros(160, np.int16))
    rig.telephone.become(END)
    assert not rig.turn(np.zeros(160, np.int16)).any()


def test_giving_way_takes_a_second_and_comes_back_in_one():
    rig = Rig(said=tone(700, 0.02))
    rig.turn()
    rig.telephone.become(replace(END, fading=True))
    down = [rig.turn()[-1] for _ in range(51)]
    assert down[24] == pytest.approx(4_000, abs=100)
    assert down[-1] == 0
    assert not rig.telephone.voice.any()
    rig.telephone.become(END)
    up = [rig.turn()[-1] for _ in range(51)]
    assert up == sorted(up)
    assert up[-1] == 8_000


def test_its_echo_is_held_down():
    rig = Rig()
    sent = frames(speech(8, 1))
    back = [np.zeros(160, np.int16)] * 10 + [(frame * 0.25).astype(np.int16) for frame in sent]
    left = []
    for there, echo in zip(sent, back, strict=False):
        rig.line.say(echo)
        rig.turn(there)
        left.append(rig.telephone.voice)
    assert np.concatenate(left[200:]).std() < 0.2 * np.concatenate(back[200:400]).std()


def test_the_same_speech_is_told_once_and_anew_when_asked_anew():
    said = frames(speech(20, 2))
    rig = Rig(replace(END, compares=True))
    for _ in range(2):
        for frame in said[:500]:
            rig.line.say(frame)
            rig.turn(np.zeros(160, np.int16))
            rig.telephone.compare(frame)
        rig.telephone.become(END)
        rig.telephone.become(replace(END, compares=True))
    assert rig.told == [("visit-1", "cas", "call-1")] * 2


def test_without_a_line_it_is_silent():
    telephone = Telephone("visit-1", replace(END, call="gone"), Telephony())
    telephone.take()
    telephone.give(MUSIC)
    assert not telephone.voice.any()


def test_the_sound_has_faded_when_the_call_ends():
    assert PhonePolicy().fade_for == FallbackPolicy().fade_for
