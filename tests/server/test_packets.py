"""The grammar at the door: what our own page sends passes, and nothing else does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import Packet

from rooms.policy import EdgePolicy
from server.packets import (
    Offence,
    PacketRefused,
    check_frame,
    check_payload,
    check_upgrade,
    read_json,
    strict_packets,
)

POLICY = EdgePolicy()
STRICT = strict_packets(POLICY)
DEEPEST = POLICY.max_json_depth


def refused(call, *args):
    with pytest.raises(PacketRefused) as caught:
        call(*args)
    return caught.value.offence


def decode(text):
    return STRICT(encoded_packet=text)


@pytest.mark.parametrize("frame", ["1", "3", "40", '42["a"]', "41/visit,", "43/visit,1[]"])
def test_frames_of_a_browser_pass(frame):
    assert check_frame(frame) == frame


@pytest.mark.parametrize(
    "frame",
    ["", "x", "9", "4", "4z", "0", "0{}", "2", "2probe", "5", "6", "7", "3probe", "11", "44", "47",
     "٣", "４2[]", " 42[]", "\n"],
)  # fmt: skip
def test_other_frames_are_refused(frame):
    assert refused(check_frame, frame) == Offence.FRAME


@pytest.mark.parametrize("frame", [b"42[]", b"", None, "bNDI=", "b", "451-[]", "461-1[]"])
def test_binary_is_refused_at_the_first_frame(frame):
    assert refused(check_frame, frame) == Offence.BINARY


def test_an_upgrade_is_two_frames_and_no_others():
    assert [check_upgrade("2probe"), check_upgrade("5")] == ["2probe", "5"]
    for frame in ("2", "3", '42["a"]', "", b"5", None):
        assert refused(check_upgrade, frame) == Offence.FRAME


def test_a_polling_body_is_a_list_of_frames():
    assert check_payload(b'3\x1e42["a"]', 2) == ["3", '42["a"]']
    assert refused(check_payload, b"3\x1e3\x1e3", 2) == Offence.TOO_OFTEN
    assert refused(check_payload, b"\xff", 2) == Offence.FRAME
    assert refused(check_payload, b"", 2) == Offence.FRAME
    assert refused(check_payload, b"d=42[]", 2) == Offence.FRAME


@pytest.mark.parametrize(
    ("text", "kind", "namespace", "number", "data"),
    [
        ('0/visit,{"token":"a,b"}', 0, "/visit", None, {"token": "a,b"}),
        ("0/desk,", 0, "/desk", None, None),
        ("0/desk", 0, "/desk", None, None),
        ("1/visit,", 1, "/visit", None, None),
        ('2/visit,17["seat:admit",{"seat":"s1"}]', 2, "/visit", 17,
         ["seat:admit", {"seat": "s1"}]),
        ('2["visit:knock"]', 2, None, None, ["visit:knock"]),
        ("3/visit,17[]", 3, "/visit", 17, []),
    ],
)  # fmt: skip
def test_packets_of_our_page_are_read(text, kind, namespace, number, data):
    packet = decode(text)
    assert (packet.packet_type, packet.namespace, packet.id, packet.data) == (
        kind,
        namespace,
        number,
        data,
    )
    assert packet.attachment_count == 0


@pytest.mark.parametrize(
    "text",
    ["2", '2{"a":1}', "2[]", "2[1]", "2[null]", '2[["a"]]', '2"a"', "04040", "0[]", '0"x"',
     "01{}", "1/visit,{}", "17", "3[]", "31", "31{}", '2["a",1,2]', '2/visit,1/x,["a"]'],
)  # fmt: skip
def test_malformed_packets_are_refused(text):
    assert refused(decode, text) in {Offence.PACKET, Offence.JSON}


@pytest.mark.parametrize("text", ["51-[]", '51-["a",{"_placeholder":true,"num":0}]', "61-1[]"])
def test_binary_packets_are_refused(text):
    assert refused(decode, text) == Offence.BINARY


def test_attachments_cannot_be_announced_on_other_packets():
    assert refused(decode, '29999999999-["a"]') == Offence.JSON
    assert refused(decode, '21-["a"]') == Offence.JSON


@pytest.mark.parametrize("name", ["connect", "disconnect"])
def test_reserved_events_cannot_be_sent(name):
    assert refused(decode, f'2/visit,["{name}"]') == Offence.RESERVED_EVENT
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    assert refused(decode, f'2/visit,["{escaped}"]') == Offence.RESERVED_EVENT


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '[{"a":{"b":1,"b":1}}]', '{"a":1,"\\u0061":2}', "NaN", "[Infinity]",
     "-Infinity", "1e999", "-1e999", "9007199254740992", "-9007199254740992", "1" * 5_000,
     '"\\ud800"', '"\\uDC00x"', '{"\\ud800":1}', "[", "", "'a'", "[1,]", "nul", "01", "\ufeff1",
     '"\t"', "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000],
)  # fmt: skip
def test_json_that_readers_would_disagree_about_is_refused(text):
    assert refused(read_json, text, DEEPEST) == Offence.JSON


@pytest.mark.parametrize(
    "text", ["9007199254740991", "-9007199254740991", '"\\ud83d\\ude00"', "1.5e3", '"Zoë 😀"', "{}"]
)
def test_plain_json_is_read(text):
    assert read_json(text, DEEPEST) == json.loads(text)


def test_nesting_is_bounded():
    assert read_json("[" * DEEPEST + "]" * DEEPEST, DEEPEST)
    assert refused(read_json, "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), DEEPEST) == Offence.JSON
    deep = '{"a":' * DEEPEST + "1" + "}" * DEEPEST
    assert read_json(deep, DEEPEST)
    assert refused(read_json, f"[{deep}]", DEEPEST) == Offence.JSON


@given(st.text(max_size=200))
def test_whatever_comes_is_read_or_refused(text):
    """No other exception: that is what the library would log and forget to close for."""
    for read in (check_frame, decode):
        try:
            read(text)
        except PacketRefused:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.text(min_size=1).filter(lambda name: name not in {"connect", "disconnect"}), JSON)
def test_what_the_library_writes_is_read_the_same(name, payload):
    sent = Packet(2, data=[name, payload], namespace="/visit", id=3)
    packet = STRICT(encoded_packet=sent.encode())
    assert (packet.namespace, packet.id, packet.data) == ("/visit", 3, [name, payload])


def test_the_library_itself_is_left_as_it_was():
    """Its JSON module and packet class are shared by every server and client of the process."""
    assert Packet(encoded_packet='21-["a"]').attachment_count == 1
