"""What server/socket_*.py take for granted about python-socketio and python-engineio.

They override methods whose names begin with an underscore, because the libraries offer no other
place. An upgrade that moves one of them must fail here, in words, and not by letting somebody in.
"""

import inspect

import engineio
import pytest
import socketio
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket
from engineio.base_socket import BaseSocket
from engineio.payload import Payload
from socketio import packet
from socketio.async_manager import AsyncManager

from server.packets import RESERVED_EVENTS
from server.socket_lines import GuardedWebSocket

OVERRIDDEN = {
    socketio.AsyncServer: {
        "_engineio_server_class": ["self"],
        "_handle_eio_connect": ["self", "eio_sid", "environ"],
        "_handle_eio_message": ["self", "eio_sid", "data"],
        "_handle_eio_disconnect": ["self", "eio_sid", "reason"],
        "_handle_connect": ["self", "eio_sid", "namespace", "data"],
        "_handle_disconnect": ["self", "eio_sid", "namespace", "reason"],
        "_get_event_handler": ["self", "event", "namespace", "args"],
        "_trigger_event": ["self", "event", "namespace", "args"],
        "disconnect": ["self", "sid", "namespace", "ignore_queue"],
    },
    engineio.AsyncServer: {
        "create_queue": ["self", "args", "kwargs"],
        "start_background_task": ["self", "target", "args", "kwargs"],
        "disconnect": ["self", "sid"],
        "handle_request": ["self", "args", "kwargs"],
        "shutdown": ["self"],
    },
    AsyncManager: {
        "emit": ["self", "event", "data", "namespace", "room", "skip_sid", "callback", "to",
                 "kwargs"],
        "disconnect": ["self", "sid", "namespace", "kwargs"],
        "sid_from_eio_sid": ["self", "eio_sid", "namespace"],
        "eio_sid_from_sid": ["self", "sid", "namespace"],
        "is_connected": ["self", "sid", "namespace"],
        "get_namespaces": ["self"],
    },
    AsyncSocket: {
        "close": ["self", "wait", "abort", "reason"],
        "_websocket_handler": ["self", "ws"],
    },
    packet.Packet: {"decode": ["self", "encoded_packet"]},
    driver.WebSocket: {
        "__init__": ["self", "handler", "server"],
        "__call__": ["self", "environ"],
        "close": ["self"],
        "send": ["self", "message"],
        "wait": ["self"],
    },
}  # fmt: skip
CASES = [(owner, name, told) for owner, names in OVERRIDDEN.items() for name, told in names.items()]


@pytest.mark.parametrize(("owner", "name", "told"), CASES, ids=lambda value: str(value))
def test_a_method_we_stand_on_is_still_there(owner, name, told):
    assert hasattr(owner, name), f"{owner.__name__}.{name} is gone; read server/socket_*.py."
    assert list(inspect.signature(getattr(owner, name)).parameters) == told


def test_every_emission_still_passes_the_manager():
    """Where a missing room is refused; see ``_NoBroadcasts``."""
    assert "self.manager.emit(" in inspect.getsource(socketio.AsyncServer.emit)
    for way in (socketio.AsyncServer.send, socketio.AsyncServer.call):
        assert "self.emit(" in inspect.getsource(way)


def test_the_driver_is_still_a_table_with_these_rows():
    assert {"translate_request", "websocket"} <= set(driver._async)
    assert engineio.AsyncServer(async_mode="aiohttp")._async is driver._async
    assert {"wait", "send", "close"} <= set(dir(GuardedWebSocket))


def test_a_web_socket_is_still_given_the_sockets_own_handler():
    """``handler.__self__`` is how it finds its line."""
    source = inspect.getsource(AsyncSocket._upgrade_websocket)
    assert "self.server._async['websocket'](\n            self._websocket_handler" in source


def test_a_socket_still_has_these_attributes():
    made = vars(BaseSocket(engineio.AsyncServer(async_mode="aiohttp"), "sid"))
    assert {"sid", "queue", "upgraded", "upgrading", "closed"} <= set(made)
    assert "self.server.create_queue()" in inspect.getsource(BaseSocket.__init__)


def test_the_library_reserves_the_same_events():
    assert set(socketio.AsyncServer.reserved_events) == RESERVED_EVENTS


def test_a_polling_body_is_still_bounded_in_packets():
    assert Payload.max_decode_packets == 16


def test_events_wait_for_acceptance():
    """Since 5.18; before, an event could run while its CONNECT was being decided."""
    source = inspect.getsource(socketio.AsyncServer._handle_event)
    assert "not self.manager.is_connected(sid, namespace)" in source
    assert "pending_connect" in inspect.getsource(AsyncManager.is_connected)
