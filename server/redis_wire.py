"""Connections to Redis and to its sentinels. The only file that knows the library for it.

Of the library we use its connection: sockets, TLS, logging in, and the protocol. Who uses which
connection, for how long, and what is tried again is decided above this file, because its own
answers to an outage (seconds of backing off, writes sent twice) are not ours.

A user of a Redis with ACL rules needs what ``deploy/redis/users.acl`` gives to ``bedside``.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, TypeAlias

import redis
from redis.asyncio import Connection, SSLConnection
from redis.exceptions import NoScriptError

from server.redis_config import Address, RedisConfig
from server.store import StoreUnavailable

Word: TypeAlias = str | bytes | int | float

# These say: not here, or not any more. Whoever is connected here should look where the master is.
_ELSEWHERE = frozenset({"READONLY", "MASTERDOWN", "LOADING"})
_OURS = frozenset({"ERR", "WRONGTYPE"})
# Error texts may repeat arguments, so a code is one of these or nothing.
_CODE = re.compile(
    r"\b(BUSY|LOADING|MASTERDOWN|MISCONF|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|WRONGPASS|WRONGTYPE)\b"
)
_SCRIPT_LINE = re.compile(r"user_script:\d+")


class RedisTrouble(StoreUnavailable):
    """Redis did not do it, or nobody knows whether it did.

    ``reason`` is Redis's own code or one of ours: connect, lost, timeout, busy, closed. It is safe
    to log. With ``astray``, other connections are most likely no better than this one.
    """

    def __init__(self, reason: str, *, astray: bool = True) -> None:
        super().__init__()
        self.reason = reason
        self.astray = astray


class ScriptMissing(Exception):
    """Redis has forgotten, or never knew, the script of this digest."""


class Wire:
    """One connection, for one user at a time. ``born`` counts with whoever keeps connections."""

    def __init__(self, connection: Connection, born: int) -> None:
        # Many of the library's methods are untyped.
        self._connection: Any = connection
        self._owes = False  # an answer that was not read to its end
        self.born = born

    async def ask(self, *command: Word, within: float) -> Any:
        """The answer to one command: text, numbers, None, or lists of these.

        Bytes that are not UTF-8 come as surrogate escapes (PEP 383). Raises ``RedisTrouble``,
        ``ScriptMissing``. Whoever is cancelled in here leaves a connection behind that is over.
        """
        self._owes = True
        try:
            async with asyncio.timeout(within):
                await self._connection.send_command(*command)
                answer = await self._connection.read_response()
        except NoScriptError:
            self._owes = False
            raise ScriptMissing from None
        except redis.ResponseError as error:
            self._owes = False
            raise _refusal(error) from None
        except (redis.RedisError, OSError) as error:
            raise _failure(error) from None
        self._owes = False
        return answer

    async def hear(self, within: float) -> Any:
        """What comes next by itself, to a connection that has subscribed; None for silence."""
        try:
            return await self._connection.read_response(timeout=within)
        except (redis.RedisError, OSError) as error:
            raise _failure(error) from None

    async def say(self, *command: Word) -> None:
        """Send what is answered among the notices."""
        try:
            await self._connection.send_command(*command)
        except (redis.RedisError, OSError) as error:
            raise _failure(error) from None

    async def ready(self) -> bool:
        """Whether it can take a command: connected, and nothing left of an earlier one."""
        if self._owes or not self._connection.is_connected:
            return False
        try:
            return not await self._connection.can_read()
        except redis.RedisError:
            return False

    async def cut(self, *, waiting: bool = False) -> None:
        """Disconnect; never raises, idempotent. ``waiting``: until the socket is closed."""
        try:
            await self._connection.disconnect(nowait=not waiting)
        except (redis.RedisError, OSError):
            return


def _refusal(error: redis.ResponseError) -> RedisTrouble:
    """Redis has read the command and says no; before Redis 7, a script's reason is in the text."""
    code = getattr(error, "status_code", None) or _first(_CODE, error) or "ERR"
    # A line tells where a script is wrong, and nothing where the server is.
    line = _first(_SCRIPT_LINE, error) if code in _OURS else ""
    return RedisTrouble(f"{code} {line}".strip(), astray=code in _ELSEWHERE)


def _first(pattern: re.Pattern[str], error: Exception) -> str:
    found = pattern.search(str(error))
    return found[0] if found else ""


def _failure(error: BaseException) -> RedisTrouble:
    code = getattr(error, "status_code", None)
    timed_out = isinstance(error, redis.TimeoutError | TimeoutError)
    return RedisTrouble(code or ("timeout" if timed_out else "lost"))


class Connector:
    """Connects to any server of an installation, the same way to each."""

    def __init__(self, config: RedisConfig) -> None:
        ca_file = str(config.ca_file) if config.ca_file else None
        # Reading certificates takes milliseconds: once, not for each connection.
        self._tls = SSLConnection(ssl_ca_certs=ca_file).ssl_context if config.tls else None

    async def connect(
        self, address: Address, *, user: str = "", password: str = "", database: int = 0, born: int
    ) -> Wire:
        """A new connection, logged in, however long that takes. Raises ``RedisTrouble``."""
        connection = self._connection(
            address, username=user or None, password=password or None, db=database
        )
        wire = Wire(connection, born)
        try:
            await connection.connect()
        except (redis.RedisError, OSError) as error:
            await wire.cut()
            raise RedisTrouble(getattr(error, "status_code", None) or "connect") from None
        except BaseException:
            await wire.cut()
            raise
        return wire

    def _connection(self, address: Address, **login: Any) -> Any:
        host, port = address
        options = login | {
            "host": host,
            "port": port,
            "socket_timeout": None,  # time is kept by whoever waits
            "socket_connect_timeout": None,
            "protocol": 2,
            "driver_info": None,
            "decode_responses": True,
            "encoding_errors": "surrogateescape",
        }
        if self._tls is None:
            return Connection(**options)
        connection = SSLConnection(**options)
        connection.ssl_context = self._tls
        return connection
