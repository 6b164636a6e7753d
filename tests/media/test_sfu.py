from media.ports import LegState


async def test_two_people_hear_and_see_each_other(room):
    ann, ben = await room.meet("ann", "ben")
    await ben.until(lambda: LegState.CONNECTED in ben.states)
    ann.send_audio(b"hello")
    ben.send_audio(b"good day")
    ann.send_video(b"a picture", key=True)
    ben.send_video(b"another", key=True)
    await ben.until(lambda: ben.sound("ann") and ben.picture("ann"))
    await ann.until(lambda: ann.sound("ben") and ann.picture("ben"))
    assert ben.sound("ann")[0].payload == b"hello"
    assert ann.sound("ben")[0].payload == b"good day"
    assert ben.picture("ann")[0].payload.endswith(b"a picture")
    assert ann.picture("ben")[0].payload.endswith(b"another")
