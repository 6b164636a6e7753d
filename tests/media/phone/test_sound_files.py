import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.phone.errors import PromptError, PromptTooLong, PromptUnreadable
from media.phone.sound_files import levelled, read_sound, read_wave, wave_file
from rooms.policy import PromptPolicy
from tests.support.sounds import purity, sound_file, tone

POLICY = PromptPolicy()


def pictures():
    """A film without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuvj420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


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
        sound_file(tone(4, 9.0, 100), "wav", "pcm_s16le", 100),
        pictures(),
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


@pytest.mark.parametrize("level", [0.05, 0.2, 0.9])
def test_speech_is_not_clipped(level):
    """Speech has peaks far above its level: they decide how loud it can be."""
    noise = np.random.default_rng(1).laplace(size=16_000)
    speech = np.rint(noise / np.abs(noise).max() * level * 32_767).astype(np.int16)
    loud = levelled(speech, POLICY).astype(int)[: len(speech)]
    assert np.abs(loud).max() <= 32_768 * 10 ** (POLICY.peak_level / 20) + 1
    gain = np.abs(loud).max() / np.abs(speech).max()
    assert np.abs(loud - speech * gain).max() < 2


def test_a_knock_on_the_table_does_not_hide_quiet_speech():
    quiet = tone(440, 1.0, level=0.01)
    quiet[4_000:4_010] = 32_767
    sound = levelled(quiet, POLICY) / 32_768
    speech = np.concatenate((sound[:3_800], sound[4_200:7_800]))
    assert len(sound) == 8_000
    assert 20 * np.log10(np.sqrt(np.mean(speech**2))) > POLICY.speech_level - 3
    assert np.abs(sound).max() <= 10 ** (POLICY.peak_level / 20) + 1e-4


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


SAMPLES = [
    sound_file(tone(440, 0.3, 48_000), kind, codec)
    for kind, codec in (
        ("wav", "pcm_s16le"),
        ("flac", "flac"),
        ("ogg", "libopus"),
        ("webm", "libopus"),
        ("mp4", "aac"),
        ("mp3", "libmp3lame"),
    )
]


@settings(max_examples=300)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=20),
    st.floats(0.01, 1),
)
def test_a_damaged_file_is_read_or_refused(file, damage, kept):
    damaged = bytearray(file)
    for where, byte in damage:
        damaged[int(where**3 * len(file))] = byte  # headers are at the beginning, mostly
    try:
        sound = read_sound(bytes(damaged[: int(kept * len(file))]), POLICY)
    except PromptError:
        return
    assert sound.dtype == np.int16


def test_what_is_written_as_a_wave_file_is_read_as_the_same_samples():
    sound = np.arange(-8_000, 8_000, dtype=np.int16)
    assert np.array_equal(read_sound(wave_file(sound), POLICY), sound)
    assert np.array_equal(read_wave(wave_file(sound)), sound)
    assert not read_wave(wave_file(sound)).flags.writeable


OURS = wave_file(tone(440, 0.1))
STEREO = OURS[:22] + b"\x02" + OURS[23:]


@pytest.mark.parametrize("file", [b"", b"RIFF", OURS[:20], STEREO, *SAMPLES])
def test_only_our_own_wave_files_are_read_without_looking(file):
    with pytest.raises(PromptUnreadable):
        read_wave(file)
