"""Who hears whom by telephone. That it holds in every visit is said in line_laws.py."""

from rooms.model import Need, Sound
from rooms.wiring import inside, phone_ends, who_hears_whom
from tests.rooms.cast import by
from tests.rooms.phone_story import PhoneStory


def test_two_telephones_hear_each_other_and_never_themselves():
    story = PhoneStory().meet().bridged("petra").bridged("fay")
    assert story.end("petra").hears_phones == ("fay",)
    assert story.end("fay").hears_phones == ("petra",)
    assert story.end("petra").hears == story.end("fay").hears == ("dora",)


def test_one_mute_for_browser_and_telephone():
    story = PhoneStory("dora", "petra").meet().bridged()
    story.switches("petra", microphone=False)
    assert story.hears("dora", "petra") == set()
    assert not story.end().talks
    assert story.end().hears == ("dora",)


def test_whoever_is_muted_is_not_heard_by_telephones():
    story = PhoneStory("dora", "petra").meet().bridged()
    story.switches("dora", microphone=False)
    assert story.end().hears == ()


def test_observer_on_the_telephone_hears_and_is_not_heard():
    story = PhoneStory("dora", "olga").meet().bridged("olga")
    assert story.end("olga").hears == ("dora",)
    assert not story.end("olga").talks
    assert {link.source for link in who_hears_whom(story.visit)} == {"dora"}


def test_silenced_browser_is_probed_and_no_other():
    story = PhoneStory("dora", "petra").meet().bridged()
    probed = {link.hearer for link in who_hears_whom(story.visit) if link.probe}
    assert probed == {"petra"}


def test_interpreter_of_somebody_who_signs_keeps_the_picture():
    story = PhoneStory("dora", "petra", "ivan").needs("petra", Need.SIGNING).meet()
    story.sounds("ivan", Sound.WEAK)
    assert story.sees("petra", "ivan")
    assert story.sees("ivan", "petra")
    assert not story.sees("ivan", "dora")
    assert story.sees("dora", "ivan")


def test_announcement_of_one_telephone_is_for_those_that_are_there():
    story = PhoneStory().meet().bridged("petra").cut("fay")
    story.pass_time(5)
    story.answers("fay").presses("1", "fay")
    assert (story.end("petra").prompt, story.end("fay").prompt) == ("joined", "connecting")


def test_no_telephone_belongs_to_a_visit_that_is_over():
    story = PhoneStory("dora", "petra").meet().bridged()
    story.ends(by("dora"))
    assert phone_ends(story.visit) == inside(story.visit) == frozenset()
