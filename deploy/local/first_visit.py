"""A visit to try, made as a practice's own system would: by REST, with its API key."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.installation import NAMES, Installation
from server.__main__ import FIRST_PRACTICE

_LASTS = 4 * 60 * 60.0  # seconds
_SEATS = (
    {"role": "patient", "name": "Rosa Alvarez"},
    {"role": "provider", "name": "Dr. Amina Reyes"},
    {"role": "family", "name": "Lucia Alvarez", "relationship": "daughter"},
)


async def links_to_try(running: Installation) -> dict[str, str]:
    """Make a visit that is open now, and a desk; their links by role."""
    headers = {"Authorization": f"Bearer {api_key(running.folder / NAMES[0])}"}
    async with aiohttp.ClientSession(running.origin, headers=headers) as http:
        visit = await _made(http, "/v1/visits", _visit())
        desk = await _made(http, "/v1/desks", {})
    return {**{seat["role"]: seat["link"] for seat in visit["seats"]}, "desk": desk["link"]}


def api_key(data: Path) -> str:
    """The key of the practice that the first start of this node made."""
    return (data / FIRST_PRACTICE).read_text().split("API key")[1].split()[0]


def _visit() -> dict[str, Any]:
    now = time.time()
    return {"starts_at": now, "ends_at": now + _LASTS, "host": "Dr. Amina Reyes", "seats": _SEATS}


async def _made(http: aiohttp.ClientSession, path: str, body: object) -> Any:
    async with http.post(path, json=body) as answer:
        answer.raise_for_status()
        return await answer.json()
