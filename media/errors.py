"""What can go wrong between a browser and the media plane.

MediaError
 ├── SdpRefused       the browser's answer breaks a rule
 └── HandshakeFailed  no keys: wrong fingerprint, no common profile, or nobody there

Every error has a stable ``code``; the text is for logs and never holds what a peer sent.
"""

from __future__ import annotations

from rooms.errors import BedsideError


class MediaError(BedsideError):
    """Anything the media plane refuses or fails at."""

    code = "media_error"
    title = "Sound and picture could not be connected."


class SdpRefused(MediaError):
    """The answer is too large, malformed, or does not fit the offer. Only that session suffers."""

    code = "sdp_refused"
    title = "This browser's answer could not be used."


class HandshakeFailed(MediaError):
    """The DTLS handshake did not end in SRTP keys for the announced fingerprint."""

    code = "handshake_failed"
    title = "The encrypted connection could not be made."
