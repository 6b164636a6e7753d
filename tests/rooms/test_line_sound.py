"""Guards and actions of one line. Each is needed by the table; what they do is told elsewhere."""

import pytest

from rooms import line_sound
from rooms.fallback import FALLBACK
from tests.rooms.grids import offered, used

STOOD_ON = (
    "with_line",
    "call_due",
    "media_due",
    "off_the_phone",
    "hang_up",
    "failed",
    "own_plan",
)


@pytest.mark.parametrize("rule", offered(line_sound, *STOOD_ON), ids=lambda f: f.__name__)
def test_every_rule_is_used_by_the_table(rule):
    assert rule in used(FALLBACK)
