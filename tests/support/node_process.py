"""``bedside`` with other rules than the usual ones, for tests that cannot wait for those.

    python -m tests.support.node_process '{"nodes": {"media_hold": 3}}' serve

Everything else of it is the real command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from functools import partial
from typing import Any

from server import __main__ as command
from server.app import Policies, build

Rules = Mapping[str, Any]  # names of fields of ``Policies`` and below, with their values


def with_rules(policy: Any, rules: Rules) -> Any:
    """The same rules but for these. Raises ``TypeError`` for a name that none of them has."""
    changed = {
        name: with_rules(getattr(policy, name), value)
        if isinstance(value, Mapping) and is_dataclass(getattr(policy, name, None))
        else value
        for name, value in rules.items()
    }
    return replace(policy, **changed)


def command_with(rules: Rules) -> tuple[str, ...]:
    """What runs a node with these rules."""
    return (sys.executable, "-m", "tests.support.node_process", json.dumps(rules), "serve")


if __name__ == "__main__":
    given: Policies = with_rules(Policies(), json.loads(sys.argv[1]))
    command.build = partial(build, policies=given)  # type: ignore[attr-defined]
    command.main(sys.argv[2:])
