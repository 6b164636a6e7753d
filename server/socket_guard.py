"""The Socket.IO server everything else uses, hardened where the library trusts its clients.

``create_socket_server`` gives a ``socketio.AsyncServer`` whose promises the library does not make:

- what is not a packet of ours closes the connection, and ``disconnect`` always reaches the
  application, also when it comes while ``connect`` is still being decided;
- handlers of one socket run one after the other, in the order of the packets; none starts before
  ``connect`` has accepted, and none after ``disconnect``;
- ``connect`` is called once as ``(sid, environ, auth)`` and ``disconnect`` once as
  ``(sid, reason)``; a handler that fails accepts nobody and ends its socket;
- only namespaces with a ``connect`` handler exist;
- nothing can be emitted to a whole namespace.

``environ["REMOTE_ADDR"]`` is the client's address as ``server/addresses.py`` finds it.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Collection
from typing import Any

import engineio
import socketio
from structlog.typing import FilteringBoundLogger

from rooms.policy import EdgePolicy
from server.addresses import Networks, address_block, client_address
from server.packets import Offence, PacketRefused, strict_packets
from server.socket_engine import DoorRules, GuardedEngine
from server.socket_lines import Line


class BroadcastRefused(RuntimeError):
    """Somebody emitted without a room: the message would reach sockets not yet accepted."""


class HandlerFailed(RuntimeError):
    """A handler raised ``TypeError``, for which the library would call it again, differently."""


def create_socket_server(
    policy: EdgePolicy,
    allowed_origins: Collection[str],
    logger: FilteringBoundLogger,
    *,
    trusted_proxies: Networks = (),
    clock: Callable[[], float] = time.monotonic,
) -> GuardedServer:
    """The one Socket.IO server of a node; ``attach`` it to the app and ``shutdown`` it at the end.

    A page of another origin than ``allowed_origins`` is refused on both transports. A client that
    sends no Origin is no browser page and is let through to ``connect``, which asks for a token.
    """
    rules = DoorRules(
        policy=policy,
        origins=frozenset(allowed_origins),
        address_of=lambda request: client_address(request, trusted_proxies),
        block_of=lambda address: address_block(address, policy),
        log=logger,
        clock=clock,
    )
    return GuardedServer(rules)


class GuardedServer(socketio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """Socket.IO behind a guard."""

    eio: GuardedEngine

    def __init__(self, rules: DoorRules) -> None:
        quiet = _LibraryLog(rules.log)
        super().__init__(
            client_manager=_NoBroadcasts(),
            serializer=strict_packets(rules.policy),
            async_handlers=False,
            async_mode="aiohttp",
            transports=["polling", "websocket"],
            ping_interval=rules.policy.ping_every,
            ping_timeout=rules.policy.ping_answer_within,
            max_http_buffer_size=rules.policy.max_frame,
            http_compression=False,  # secrets and what a client chose must not share a compressor
            cors_allowed_origins=sorted(rules.origins),
            cors_credentials=False,  # sockets carry tokens, never cookies
            monitor_clients=False,  # each line watches itself
            logger=quiet,
            engineio_logger=quiet,
            rules=rules,
        )
        self._log = rules.log

    @property
    def offences(self) -> dict[Offence, int]:
        """How many sockets were refused since the start, by reason."""
        return dict(self.eio.offences)

    async def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False
    ) -> None:
        """Send the client away from a namespace; from all, and its line is closed soon after."""
        namespace = namespace or "/"
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace)
        try:
            await super().disconnect(sid, namespace, ignore_queue)
        finally:
            await self.manager.disconnect(sid, namespace, ignore_queue=True)
            if eio_sid is not None and (line := self.eio.line(eio_sid)):
                self.eio.accepted(line, self._is_accepted(eio_sid))

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return GuardedEngine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self.eio.opened(eio_sid, environ)
        await super()._handle_eio_connect(eio_sid, environ)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        line = self.eio.line(eio_sid)
        if line is None:
            return
        async with line.turn:
            if not line.ended:
                await self._act(line, data)
            if line.ended:  # while a handler was deciding: what it accepted must be told it is gone
                await self._tell_gone(eio_sid, self.reason.TRANSPORT_CLOSE)
            else:
                self.eio.accepted(line, self._is_accepted(eio_sid))

    async def _act(self, line: Line, data: Any) -> None:
        try:
            await super()._handle_eio_message(line.sid, data)
        except PacketRefused as refused:
            self.eio.refuse(line, refused.offence)
        except asyncio.CancelledError:
            self.eio.end(line, self.reason.SERVER_DISCONNECT)
            raise
        except Exception:
            self._log.exception("a socket handler failed")
            self.eio.end(line, self.reason.SERVER_DISCONNECT)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        line = self.eio.line(eio_sid)
        if line is not None:
            line.end()
        if line is not None and line.turn.locked():
            # Those who were accepted hear of it now. One who is being decided upon must keep its
            # place until then: without it the library would accept a socket that nobody owns.
            await super()._handle_eio_disconnect(eio_sid, reason)
        else:
            await self._tell_gone(eio_sid, reason)
        self.eio.closed(eio_sid)

    async def _tell_gone(self, eio_sid: str, reason: str) -> None:
        """Tell the application, and leave no trace of the socket; idempotent."""
        await super()._handle_eio_disconnect(eio_sid, reason)
        for namespace in list(self.manager.get_namespaces()):
            if sid := self.manager.sid_from_eio_sid(eio_sid, namespace):
                await self.manager.disconnect(sid, namespace, ignore_queue=True)

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str | None, reason: str | None = None
    ) -> None:
        try:
            await super()._handle_disconnect(eio_sid, namespace, reason)
        except Exception:  # the other namespaces of this socket must hear of it all the same
            self._log.exception("a socket handler failed")

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        if not self._serves(namespace or "/"):  # the library would let anybody into "/"
            raise PacketRefused(Offence.NAMESPACE)
        await super()._handle_connect(eio_sid, namespace, data)

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """As the library's, but one call means one call, and a cancelled handler says nothing."""
        handler, args = self._get_event_handler(event, namespace, args)
        if handler is None:
            return await super()._trigger_event(event, namespace, *args)
        try:
            answer = handler(*args)
            return await answer if inspect.isawaitable(answer) else answer
        except TypeError as error:
            raise HandlerFailed(event) from error

    def _serves(self, namespace: str) -> bool:
        return "connect" in self.handlers.get(namespace, {}) or (
            namespace in self.namespace_handlers
        )

    def _is_accepted(self, eio_sid: str) -> bool:
        return any(
            self.manager.is_connected(self.manager.sid_from_eio_sid(eio_sid, namespace), namespace)
            for namespace in self.manager.get_namespaces()
        )


class _NoBroadcasts(socketio.AsyncManager):  # type: ignore[misc]  # the library has no types
    """Who is in which room. Every way of emitting ends here, and none may leave out the room."""

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        if not (to or room):
            raise BroadcastRefused(event)
        await super().emit(event, data, namespace, room, skip_sid, callback, to, **kwargs)


class _LibraryLog:
    """The library logs payloads, tokens included, and whole tracebacks for a client's mistake.

    What a client did wrong is said once by the guard. Of what remains only the kind is said.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    def debug(self, *_: Any, **__: Any) -> None: ...

    info = warning = error = debug

    def exception(self, *_: Any, **__: Any) -> None:
        self._log.exception("the socket library failed")
