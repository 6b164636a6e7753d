"""Guards and actions of a seat. Each is needed by the table; what they do is told elsewhere."""

import pytest

from rooms import admission_rules
from rooms.admission import ADMISSION
from rooms.admission_rules import waiting_devices
from tests.rooms.cast import DESK, Story
from tests.rooms.grids import offered, used


@pytest.mark.parametrize(
    "rule", offered(admission_rules, "waiting_devices"), ids=lambda f: f.__name__
)
def test_every_guard_and_action_is_used_by_the_table(rule):
    assert rule in used(ADMISSION)


def waiting(story):
    return [device.id for device in waiting_devices(story.seat("petra"))]


def test_who_waits_at_a_seat_is_its_holder_and_every_second_device_whose_page_is_open():
    story = Story().opens("petra")
    assert waiting(story) == []
    story.knocks("petra")
    assert waiting(story) == ["petra-one"]
    story.opens("petra", "two").knocks("petra", "two").opens("petra", "three")
    assert waiting(story) == ["petra-one", "petra-two"]
    story.drops("petra", "one").drops("petra", "two")
    assert waiting(story) == ["petra-one"]
    story.connects("petra", "two").admits(DESK, "petra", "one")
    assert waiting(story) == ["petra-two"]
