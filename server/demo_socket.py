"""The line between the demo's telephone and the page that shows it: one WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from aiohttp import WSMsgType, web

from media.errors import SdpRefused
from rooms.policy import EdgePolicy
from server import demo_messages as d
from server.demo_phone import DemoPhone
from server.errors import NotFound, OriginRefused, PayloadInvalid
from server.node import Node
from server.security_headers import is_ours

log = structlog.get_logger(__name__)


class SocketPage:
    """One page. What waits for it is bounded: one that stops reading is soon found out by pings."""

    def __init__(self, policy: EdgePolicy) -> None:
        self._most = policy.demo_phone_waiting
        self._waiting: asyncio.Queue[d.News | None] = asyncio.Queue()
        self._closed = False

    def tell(self, news: d.News) -> None:
        """Send this, unless too much waits already."""
        if not self._closed and self._waiting.qsize() < self._most:
            self._waiting.put_nowait(news)

    def close(self) -> None:
        """Send what waits, then close; idempotent."""
        if not self._closed:
            self._closed = True
            self._waiting.put_nowait(None)

    async def write(self, socket: web.WebSocketResponse) -> None:
        """Send until it is closed."""
        with suppress(ConnectionError):  # the reader notices as well, and ends everything
            while (news := await self._waiting.get()) is not None:
                await socket.send_str(news.model_dump_json())
            await socket.close()


async def phone_line(node: Node, request: web.Request) -> web.StreamResponse:
    """Give a page the telephone for as long as it is connected. Raises ``OriginRefused``."""
    phone = node.demo_phone
    if phone is None:
        raise NotFound
    if not is_ours(request, node.settings.origins):
        raise OriginRefused
    edge = node.edge
    socket = web.WebSocketResponse(
        heartbeat=edge.demo_phone_ping, timeout=edge.goodbye_within, max_msg_size=edge.max_frame
    )
    await socket.prepare(request)
    page = SocketPage(edge)
    writer = asyncio.create_task(page.write(socket))
    phone.take(page)
    try:
        await _listen(phone, page, socket)
    finally:
        phone.leave(page)
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
    return socket


async def _listen(phone: DemoPhone, page: SocketPage, socket: web.WebSocketResponse) -> None:
    """Act upon what comes until the page is gone, or sends what no page of ours sends."""
    async for frame in socket:
        try:
            if frame.type is not WSMsgType.TEXT:
                raise PayloadInvalid
            _act(phone, d.parse_deed(frame.data))
        except PayloadInvalid as error:
            log.info("demo_phone_refused", code=error.code)
            page.close()
            return
        except SdpRefused as error:  # the page asks again by itself
            log.info("demo_phone_refused", code=error.code)


def _act(phone: DemoPhone, deed: d.Deed) -> None:
    match deed:
        case d.Answer():
            phone.answer()
        case d.Decline():
            phone.decline()
        case d.HangUp():
            phone.hang_up()
        case d.Press():
            phone.press(deed.key)
        case d.SwitchVoicemail():
            phone.switch_voicemail(deed.on)
        case d.SdpAnswer():
            phone.media_answered(deed.peer, deed.number, deed.sdp)
        case d.Restart():
            phone.media_failed()
