"""The other end of a trunk, played by a test: a socket, what came in, and any answer to it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from media.phone.sip.messages import Request, Response, read
from rooms.policy import PhonePolicy

TAG = "peer-1"
POLICY = PhonePolicy()


class SipPeer(asyncio.DatagramProtocol):
    """Answers nothing by itself. Its telephone's sound is at a port where nobody listens."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self._seen = 0
        self._news = asyncio.Event()
        self._source = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._transport is not None
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = read(data, POLICY)
        assert message is not None
        if isinstance(message, Request):
            self.requests.append(message)
        else:
            self.responses.append(message)
        self._source = addr
        self._news.set()

    async def until(self, method: str, within: float = 5.0) -> Request:
        """The next request with this method after those that were waited for before."""
        async with asyncio.timeout(within):
            while True:
                for at in range(self._seen, len(self.requests)):
                    if self.requests[at].method == method:
                        self._seen = at + 1
                        return self.requests[at]
                await self._wait()

    async def until_response(self, cseq: int, within: float = 5.0) -> Response:
        """The final response to a request of ours."""
        async with asyncio.timeout(within):
            while True:
                for response in self.responses:
                    if response.cseq == cseq and response.code >= 200:
                        return response
                await self._wait()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    def send(self, text: str, body: str = "") -> None:
        """Any bytes at all, headers given as lines."""
        assert self._transport is not None
        head = text.strip().replace("\n", "\r\n")
        message = f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self._transport.sendto(message.encode(), self._source)

    def reply(
        self, request: Request, code: int, *headers: str, tag: str = TAG, body: str = ""
    ) -> None:
        """A response to a request that came."""
        to = request.to if request.to_tag or code == 100 else f"{request.to};tag={tag}"
        lines = [
            f"SIP/2.0 {code} Whatever",
            *(f"Via: {via}" for via in request.via),
            f"From: {request.from_}",
            f"To: {to}",
            f"Call-ID: {request.call_id}",
            f"CSeq: {request.cseq} {request.method}",
            *headers,
        ]
        self.send("\n".join(lines), body)

    def answer(self, invite: Request, *headers: str, tag: str = TAG, body: str = "") -> None:
        """Pick up."""
        contact = f"Contact: <sip:{tag}@127.0.0.1:{self.port}>"
        kind = "Content-Type: application/sdp"
        self.reply(invite, 200, contact, kind, *headers, tag=tag, body=body or self.sdp())

    def sdp(self, direction: str = "sendrecv", *, digits: bool = True, port: int = 9) -> str:
        """A description of a telephone's sound."""
        events = "a=rtpmap:101 telephone-event/8000" if digits else "a=ptime:20"
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0{' 101' if digits else ''}\r\na=rtpmap:0 PCMU/8000\r\n"
            f"{events}\r\na={direction}\r\n"
        )

    def ask(
        self, invite: Request, method: str, cseq: int, *headers: str, tag: str = TAG, body: str = ""
    ) -> None:
        """A request inside the dialog that an INVITE made."""
        lines = [
            f"{method} {invite.contact} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{method}{cseq};rport",
            f"From: {invite.to};tag={tag}",
            f"To: {invite.from_}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {cseq} {method}",
            *headers,
        ]
        self.send("\n".join(lines), body)
