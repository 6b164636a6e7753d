import time

import numpy as np
import pytest

from media.phone.farewell import say
from rooms.policy import SwitchboardPolicy
from tests.support.sounds import tone

POLICY = SwitchboardPolicy(farewell_longest=0.3, farewell_settles=0.1)


class Line:
    """Writes down what is sent to the telephone, and when."""

    def __init__(self):
        self.sent = []

    def push(self, frame):
        self.sent.append((time.monotonic(), frame))


async def test_last_words_are_said_in_their_own_time_and_may_arrive():
    line, began = Line(), time.monotonic()
    await say(lambda: line, tone(440, 0.2), POLICY)
    assert time.monotonic() - began >= 0.2 + 0.1 - 0.01
    assert np.array_equal(np.concatenate([frame for _, frame in line.sent]), tone(440, 0.2))
    for frame, (at, _) in enumerate(line.sent):
        assert at - began >= frame * 0.02 - 0.01


@pytest.mark.parametrize(("seconds", "frames"), [(10.0, 15), (0.05, 2), (0.0, 0)])
async def test_what_goes_on_too_long_is_cut(seconds, frames):
    line = Line()
    await say(lambda: line, tone(440, seconds), POLICY)
    assert [len(frame) for _, frame in line.sent] == [160] * frames


async def test_who_hangs_up_first_has_heard_enough():
    line, began = Line(), time.monotonic()
    await say(lambda: line if len(line.sent) < 3 else None, tone(440, 0.3), POLICY)
    assert len(line.sent) == 3
    assert time.monotonic() - began < 0.25
