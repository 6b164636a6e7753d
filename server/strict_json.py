"""JSON in its one reading: no repeated keys (the last would win), no NaN, no infinity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def parse_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in ``text``. Raises ``ValueError`` for everything else."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("repeated key")
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise ValueError("not a number")
