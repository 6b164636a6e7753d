import asyncio
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from media.phone.sound_files import levelled, read_sound
from media.phone.speech import speak
from media.phone.wording import SPOKEN
from rooms.policy import PromptPolicy

POLICY = PromptPolicy()
OPEN = Path("/proc/self/fd")


@pytest.mark.parametrize("language", SPOKEN)
async def test_words_are_spoken(language):
    short, long = [await speak("1 2 3. " * times, language, POLICY) for times in (1, 3)]
    lengths = [len(levelled(read_sound(wav, POLICY), POLICY)) / 8_000 for wav in (short, long)]
    assert lengths[0] > 0.5
    assert lengths[1] > 2 * lengths[0]


async def test_a_machine_without_the_voice_says_nothing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert await speak("Hello.", "en", POLICY) is None


@pytest.fixture
def voice(tmp_path, monkeypatch):
    """Puts a program in the place of espeak-ng."""

    def put(body):
        program = tmp_path / "espeak-ng"
        program.write_text(f"#!{sys.executable}\n{body}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path))

    return put


async def test_a_voice_that_hangs_is_ended(voice, tmp_path):
    voice(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
          "while True: time.sleep(9)")  # fmt: skip
    assert await speak("Hello.", "en", replace(POLICY, speaking_within=1.0)) is None
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_whoever_stops_waiting_leaves_nothing_open(voice, tmp_path):
    mark = tmp_path / "speaks"
    voice(f"import sys; open({str(mark)!r}, 'w')\nwhile True: sys.stdout.write('x' * 100_000)")
    before = len(list(OPEN.iterdir()))
    speaking = asyncio.create_task(speak("Hello.", "en", POLICY))
    async with asyncio.timeout(10):
        while not mark.exists():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    assert len(list(OPEN.iterdir())) == before


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "pass"])
async def test_a_voice_that_fails_says_nothing(voice, body):
    voice(body)
    assert await speak("Hello.", "en", POLICY) is None


async def test_the_words_are_in_no_command_line(voice):
    voice("import sys; sys.stdout.write(' '.join(sys.argv[1:]) + '|' + sys.stdin.read())")
    arguments, _, read = (await speak("Riverside.", "en", POLICY)).decode().partition("|")
    assert "Riverside" not in arguments
    assert read == "Riverside."
