"""Guards and actions of one line. Each is needed by the table; what they do is told elsewhere."""

import pytest

from rooms import line_calls
from rooms.fallback import FALLBACK
from tests.rooms.grids import offered, used

STOOD_ON = ("farewell_to",)


@pytest.mark.parametrize("rule", offered(line_calls, *STOOD_ON), ids=lambda f: f.__name__)
def test_every_rule_is_used_by_the_table(rule):
    assert rule in used(FALLBACK)
