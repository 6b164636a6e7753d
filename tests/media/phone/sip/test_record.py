"""What the ledger holds is read back, and nothing else is believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.phone.sip.dialog import Dialog, DialogState
from media.phone.sip.record import Record
from media.phone.sip.writing import Outgoing

INVITE = Outgoing(
    method="INVITE", target="sip:+1@t.example", hop="sip:192.0.2.1", sent_by="UDP 192.0.2.9:5060",
    branch="z9hG4bKx", from_="<sip:a@b.example>;tag=ours", to="<sip:+1@t.example>", call_id="77",
    cseq=3, headers=(("Authorization", "secret"),), body=b"v=0",
)  # fmt: skip
DIALOG = Dialog(
    call_id="77", local=INVITE.from_, remote="<sip:+1@t.example>;tag=t", remote_tag="t",
    target="sip:gw@x", route=("<sip:p;lr>",), cseq=4, state=DialogState.CONFIRMED,
)  # fmt: skip


def test_an_invite_and_its_dialog_come_back():
    found = Record.read(Record.of(INVITE, DIALOG).written())
    assert found.dialog == DIALOG
    assert found.invite.branch == INVITE.branch
    assert found.invite.encode().startswith(b"INVITE sip:+1@t.example SIP/2.0\r\n")
    alone = Record.read(Record.of(INVITE).written())
    assert alone.dialog is None
    assert not alone.answered


def test_no_proof_and_no_sound_is_kept():
    written = Record.of(INVITE, DIALOG).written()
    assert "secret" not in written
    assert "v=0" not in written


@pytest.mark.parametrize("change", [
    {"version": 2}, {"target": 5}, {"route": "x\r\ny"}, {"route": None}, {"cseq": "3"},
    {"from_": "a\r\nb"}, {"more": 1}, {"branch": None},
])  # fmt: skip
def test_what_was_not_written_by_us_is_not_read(change):
    written = json.loads(Record.of(INVITE, DIALOG).written())
    assert Record.read(json.dumps({**written, **change})) is None


@given(st.text(max_size=60))
def test_any_text_is_read_or_not(text):
    assert Record.read(text) is None
