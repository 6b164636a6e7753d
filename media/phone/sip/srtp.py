"""Encryption of a telephone's sound (RFC 3711) with keys from SDP (RFC 4568)."""

from __future__ import annotations

from pylibsrtp import Error, Policy, Session


class Srtp:
    """Both directions of one leg. Each method gives None for what cannot be done."""

    def __init__(self, ours: bytes, theirs: bytes) -> None:
        self._out = _session(ours, Policy.SSRC_ANY_OUTBOUND)
        self._in = _session(theirs, Policy.SSRC_ANY_INBOUND)

    def protect(self, packet: bytes, *, report: bool = False) -> bytes | None:
        """An RTP packet, or an RTCP one if it is a ``report``, encrypted."""
        try:
            seal = self._out.protect_rtcp if report else self._out.protect
            return seal(packet)
        except Error:
            return None

    def unprotect(self, packet: bytes, *, report: bool = False) -> bytes | None:
        """A packet that is authentic and was not seen before, in plain."""
        try:
            opened = self._in.unprotect_rtcp if report else self._in.unprotect
            return opened(packet)
        except Error:
            return None


def _session(key: bytes, direction: int) -> Session:
    profile = Policy.SRTP_PROFILE_AES128_CM_SHA1_80
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile))
