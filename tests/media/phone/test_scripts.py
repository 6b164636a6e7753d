import phonenumbers
import pytest

from media.phone.scripts import NUMBERS, Act, Script, scripts
from rooms.policy import PracticeCarrierPolicy

TABLE = scripts(PracticeCarrierPolicy())


def test_every_script_is_written_and_has_a_number():
    assert set(TABLE) == set(Script) == set(NUMBERS.values())


@pytest.mark.parametrize("steps", TABLE.values(), ids=TABLE.keys())
def test_every_script_makes_sense(steps):
    acts = [step.act for step in steps]
    ends = {Act.HANG_UP, Act.LOSE, Act.FAIL}
    assert not ends & set(acts[:-1])
    if Act.ANSWER in acts:
        assert acts.index(Act.RING) < acts.index(Act.ANSWER)
        assert Act.FAIL not in acts
    else:
        assert set(acts) <= {Act.RING, Act.FAIL}
    for step in steps:
        assert step.after >= 0
        assert bool(step.key) == (step.act is Act.PRESS)
        assert (step.why is not None) == (step.act is Act.FAIL)


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_can_be_typed_and_belong_to_nobody(number):
    parsed = phonenumbers.parse(number, None)
    assert phonenumbers.is_valid_number(parsed)
    assert number[5:9] == "5550"


def test_voicemail_picks_up_before_the_caller_gives_up():
    policy = PracticeCarrierPolicy()
    assert policy.rings_after + policy.voicemail_after < 25.0
