"""Whole nodes on a real Redis: what staff record at one is heard at the others."""

import asyncio

import numpy as np
import pytest

from media.phone.prompt_files import practice_key
from media.phone.prompts import Prompts
from media.phone.sound_files import read_sound
from media.phone.wording import Announcer
from rooms.model import Prompt
from rooms.policy import PromptPolicy
from server.redis_recordings import packed
from server.routes import ANNOUNCEMENTS
from server.shared_announcements import SharedAnnouncements
from server.store import StoreUnavailable
from server.telephony import PhonePolicies
from tests.support.redis_server import one_redis
from tests.support.server_clients import AT_ONCE, HASTY, running_server
from tests.support.several_nodes import BRISK, several_nodes, slower, until
from tests.support.sounds import purity, sound_file, tone

GATE = f"{ANNOUNCEMENTS}/gate/pt-BR"
LOW, HIGH = (
    sound_file(tone(hertz, 1.0, rate=48_000), "wav", "pcm_s16le") for hertz in (440.0, 880.0)
)


@pytest.fixture
async def pair(tmp_path, shared_redis):
    async with several_nodes(tmp_path, shared_redis) as installation:
        yield installation


async def played(pair, name, path=GATE):
    """What staff hear at this node, and so what telephones hear."""
    practice, server = pair.at(name), pair[name]
    headers = {"Authorization": f"Bearer {practice.key}"}
    async with server.http.get(server.url + path, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        return read_sound(await answer.read(), PromptPolicy())


def prompts(pair, name):
    return pair[name].node.phones.prompts


def heard(pair, name, hertz, language="pt-BR"):
    """Whether telephones of this node hear this tone."""
    announcer = Announcer(practice=pair.practice.id)
    return purity(prompts(pair, name).frames(Prompt.GATE, language, announcer), hertz) > 0.9


def files(folder, name):
    return [path.name for path in (folder / name / "prompts" / "recorded").rglob("*.wav")]


async def recorded(pair, name, audio, path=GATE):
    assert (await pair.at(name).call("PUT", path, audio)).status == 204


async def test_what_is_recorded_at_one_node_is_heard_at_the_other(pair, tmp_path):
    await recorded(pair, "a", LOW)
    assert heard(pair, "a", 440), "at once"
    await until(lambda: heard(pair, "b", 440))
    assert np.array_equal(await played(pair, "a"), await played(pair, "b"))
    await until(lambda: files(tmp_path, "b") == ["gate.pt-br.wav"])
    listed = (await pair.at("b").get(ANNOUNCEMENTS))["recordings"]
    assert listed == [{"prompt": "gate", "language": "pt-br"}]
    await recorded(pair, "b", HIGH)
    await until(lambda: heard(pair, "a", 880))


async def test_what_is_forgotten_at_one_node_is_heard_nowhere(pair, tmp_path):
    await recorded(pair, "a", LOW)
    await recorded(pair, "a", HIGH, f"{ANNOUNCEMENTS}/gate/fr")
    await until(lambda: heard(pair, "b", 440) and heard(pair, "b", 880, "fr"))
    for language in ("pt-BR", "fr"):
        path = f"{ANNOUNCEMENTS}/gate/{language}"
        assert (await pair.at("b").call("DELETE", path)).status == 204
        await until(lambda: not heard(pair, "a", 440))
    for name in ("a", "b"):
        await until(lambda name=name: not prompts(pair, name).held())
        await until(lambda name=name: files(tmp_path, name) == [])
    entries = [entry.type for entry in await pair.practice.log()]
    assert entries == ["AnnouncementRecorded"] * 2 + ["AnnouncementForgotten"] * 2


async def test_recordings_at_once_at_both_nodes_end_the_same_at_both(pair):
    practice_at = [pair.at("a"), pair.at("b")]
    for _ in range(5):
        await asyncio.gather(
            *(at.call("PUT", GATE, audio) for at in practice_at for audio in (LOW, HIGH))
        )
    await until(
        lambda: (
            [heard(pair, name, 440) for name in ("a", "b")]
            == [not heard(pair, name, 880) for name in ("a", "b")]
        )
    )
    held = [prompts(pair, name) for name in ("a", "b")]
    await until(lambda: len({packed(each.held().popitem()[1]).sum for each in held}) == 1)


async def test_a_node_that_starts_later_has_everything_and_nothing_else(tmp_path, shared_redis):
    async with several_nodes(tmp_path, shared_redis) as pair:
        await recorded(pair, "a", LOW)
        await until(lambda: heard(pair, "b", 440))
        left = Prompts(tmp_path / "c" / "prompts", PromptPolicy())
        for practice in (pair.practice.id, "gone"):
            await left.store(practice, Prompt.TRIAL, "en", HIGH)
        await left.store(pair.practice.id, Prompt.GATE, "pt-BR", HIGH)
        async with running_server(
            tmp_path / "c",
            nodes=BRISK,
            clock=pair["a"].clock,
            redis_url=shared_redis.url,
            redis_prefix=pair.prefix,
            node="c",
            keys_file=tmp_path / "keys.json",
        ) as late:
            place = (practice_key(pair.practice.id), Prompt.GATE, "pt-br")
            held = late.node.phones.prompts.held
            await until(lambda: list(held()) == [place])
            await until(lambda: purity(held()[place], 440) > 0.9)
            await until(lambda: files(tmp_path, "c") == ["gate.pt-br.wav"])


async def test_a_recording_that_will_not_do_changes_nothing_anywhere(tmp_path, shared_redis):
    phones = PhonePolicies(
        prompts=PromptPolicy(most_recordings=1), practice=HASTY, switchboard=AT_ONCE
    )
    async with several_nodes(tmp_path, shared_redis, phones=phones) as pair:
        await recorded(pair, "a", LOW)
        for path, audio, code in (
            (f"{ANNOUNCEMENTS}/gate/fr", HIGH, "too_many_prompts"),
            (GATE, b"no sound", "prompt_unreadable"),
            (f"{ANNOUNCEMENTS}/gate/..%2Fen", HIGH, "prompt_language_invalid"),
        ):
            assert (await pair.at("b").call("PUT", path, audio)).code == code
        await until(lambda: heard(pair, "b", 440))
        assert len(prompts(pair, "b").held()) == 1


async def test_while_the_store_is_away_nothing_is_recorded_and_afterwards_all_is_the_same(
    tmp_path,
):
    with one_redis() as redis:
        async with several_nodes(tmp_path, redis, policy=slower(stale_after=30.0)) as pair:
            await recorded(pair, "a", LOW)
            await until(lambda: heard(pair, "b", 440))
            with redis.hung():
                practice = pair["a"].node.nodes.announcements
                with pytest.raises(StoreUnavailable):
                    await practice.store(pair.practice.id, Prompt.GATE, "pt-BR", HIGH)
                with pytest.raises(StoreUnavailable):
                    await practice.remove(pair.practice.id, Prompt.GATE, "pt-BR")
                assert heard(pair, "a", 440), "what was heard is heard"
                assert heard(pair, "b", 440)
            await recorded(pair, "b", HIGH)
            for name in ("a", "b"):
                await until(lambda name=name: heard(pair, name, 880))


async def test_a_store_that_has_lost_a_recording_is_followed(tmp_path):
    with one_redis() as redis:
        async with several_nodes(tmp_path, redis, policy=slower(stale_after=30.0)) as pair:
            await recorded(pair, "a", LOW)
            redis.kills()
            redis.starts()  # with nothing
            for name in ("a", "b"):
                await until(lambda name=name: not prompts(pair, name).held())
                assert not heard(pair, name, 440)


async def test_a_notice_that_was_lost_costs_a_while(tmp_path, shared_redis, monkeypatch):
    monkeypatch.setattr(SharedAnnouncements, "changed", lambda *_: None)
    async with several_nodes(
        tmp_path, shared_redis, policy=slower(announcements_reread=0.1)
    ) as pair:
        await recorded(pair, "a", LOW)
        await until(lambda: heard(pair, "b", 440))


async def test_a_name_that_is_chosen_at_one_node_is_spoken_at_the_other(pair, monkeypatch):
    spoken = {}
    for name in ("a", "b"):
        said = spoken[name] = []

        async def prepare(announcer, said=said):
            said.append(announcer.who)

        monkeypatch.setattr(prompts(pair, name), "prepare", prepare)
    named = {"spoken_name": "Riverside", "call_back": "+1 202 555 0142"}
    assert (await pair.at("a").call("PUT", ANNOUNCEMENTS, named)).status == 200
    await until(lambda: "Riverside" in spoken["b"])
    assert await pair.at("b").get(ANNOUNCEMENTS) == await pair.at("a").get(ANNOUNCEMENTS)


async def test_what_lies_in_the_store_and_is_no_recording_is_left_out(pair, tmp_path):
    await recorded(pair, "a", LOW)
    await until(lambda: heard(pair, "b", 440))
    keys, practice = pair.part("a")._keys, pair.practice.id
    good = packed(tone(440, 0.2)).text
    for name, text in (
        ("gate/en", "no sound"),
        ("gate/../../en", good),
        ("song/en", good),
        ("gate", good),
        ("trial/en", ""),
    ):
        pair.redis.command("HSET", keys.recordings(practice), name, "0" * 64)
        pair.redis.command("SET", keys.recording(practice, name), text)
    pair.redis.command("HSET", keys.recorded, practice, "another state")
    pair.part("b").announcements.changed(practice)
    await until(lambda: pair.part("b").announcements._equal_to.get(practice) == "another state")
    assert list(prompts(pair, "b").held()) == [(practice_key(practice), Prompt.GATE, "pt-br")]
    assert {path.parent.parent.parent.name for path in tmp_path.rglob("gate.*.wav")} == {"prompts"}
    assert heard(pair, "b", 440)
