"""What a visit is called in log lines: a name that says nothing to whoever has no key.

The same on every node that shares the key ring, so that lines can be joined; whoever may look for
the lines of one visit asks for its name with ``bedside visits --trace``.
"""

from __future__ import annotations

import base64
import hmac

from rooms.nodes_policy import SightPolicy


class Traces:
    """Names for ids, by a keyed hash (HMAC-SHA256). ``secret`` is the ring's sealing key."""

    def __init__(self, secret: bytes, policy: SightPolicy | None = None) -> None:
        self._secret = secret
        self._length = (policy or SightPolicy()).trace_length

    def name(self, given: str) -> str:
        """The name of this id; nobody's is nobody's."""
        if not given:
            return given
        digest = hmac.digest(self._secret, b"trace/" + given.encode(), "sha256")
        return base64.b32encode(digest).decode("ascii").lower()[: self._length]
