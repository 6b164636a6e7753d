"""Whether the trunk is there: OPTIONS now and then (RFC 3261 section 11)."""

from __future__ import annotations

import asyncio
import secrets

from media.phone.sip.agent import UserAgent
from media.phone.sip.messages import Fields, Response
from media.phone.sip.writing import Outgoing

_OUT_OF_SERVICE = frozenset({408, 503, 504})  # every other answer comes from a living server


class Health:
    """Asks until it is cancelled. A trunk counts as healthy until it has missed several."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self._missed = 0
        self._asked = 0
        self._name = secrets.token_hex(16)

    @property
    def good(self) -> bool:
        """Whether a call has a chance."""
        connected = self._agent.exchange.transport.connected
        return connected and self._missed < self._agent.policy.options_missed

    async def watch(self) -> None:
        """Ask for ever."""
        policy = self._agent.policy
        await asyncio.sleep(policy.options_first)
        while True:
            await self.ask()
            await asyncio.sleep(policy.options_again if self._missed else policy.options_every)

    async def ask(self) -> None:
        """Ask once."""
        response = await self._agent.ask(self._options, self._agent.policy.options_within)
        self._missed = 0 if _is_alive(response) else self._missed + 1

    def _options(self, proofs: Fields) -> Outgoing:
        self._asked += 1
        return self._agent.options(self._name, self._asked, proofs)


def _is_alive(response: Response | None) -> bool:
    return response is not None and response.code not in _OUT_OF_SERVICE
