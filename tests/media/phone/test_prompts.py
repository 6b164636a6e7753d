import asyncio
import subprocess
import sys

import av
import numpy as np
import pytest

from media.phone.errors import (
    NameTellsOfHealth,
    PromptLanguageInvalid,
    PromptTooLong,
    PromptUnreadable,
    TooManyPrompts,
)
from media.phone.prompts import SHIPPED, Prompts, place_of, shipped
from media.phone.wording import SPOKEN, Announcer, texts
from rooms.model import Prompt
from rooms.policy import PromptPolicy
from tests.support.sounds import purity, sound_file, tone
from tests.support.source_tree import ROOT

POLICY = PromptPolicy()
NAMELESS = Announcer(practice="p")
NAMED = Announcer(practice="p", who="Riverside", call_back="+12025550123")
RECORDING = sound_file(tone(440, 1.0, 48_000), "webm", "libopus")


class Voice:
    """Speaks at once: 700 Hz, and remembers the words."""

    def __init__(self):
        self.said = []

    async def __call__(self, text, language, policy):
        self.said.append(text)
        return sound_file(tone(700, 1.0), "wav", "pcm_s16le", 8_000)


@pytest.fixture
def voice():
    return Voice()


@pytest.fixture
async def prompts(tmp_path, voice):
    prompts = Prompts(tmp_path, POLICY, voice)
    await prompts.start()
    return prompts


def _is(sound, frequency):
    return purity(sound, frequency) > 0.95


async def test_there_is_an_announcement_for_everything_in_every_language(prompts):
    generic = shipped(POLICY)
    for language in SPOKEN:
        for prompt in Prompt:
            sound = prompts.frames(prompt, language, NAMELESS)
            assert np.array_equal(sound, generic[prompt, language])
            assert len(sound) % 160 == 0
            assert 1.0 < len(sound) / 8_000 < 15.0
            level = 20 * np.log10(np.sqrt(np.mean((sound[2_400:] / 32_768) ** 2)))
            assert -25 < level < -17
            assert np.abs(sound.astype(int)).max() < 32_767


async def test_whoever_answers_has_time_to_raise_the_telephone(prompts):
    for prompt, silent in ((Prompt.GATE, True), (Prompt.TRIAL, True), (Prompt.JOINED, False)):
        lead = prompts.frames(prompt, "en", NAMELESS)[: round(POLICY.lead * 8_000)]
        assert lead.any() != silent


async def test_a_call_before_the_name_is_spoken_hears_the_recording_without(prompts, voice):
    generic = prompts.frames(Prompt.GATE, "es", NAMELESS)
    assert np.array_equal(prompts.frames(Prompt.GATE, "es", NAMED), generic)
    await prompts.prepare(NAMED)
    assert _is(prompts.frames(Prompt.GATE, "es", NAMED), 700)
    assert np.array_equal(prompts.frames(Prompt.GATE, "es", NAMELESS), generic)
    assert all("Riverside" in text for text in voice.said)
    assert len(voice.said) == 2 * len(SPOKEN)  # the two that open a call


async def test_nothing_is_spoken_twice(prompts, voice, tmp_path):
    await asyncio.gather(prompts.prepare(NAMED), prompts.prepare(NAMED))
    again = Prompts(tmp_path, POLICY, voice)
    await again.start()
    await again.prepare(NAMED)
    assert _is(again.frames(Prompt.GATE, "en", NAMED), 700)
    assert len(voice.said) == len(set(voice.said)) == 4


async def test_without_a_voice_calls_hear_the_recording_without_a_name(tmp_path):
    async def dumb(text, language, policy):
        return None

    prompts = Prompts(tmp_path, POLICY, dumb)
    await prompts.start()
    await prompts.prepare(NAMED)
    spoken = prompts.frames(Prompt.GATE, "en", NAMED)
    assert np.array_equal(spoken, prompts.frames(Prompt.GATE, "en", NAMELESS))


async def test_a_name_that_tells_of_health_is_not_spoken(prompts, voice):
    with pytest.raises(NameTellsOfHealth):
        await prompts.prepare(Announcer(practice="p", who="Lakeside Clinic"))
    assert not voice.said


async def test_a_practice_records_its_own(prompts, voice, tmp_path):
    await prompts.prepare(NAMED)
    await prompts.store("p", Prompt.GATE, "en", RECORDING)
    assert _is(prompts.frames(Prompt.GATE, "en", NAMED), 440)
    assert _is(prompts.frames(Prompt.GATE, "es", NAMED), 700)
    assert not _is(prompts.frames(Prompt.GATE, "en", Announcer(practice="q")), 440)
    assert prompts.recorded("p") == {(Prompt.GATE, "en")}
    assert prompts.recorded("q") == frozenset()
    again = Prompts(tmp_path, POLICY, voice)
    await again.start()
    assert _is(again.frames(Prompt.GATE, "en", NAMED), 440)
    await again.remove("p", Prompt.GATE, "en")
    assert not _is(again.frames(Prompt.GATE, "en", NAMELESS), 440)


@pytest.mark.parametrize(
    ("recorded", "practice_speaks", "seat", "heard"),
    [
        (("pt-BR", "pt"), "en", "pt-br", 0),
        (("pt", "pt-BR"), "en", "pt_BR", 1),
        (("pt", "fr"), "en", "pt-BR", 0),
        (("pt", "fr"), "fr-CA", "vi", 1),
        (("pt", "en"), "fr", "vi", 1),
        (("pt", "en"), "pt", "", 0),
        (("es", "es-MX"), "en", "es-MX", 1),
    ],
)
async def test_the_language_of_the_seat_chooses(prompts, recorded, practice_speaks, seat, heard):
    for frequency, language in zip((500, 900), recorded, strict=True):
        audio = sound_file(tone(frequency, 0.5), "wav", "pcm_s16le", 8_000)
        await prompts.store("p", Prompt.HAND_BACK, language, audio)
    announcer = Announcer(practice="p", language=practice_speaks)
    assert _is(prompts.frames(Prompt.HAND_BACK, seat, announcer), (500, 900)[heard])


async def test_whoever_speaks_what_nobody_recorded_hears_the_practices_language(prompts):
    spanish = prompts.frames(Prompt.GATE, "vi", Announcer(language="es-US"))
    assert np.array_equal(spanish, prompts.frames(Prompt.GATE, "es", NAMELESS))
    english = prompts.frames(Prompt.GATE, "vi", Announcer(language="tlh"))
    assert np.array_equal(english, prompts.frames(Prompt.GATE, "en", NAMELESS))


@pytest.mark.parametrize(
    ("language", "audio", "error", "code"),
    [
        ("en", b"not a sound", PromptUnreadable, "prompt_unreadable"),
        ("en", b"\0" * 6_000_000, PromptTooLong, "prompt_too_long"),
        ("../en", RECORDING, PromptLanguageInvalid, "prompt_language_invalid"),
        ("", RECORDING, PromptLanguageInvalid, "prompt_language_invalid"),
    ],
)
async def test_a_recording_that_is_refused_changes_nothing(prompts, language, audio, error, code):
    await prompts.store("p", Prompt.GATE, "en", RECORDING)
    with pytest.raises(error) as refused:
        await prompts.store("p", Prompt.GATE, language, audio)
    assert refused.value.code == code
    assert prompts.recorded("p") == {(Prompt.GATE, "en")}
    assert _is(prompts.frames(Prompt.GATE, "en", NAMED), 440)


async def test_a_practice_cannot_fill_the_memory(tmp_path):
    prompts = Prompts(tmp_path, PromptPolicy(most_recordings=1))
    await prompts.start()
    await prompts.store("p", Prompt.GATE, "en", RECORDING)
    await prompts.store("p", Prompt.GATE, "en", RECORDING)
    await prompts.store("q", Prompt.GATE, "en", RECORDING)
    with pytest.raises(TooManyPrompts):
        await prompts.store("p", Prompt.GATE, "fr", RECORDING)


async def test_what_is_kept_elsewhere_is_followed_and_found_again(prompts, voice, tmp_path):
    place = place_of("p", Prompt.GATE, "en")
    sound = await prompts.finished(Prompt.GATE, RECORDING)
    await prompts.follow(place, sound)
    again = Prompts(tmp_path, POLICY, voice)
    await again.start()
    for each in (prompts, again):
        assert _is(each.frames(Prompt.GATE, "en", NAMED), 440)
        assert list(each.held()) == [place]
    await prompts.follow(place, None)
    assert prompts.held() == {}
    await again.start()
    assert again.held() == {}


async def test_what_is_kept_elsewhere_is_followed_also_where_the_disk_is_full(prompts, monkeypatch):
    def full(*_):
        raise OSError

    monkeypatch.setattr(prompts._files, "keep_recorded", full)
    monkeypatch.setattr(prompts._files, "drop_recorded", full)
    place = place_of("p", Prompt.GATE, "en")
    await prompts.follow(place, await prompts.finished(Prompt.GATE, RECORDING))
    assert _is(prompts.frames(Prompt.GATE, "en", NAMED), 440)
    await prompts.follow(place, None)
    assert prompts.recorded("p") == frozenset()


def test_the_shipped_recordings_say_what_is_written():
    """After a change of words: `make prompts`."""
    for prompt, language, text in texts(Announcer()):
        with av.open(str(SHIPPED / f"{prompt}.{language}.ogg")) as recording:
            assert recording.streams.audio[0].metadata["title"] == text
    assert len(list(SHIPPED.iterdir())) == len(Prompt) * len(SPOKEN)


def test_the_shipped_recordings_can_be_made_again(tmp_path):
    maker = ROOT / "scripts" / "make_recordings.py"
    subprocess.run([sys.executable, str(maker), str(tmp_path)], cwd=ROOT, check=True)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in SHIPPED.iterdir()}
