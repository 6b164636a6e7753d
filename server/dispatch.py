"""Binds the table of signals to the socket server: parse, perform, acknowledge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import socketio
import structlog

from rooms.errors import BedsideError, NotAdmitted
from server.desks import DESK
from server.errors import face_of
from server.gateway import VISIT
from server.messages import parse
from server.node import Node
from server.sessions import DeskSession, SeatSession
from server.signals import SIGNALS, Signal

log = structlog.get_logger(__name__)


def bind(sio: socketio.AsyncServer, node: Node) -> None:
    """Answer every signal of the table, and nothing else."""
    for signal in SIGNALS:
        sio.on(signal.name, handler=_handler(node, signal), namespace=signal.namespace)
    sio.on("connect", handler=_connect(node, node.gateway.connect), namespace=VISIT)
    sio.on("connect", handler=_connect(node, node.desks.connect), namespace=DESK)
    sio.on("disconnect", handler=_disconnect(node.gateway.disconnect), namespace=VISIT)
    sio.on("disconnect", handler=_disconnect(node.desks.disconnect), namespace=DESK)


def _connect(
    node: Node,
    accept: Callable[[str, object], Awaitable[None]],
) -> Callable[[str, dict[str, Any], Any], Awaitable[bool]]:
    async def connect(sid: str, _environ: dict[str, Any], auth: Any) -> bool:
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            await accept(sid, token)
        except BedsideError as error:
            face = face_of(error)
            node.metrics.signals.labels(signal="connect", outcome=face["code"]).inc()
            raise socketio.exceptions.ConnectionRefusedError(face["title"], face) from None
        node.metrics.signals.labels(signal="connect", outcome="ok").inc()
        return True

    return connect


def _disconnect(gone: Callable[[str], None]) -> Callable[[str, str], Awaitable[None]]:
    async def disconnect(sid: str, _reason: str) -> None:
        gone(sid)

    return disconnect


def _handler(node: Node, signal: Signal) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def handle(sid: str, *arguments: Any) -> dict[str, Any]:
        answer = await _answer(node, signal, sid, arguments[0] if arguments else None)
        outcome = answer["error"]["code"] if "error" in answer else "ok"
        node.metrics.signals.labels(signal=signal.name, outcome=outcome).inc()
        return answer

    return handle


async def _answer(node: Node, signal: Signal, sid: str, data: Any) -> dict[str, Any]:
    try:
        session = _session(node, signal, sid)
        result = await signal.perform(node, session, parse(signal.payload, data))
    except BedsideError as error:
        return {"error": face_of(error)}
    except Exception as error:
        log.exception("signal_failed", signal=signal.name)
        return {"error": face_of(error)}
    return {"ok": True, **result}


def _session(node: Node, signal: Signal, sid: str) -> SeatSession | DeskSession:
    sessions = node.gateway.sessions if signal.namespace == VISIT else node.desks.sessions
    session: SeatSession | DeskSession | None = sessions.get(sid)
    if session is None:
        raise NotAdmitted
    return session
