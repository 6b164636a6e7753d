"""Voices that tests can tell apart: a browser says a tone instead of what its microphone hears.

The made-up microphones of browsers beep alike, once a second. A tone goes on without a pause, so
that a gap in it shows, and is whose it is wherever it comes out.
"""

from __future__ import annotations

ROSA, AMINA = 900.0, 700.0  # Hz; of all these none is a harmonic of another
ROSA_BY_PHONE, AMINA_BY_PHONE = 600.0, 1_100.0
ANNOUNCEMENT = 440.0

_VOICE = """(() => {
  const media = navigator.mediaDevices;
  const native = media.getUserMedia.bind(media);
  let sound = null;
  function voice() {
    sound ??= new AudioContext();
    void sound.resume();
    const out = sound.createMediaStreamDestination();
    const tone = sound.createOscillator();
    const loudness = sound.createGain();
    tone.frequency.value = FREQUENCY;
    loudness.gain.value = 0.25;
    tone.connect(loudness).connect(out);
    tone.start();
    return out.stream.getAudioTracks()[0];
  }
  media.getUserMedia = async (wanted) => {
    const given = await native(wanted);
    const heard = given.getAudioTracks();
    if (heard.length === 0) return given;
    for (const track of heard) track.stop();
    return new MediaStream([voice(), ...given.getVideoTracks()]);
  };
})();"""


def voice(frequency: float) -> str:
    """A script for ``Browsers.page(scripts=…)``: whoever has it says this tone, in Hz."""
    return _VOICE.replace("FREQUENCY", str(frequency))
