"""Makes the recordings that come with the software: every announcement, without a name.

``make_recordings.py [folder]``. What each says is in its title, so that a test can tell when the
words have changed since.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import av

from media.phone.carrier import SAMPLE_RATE
from media.phone.prompts import SHIPPED
from media.phone.sound_files import Sound, levelled, read_sound
from media.phone.speech import speak
from media.phone.wording import Announcer, texts
from rooms.policy import PromptPolicy

BITS_PER_SECOND = 24_000  # telephone speech is transparent at this rate, and the files stay small


async def main(folder: Path) -> None:
    """Speak, level and write each."""
    policy = PromptPolicy()
    for prompt, language, text in texts(Announcer()):
        spoken = await speak(text, language, policy)
        if spoken is None:
            raise SystemExit("espeak-ng is needed to make the recordings.")
        sound = levelled(read_sound(spoken, policy), policy)
        write(folder / f"{prompt}.{language}.ogg", sound, text)


def write(path: Path, sound: Sound, title: str) -> None:
    """One Ogg Opus file (RFC 7845)."""
    same_each_time = {"fflags": "+bitexact"}
    with av.open(str(path), "w", format="ogg", container_options=same_each_time) as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = BITS_PER_SECOND
        stream.metadata["title"] = title
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
