"""Connections to Redis and to its sentinels. The only file that knows the library for it.

Of the library we use its connection: sockets, TLS, logging in, and the protocol. Who uses which
connection, for how long, and what is tried again is decided here and in ``redis_pool``, because
its own answers to an outage (seconds of backing off, writes sent twice) are not ours.

A user of a Redis with ACL rules needs, on the keys and channels of its prefix: ``+@read +@write
+@scripting +@pubsub +@connection +role +time``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import redis
from redis.asyncio import Connection, SSLConnection
from redis.exceptions import NoScriptError

from rooms.nodes_policy import NodesPolicy
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


class Dialer:
    """Makes connections to Redis, or to whichever Redis the sentinels name."""

    def __init__(self, config: RedisConfig, policy: NodesPolicy) -> None:
        self._config = config
        self._policy = policy
        self._master: Address | None = None
        self._searching = asyncio.Lock()
        # Reading certificates takes milliseconds: once, not for each connection.
        self._tls = SSLConnection(ssl_ca_certs=_path(config)).ssl_context if config.tls else None

    def forget(self) -> None:
        """The master may be another one by now."""
        self._master = None

    async def dial(self, born: int = 0) -> Wire:
        """A new connection, logged in, to a master. Raises ``RedisTrouble``."""
        try:
            async with asyncio.timeout(self._policy.redis_connect):
                if not self._config.group:
                    return await self._connect(self._config.addresses[0], born)
                return await self._connect_to_master(born)
        except TimeoutError:
            self.forget()
            raise RedisTrouble("timeout") from None

    async def _connect_to_master(self, born: int) -> Wire:
        trouble = RedisTrouble("connect")
        for address in await self._candidates():
            try:
                wire = await self._connect(address, born)
                if await self._is_master(wire):
                    self._master = address
                    return wire
            except RedisTrouble as error:
                trouble = error
            self.forget()
        raise trouble

    async def _is_master(self, wire: Wire) -> bool:
        """Sentinels may be late; the server itself knows what it is."""
        try:
            role = await wire.ask("ROLE", within=self._policy.redis_connect)
            if role[0] == "master":
                return True
        except BaseException:
            await wire.cut()
            raise
        await wire.cut()
        return False

    async def _candidates(self) -> Sequence[Address]:
        """Where the master is believed to be, the latest belief first."""
        async with self._searching:
            if self._master is not None:
                return (self._master,)
            named = await self._ask_sentinels()
            latest = sorted(named, reverse=True)
            return tuple(dict.fromkeys(address for _, address in latest))

    async def _ask_sentinels(self) -> list[tuple[int, Address]]:
        """What sentinels name, each with the epoch of its knowledge; more than half will do."""
        named: list[tuple[int, Address]] = []
        asked = [asyncio.create_task(self._ask(each)) for each in self._config.addresses]
        try:
            # A sentinel that hangs must leave time to connect.
            async with asyncio.timeout(self._policy.redis_connect / 2):
                for answer in asyncio.as_completed(asked):
                    named += await answer
                    if len(named) > len(asked) // 2:
                        break
        except TimeoutError:
            pass
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return named

    async def _ask(self, sentinel: Address) -> list[tuple[int, Address]]:
        password = self._config.sentinel_password
        connection = self._connection(sentinel, password=password or None)
        wire = Wire(connection, 0)
        try:
            await connection.connect()
            command = ("SENTINEL", "MASTER", self._config.group)
            said = await wire.ask(*command, within=self._policy.redis_connect)
            found = dict(zip(said[::2], said[1::2], strict=True))
            return [(int(found["config-epoch"]), (found["ip"], int(found["port"])))]
        except (redis.RedisError, StoreUnavailable, OSError):
            return []
        finally:
            await wire.cut()

    async def _connect(self, address: Address, born: int) -> Wire:
        config = self._config
        connection = self._connection(
            address,
            db=config.database,
            username=config.user or None,
            password=config.password or None,
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

    def _connection(self, address: Address, **options: Any) -> Any:
        """One that is not connected yet. Time is kept by whoever uses it."""
        host, port = address
        options |= {
            "host": host,
            "port": port,
            "socket_timeout": None,
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


def _path(config: RedisConfig) -> str | None:
    return str(config.ca_file) if config.ca_file else None
