"""A telephone: baresip on loopback, with a tone for a voice and a recorder for an ear."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import wave
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tests.support.ports import free_port

RATE = 8_000
SOON = 10.0
_SPOKEN = 180  # seconds of tone, longer than any call of a test
_ZERO = 2  # what baresip makes of the zero of G.711; the smallest sound is 8
_HEADER = 44  # bytes of a WAV file before its samples
_MODULES = Path("/usr/lib/baresip/modules")

_CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
{certificate}
call_local_timeout 120
call_max_calls 4
audio_path /usr/share/baresip
audio_player aubridge,null
audio_source aufile,{folder}/voice.wav
audio_alert aubridge,null
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_timeout 60
module_path {modules}
module g711.so
module srtp.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}/ear
"""


class Softphone:
    """One telephone with one number.

    ``tone`` in Hz is what it says from the answer on (0: nothing). ``certificate`` is a PEM file
    with key and certificate; then it also takes calls over TLS, on ``tls_port``.
    """

    def __init__(
        self,
        *,
        number: str = "+15550100",
        tone: float = 600.0,
        auto_answer: bool = False,
        srtp: bool = False,
        codec: str = "PCMU",
        certificate: Path | None = None,
    ) -> None:
        self.number = number
        self.port = _free_pair()
        self.tls_port = self.port + 1
        self.events: list[dict[str, Any]] = []
        self._tone = tone
        self._account = (
            f"<sip:{number}@127.0.0.1:{self.port}>;regint=0"
            f";answermode={'auto' if auto_answer else 'manual'}"
            f";audio_codecs={codec}/8000/1;ptime=20;dtmfmode=rtpevent"
            f"{';mediaenc=srtp-mand' if srtp else ''}\n"
        )
        self._certificate = certificate
        self._control_port = free_port()
        self._read_up_to = 0
        self._news = asyncio.Condition()
        self._folder = tempfile.TemporaryDirectory(prefix="softphone-")
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        folder = Path(self._folder.name)
        (folder / "ear").mkdir()
        certificate = f"sip_certificate {self._certificate}" if self._certificate else ""
        config = _CONFIG.format(
            port=self.port,
            control=self._control_port,
            folder=folder,
            modules=_MODULES,
            rate=RATE,
            certificate=certificate,
        )
        (folder / "config").write_text(config)
        (folder / "accounts").write_text(self._account)
        (folder / "contacts").write_text("")
        _write_tone(folder / "voice.wav", self._tone)
        self._process = await asyncio.create_subprocess_exec(
            "baresip", "-4", "-f", str(folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        reader, self._writer = await self._connect()
        self._listening = asyncio.create_task(self._listen(reader))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        await self._stop()
        self._folder.cleanup()

    async def _stop(self) -> None:
        """End it, gently if it listens: a telephone that is only killed says no BYE."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(2):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Its control port opens when the rest is ready."""
        async with asyncio.timeout(SOON):
            while True:
                try:
                    return await asyncio.open_connection("127.0.0.1", self._control_port)
                except OSError:
                    assert self._process is not None
                    assert self._process.returncode is None, "baresip did not start"
                    await asyncio.sleep(0.02)

    # What a person does

    async def answer(self) -> None:
        await self._do("accept")

    async def hang_up(self) -> None:
        """End the call, or decline it while it rings."""
        await self._do("hangup")

    async def press(self, keys: str) -> None:
        await self._do("sndcode", keys)

    async def hold(self) -> None:
        await self._do("hold")

    async def resume(self) -> None:
        await self._do("resume")

    async def kill(self) -> None:
        """The battery is empty."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def _do(self, command: str, parameters: str = "") -> None:
        assert self._writer is not None
        text = json.dumps({"command": command, "params": parameters, "token": ""})
        self._writer.write(f"{len(text.encode())}:{text},".encode())
        await self._writer.drain()

    # What happens

    @property
    def state(self) -> str:
        """The latest news of a call, such as ``CALL_INCOMING``; empty if there was none."""
        calls = [event["type"] for event in self.events if event["type"].startswith("CALL_")]
        return calls[-1] if calls else ""

    async def until(self, kind: str, within: float = SOON) -> dict[str, Any]:
        """The next event of this kind after those that were waited for before."""
        async with asyncio.timeout(within), self._news:
            while True:
                for at in range(self._read_up_to, len(self.events)):
                    if self.events[at]["type"] == kind:
                        self._read_up_to = at + 1
                        return self.events[at]
                await self._news.wait()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                size = int((await reader.readuntil(b":"))[:-1])
                message = json.loads(await reader.readexactly(size))
                await reader.readexactly(1)
                if message.get("event"):
                    async with self._news:
                        self.events.append(message)
                        self._news.notify_all()

    # What it hears

    def heard(self, seconds: float = 1.0) -> NDArray[np.int16]:
        """The last samples that reached its ear, at most as many as it has heard."""
        files = sorted(Path(self._folder.name, "ear").glob("*dec.wav"))
        if not files:
            return np.zeros(0, np.int16)
        data = files[-1].read_bytes()[_HEADER:]
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
        return samples[-round(seconds * RATE) :]

    def heard_tone(self, frequency: float, seconds: float = 1.0) -> float:
        """How much of what it heard lately was this tone, from 0 to 1."""
        return purity(self.heard(seconds), frequency)

    def heard_nothing(self, seconds: float = 1.0) -> bool:
        """Whether it heard exact silence lately, of which there must have been some."""
        samples = self.heard(seconds)
        return samples.size > 0 and not (np.abs(samples) > _ZERO).any()

    async def until_heard(
        self, frequency: float, *, least: float = 0.9, within: float = SOON
    ) -> None:
        """Wait until a second of this tone, at least so pure, has reached its ear."""
        async with asyncio.timeout(within):
            while self.heard().size < RATE or self.heard_tone(frequency) < least:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # no file tells that it has grown

    async def until_heard_nothing(self, seconds: float = 1.0, within: float = SOON) -> None:
        """Wait until so much exact silence has reached its ear."""
        async with asyncio.timeout(within):
            while not self.heard_nothing(seconds):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def purity(samples: NDArray[np.int16], frequency: float, rate: int = RATE) -> float:
    """The part of the energy that lies within 10 Hz of a frequency, from 0 to 1."""
    if samples.size < rate // 10 or not samples.any():
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(samples.size))) ** 2
    near = np.abs(np.fft.rfftfreq(samples.size, 1 / rate) - frequency) <= 10.0
    return float(spectrum[near].sum() / spectrum.sum())


def tone(frequency: float, seconds: float, *, level: float = 8_000.0) -> NDArray[np.int16]:
    """A sine at 8 kHz."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(level * np.sin(2 * np.pi * frequency * times), np.int16)


def _write_tone(path: Path, frequency: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tone(frequency, _SPOKEN).tobytes())


def _free_pair() -> int:
    """A free port whose neighbour is free too: baresip takes the next one for TLS."""
    while True:
        port = free_port()
        if all(_is_free(port + each) for each in (0, 1)):
            return port


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
