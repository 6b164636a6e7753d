"""Encryption: what was sealed with one key opens with it, once, and with no other."""

from __future__ import annotations

import struct

from media.phone.sip.reports import write_report
from media.phone.sip.srtp import Srtp

A, B, C = (bytes([letter]) * 30 for letter in b"abc")
PACKET = struct.pack("!BBHLL", 0x80, 0, 1, 160, 9) + bytes(160)


def test_two_sides_understand_each_other():
    ours, theirs = Srtp(A, B), Srtp(B, A)
    sealed = ours.protect(PACKET)
    assert theirs.unprotect(sealed) == PACKET
    assert theirs.unprotect(sealed) is None  # a replay
    report = write_report(9, 0.0, (1, 1, 160), None)
    assert theirs.unprotect(ours.protect(report, report=True), report=True) == report


def test_what_is_not_authentic_is_not_opened():
    sealed = Srtp(A, B).protect(PACKET)
    assert Srtp(B, C).unprotect(sealed) is None
    assert Srtp(B, A).unprotect(sealed[:-1] + b"x") is None
    assert Srtp(B, A).unprotect(b"") is None
    assert Srtp(A, B).protect(b"") is None
