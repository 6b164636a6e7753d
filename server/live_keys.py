"""The key ring of a running server, which follows its file: keys are rotated under way.

A token whose key is unknown makes the file be read again, and so does SIGHUP; from then on the
file's active key signs. Older keys verify for as long as the file holds them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from rooms.nodes_policy import SightPolicy
from server import keys
from server.config import ConfigurationError
from server.keys import KeyRing, TokenKey

log = structlog.get_logger(__name__)


class LiveKeys:
    """A ``Keys`` of the file at ``path``, of which ``ring`` is what was read of it at first."""

    def __init__(
        self,
        path: Path,
        ring: KeyRing,
        policy: SightPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._ring = ring
        self._apart = (policy or SightPolicy()).keys_apart
        self._clock = clock
        self._look_from = clock()

    @property
    def active(self) -> TokenKey:
        """The key that new tokens are signed with."""
        return self._ring.active

    @property
    def audit(self) -> bytes:
        """The key that chains the log; never changes."""
        return self._ring.audit

    @property
    def sealing(self) -> bytes:
        """The key that seals replies; never changes."""
        return self._ring.sealing

    def token_key(self, kid: str) -> TokenKey | None:
        """The key with this id, if it is still believed; the file is asked once a second."""
        found = self._ring.token_key(kid)
        if found is None and self._clock() >= self._look_from:
            self.reread()
            found = self._ring.token_key(kid)
        return found

    def reread(self) -> bool:
        """Believe and sign with what the file says now. One that is not sound changes nothing."""
        self._look_from = self._clock() + self._apart
        try:
            ring = keys.load(self._path)
        except ConfigurationError:
            log.error("keys_not_reread", why="unusable")
            return False
        if (ring.audit, ring.sealing) != (self._ring.audit, self._ring.sealing):
            log.error("keys_not_reread", why="another_installation")
            return False
        if ring != self._ring:
            self._ring = ring
            log.info("keys_reread", believed=len(ring.tokens))
        return True
