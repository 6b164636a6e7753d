"""Where the master is: one address, or whatever the sentinels say and the server itself confirms.

Sentinels hear of each other's decisions seconds late, and a master that they have replaced may go
on taking writes until they get to it. So the latest decision counts that any of more than half of
them knows, and they are asked again and again while connections stand (``has_moved``).
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from rooms.nodes_policy import NodesPolicy
from server.redis_config import Address, RedisConfig
from server.redis_wire import Connector, RedisTrouble, Wire
from server.store import StoreUnavailable


class _Named(NamedTuple):
    """A master as a sentinel knows it; ``epoch`` grows with each decision."""

    epoch: int
    address: Address


class Dialer:
    """Makes connections to Redis, or to whichever Redis the sentinels name."""

    def __init__(self, config: RedisConfig, policy: NodesPolicy) -> None:
        self._config = config
        self._policy = policy
        self._connector = Connector(config)
        self._named: tuple[_Named, ...] = ()  # the latest first; one, once it has been reached
        self._asking = asyncio.Lock()

    def forget(self) -> None:
        """The master may be another one by now."""
        self._named = ()

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

    async def has_moved(self) -> bool:
        """Whether the sentinels have decided for another master since this one was reached."""
        if not self._named:
            return False
        here = self._named[0]
        latest = max(await self._ask_sentinels(), default=here)
        return latest.epoch >= here.epoch and latest.address != here.address

    async def _connect_to_master(self, born: int) -> Wire:
        trouble = RedisTrouble("connect")
        for named in await self._candidates():
            try:
                wire = await self._connect(named.address, born)
                if await self._is_master(wire):
                    self._named = (named,)
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

    async def _candidates(self) -> tuple[_Named, ...]:
        """Where the master is believed to be; asked once for all who connect at once."""
        async with self._asking:
            if not self._named:
                latest_first = sorted(await self._ask_sentinels(), reverse=True)
                self._named = tuple({named.address: named for named in latest_first}.values())
            return self._named

    async def _ask_sentinels(self) -> list[_Named]:
        """What the first sentinels say that answer; more than half of them will do."""
        found: list[_Named] = []
        asked = [asyncio.create_task(self._ask(each)) for each in self._config.addresses]
        try:
            # A sentinel that hangs must leave time to connect.
            async with asyncio.timeout(self._policy.redis_connect / 2):
                for answer in asyncio.as_completed(asked):
                    named = await answer
                    found += [named] if named else []
                    if len(found) > len(asked) // 2:
                        break
        except TimeoutError:
            pass
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return found

    async def _ask(self, sentinel: Address) -> _Named | None:
        password = self._config.sentinel_password
        try:
            wire = await self._connector.connect(sentinel, password=password, born=0)
        except StoreUnavailable:
            return None
        try:
            return await self._named_by(wire)
        except (StoreUnavailable, ValueError, TypeError, KeyError):
            return None  # a sentinel that makes no sense is as good as none
        finally:
            await wire.cut()

    async def _named_by(self, wire: Wire) -> _Named:
        """The address is asked for last and by itself: it is the new one from its promotion on."""
        group, patience = self._config.group, self._policy.redis_connect
        said = await wire.ask("SENTINEL", "MASTER", group, within=patience)
        facts = dict(zip(said[::2], said[1::2], strict=True))
        where = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", group)
        host, port = await wire.ask(*where, within=patience)
        return _Named(int(facts["config-epoch"]), (host, int(port)))

    async def _connect(self, address: Address, born: int) -> Wire:
        return await self._connector.connect(
            address,
            user=self._config.user,
            password=self._config.password,
            database=self._config.database,
            born=born,
        )
