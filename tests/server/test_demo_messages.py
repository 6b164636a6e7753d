import json

import pytest

from media.ports import Connection, LegState
from server import demo_messages as d
from server.errors import PayloadInvalid

DEEDS = [
    ({"type": "answer"}, d.Answer),
    ({"type": "decline"}, d.Decline),
    ({"type": "hang_up"}, d.HangUp),
    *(({"type": "press", "key": key}, d.Press) for key in "0123456789*#"),
    ({"type": "voicemail", "on": True}, d.SwitchVoicemail),
    ({"type": "media:answer", "peer": "p", "number": 1, "sdp": "v=0"}, d.SdpAnswer),
    ({"type": "media:restart", "something": "new"}, d.Restart),
]


@pytest.mark.parametrize(("said", "model"), DEEDS, ids=lambda case: str(case)[:40])
def test_what_pages_say_is_understood(said, model):
    assert type(d.parse_deed(json.dumps(said))) is model


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "{}",
        '{"type":"ring"}',
        '{"type":"press"}',
        '{"type":"press","key":""}',
        "[" * 9_999,
    ],
)
def test_everything_else_is_refused_without_repeating_it(text):
    with pytest.raises(PayloadInvalid) as refused:
        d.parse_deed(text)
    assert not refused.value.fields


def test_what_pages_are_told_names_its_type():
    offer = d.MediaOffer(peer="p", connection=Connection.SEND, number=2, sdp="v=0")
    assert json.loads(offer.model_dump_json())["connection"] == "send"
    changed = d.PhoneChanged(state="idle", caller="", number="", voicemail=False)
    told = (offer, changed, d.MediaChanged(state=LegState.LOST), d.Taken())
    names = [json.loads(news.model_dump_json())["type"] for news in told]
    assert names == ["media:offer", "phone:changed", "media:state", "taken"]
