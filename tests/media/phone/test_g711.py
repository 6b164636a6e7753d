"""Both laws against their own definition, and against what others write."""

import numpy as np
import pytest

from media.phone import g711

EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype=np.int16)
EVERY_BYTE = bytes(range(256))
LAWS = {
    "ulaw": (g711.encode_ulaw, g711.decode_ulaw),
    "alaw": (g711.encode_alaw, g711.decode_alaw),
}
each_law = pytest.mark.parametrize(("encode", "decode"), LAWS.values(), ids=LAWS)


@each_law
def test_what_was_decoded_encodes_to_the_same_byte(encode, decode):
    back = encode(decode(EVERY_BYTE))
    differ = [a for a, b in zip(EVERY_BYTE, back, strict=True) if a != b]
    assert differ in ([], [0x7F])  # µ-law has two zeros


@each_law
def test_every_sample_comes_back_within_the_step_of_its_segment(encode, decode):
    error = np.abs(decode(encode(EVERY_SAMPLE)).astype(int) - EVERY_SAMPLE)
    quiet = np.abs(EVERY_SAMPLE.astype(int)) < 256
    assert error[quiet].max() <= 16
    assert np.all(error <= np.maximum(np.abs(EVERY_SAMPLE.astype(int)) / 16, 16) + 644)
    loud = np.abs(EVERY_SAMPLE.astype(int)) > 4_000
    assert np.median(error[loud] / np.abs(EVERY_SAMPLE[loud].astype(int))) < 0.02


@each_law
def test_louder_samples_never_decode_to_quieter_ones(encode, decode):
    assert np.all(np.diff(decode(encode(EVERY_SAMPLE)).astype(int)) >= 0)


@pytest.mark.parametrize(
    ("sample", "ulaw", "alaw"),
    [(0, 0xFF, 0xD5), (32_767, 0x80, 0xAA), (-32_768, 0x00, 0x2A), (1_000, 0xCE, 0xFA)],
)
def test_known_values(sample, ulaw, alaw):
    frame = np.array([sample], np.int16)
    assert g711.encode_ulaw(frame) == bytes([ulaw])
    assert g711.encode_alaw(frame) == bytes([alaw])


@each_law
def test_silence_is_exact(encode, decode):
    silence = np.zeros(160, np.int16)
    assert np.abs(decode(encode(silence))).max() <= 8
