"""The practice's own systems, on a server that may be moving its visits meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from tests.load.figures import Figures
from tests.support.returning_line import ANSWER_WITHIN, Refused, backoff
from tests.support.visits import Clinic

TRIES = 6


class PatientClinic(Clinic):
    """A clinic that repeats what a server could not take, and counts that."""

    def __init__(
        self, http: aiohttp.ClientSession, origin: str, api_key: str, figures: Figures
    ) -> None:
        super().__init__(http, origin.rstrip("/"), api_key)
        self._figures = figures

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """One request; its reply. Raises ``Refused``."""
        attempt = 0
        while True:
            try:
                with self._figures.time("rest"):
                    return await self._call(method, path, body)
            except Refused as refused:
                if attempt == TRIES or 400 <= refused.status < 500:
                    raise
                self._figures.trouble(refused.code)
                await asyncio.sleep(max(backoff(attempt), refused.retry_after))
            attempt += 1

    async def _call(self, method: str, path: str, body: object) -> Any:
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN),
                self._http.request(
                    method, self.origin + path, json=body, headers=self._headers
                ) as answer,
            ):
                reply = await answer.json(content_type=None)
                if not answer.ok:
                    raise Refused.by(answer.status, reply or {})
                return reply
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            raise Refused("lost") from None
