import numpy as np
import pytest

from media.phone.errors import PromptTooLong, PromptUnreadable
from media.phone.sound_files import levelled, read_sound
from rooms.policy import PromptPolicy
from tests.support.sounds import purity, sound_file, tone

POLICY = PromptPolicy()


@pytest.mark.parametrize(
    ("kind", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 44_100),
        ("wav", "pcm_mulaw", 8_000),
        ("flac", "flac", 48_000),
        ("ogg", "libopus", 48_000),
        ("webm", "libopus", 48_000),
        ("mp4", "aac", 48_000),
        ("mp3", "libmp3lame", 44_100),
    ],
)
def test_common_recordings_are_read(kind, codec, rate):
    file = sound_file(tone(440, 2.0, rate), kind, codec, rate)
    sound = read_sound(file, POLICY)
    assert sound.dtype == np.int16
    assert len(sound) / 8_000 == pytest.approx(2.0, abs=0.1)
    assert purity(sound, 440) > 0.99


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"hello",
        b"RIFF",
        b"RIFF____WAVEfmt " + b"\0" * 100,
        b"OggS" + b"\xff" * 5_000,
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\xff\xfb" + b"\x11" * 3_000,
        sound_file(tone(440, 1.0, 48_000), "flac", "flac")[:60],
    ],
)
def test_what_is_no_recording_is_refused(file):
    with pytest.raises(PromptUnreadable):
        read_sound(file, POLICY)


def test_what_nobody_would_listen_to_is_refused():
    with pytest.raises(PromptTooLong):
        read_sound(b"RIFF" + b"\0" * POLICY.largest, POLICY)
    an_hour_of_silence = sound_file(np.zeros(3_600 * 8_000, np.int16), "flac", "flac", 8_000)
    assert len(an_hour_of_silence) < POLICY.largest
    with pytest.raises(PromptTooLong):
        read_sound(an_hour_of_silence, POLICY)


@pytest.mark.parametrize("level", [0.003, 0.01, 0.2, 1.0])
def test_everything_becomes_equally_loud(level):
    sound = levelled(tone(440, 1.0, level=level), POLICY) / 32_768
    loudness = 20 * np.log10(np.sqrt(np.mean(sound**2)))
    assert loudness == pytest.approx(POLICY.speech_level, abs=0.5)


def test_peaks_are_not_clipped():
    """A click as loud as can be, in quiet speech: the speech gives way."""
    quiet = tone(440, 1.0, level=0.01)
    quiet[4_000:4_010] = 32_767
    loudest = np.abs(levelled(quiet, POLICY).astype(int)).max()
    assert loudest <= 32_768 * 10 ** (POLICY.peak_level / 20) + 1


def test_silence_around_speech_is_cut_off_and_the_lead_is_silent():
    speech = np.concatenate((np.zeros(16_000, np.int16), tone(440, 1.0), np.zeros(8_000, np.int16)))
    sound = levelled(speech, POLICY, lead=0.3)
    assert not sound[:2_400].any()
    assert len(sound) % 160 == 0
    assert len(sound) / 8_000 == pytest.approx(0.3 + 1.0 + 2 * POLICY.margin, abs=0.021)
    assert not sound.flags.writeable


def test_a_muted_microphone_is_no_recording():
    noise = np.random.default_rng(1).integers(-3, 4, 8_000).astype(np.int16)
    for sound in (noise, np.zeros(8_000, np.int16), np.zeros(0, np.int16)):
        with pytest.raises(PromptUnreadable):
            levelled(sound, POLICY)
