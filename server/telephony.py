"""Everything of the telephone that a node has: carriers, switchboard, announcements, calls."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from media.phone.errors import PromptError
from media.phone.former_calls import KeptCall
from media.phone.practice import PracticeCarrier
from media.phone.prompts import Prompts
from media.phone.routing import Route
from media.phone.sip.trunk import SipTrunk
from media.phone.switchboard import Switchboard
from media.phone.telephone import Telephony
from rooms.policy import (
    CallLimits,
    EdgePolicy,
    FallbackPolicy,
    PhonePolicy,
    PracticeCarrierPolicy,
    PromptPolicy,
    SwitchboardPolicy,
)
from server.calls import Calls
from server.config import ConfigurationError, Settings
from server.metrics import Metrics
from server.practices import Practices
from server.reports import Reports
from server.store import Store
from server.tasks import Tasks
from server.trunks import prefixes, trunk_configs

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePolicies:
    """Every rule of the telephone outside the visits."""

    lines: PhonePolicy = field(default_factory=PhonePolicy)
    prompts: PromptPolicy = field(default_factory=PromptPolicy)
    practice: PracticeCarrierPolicy = field(default_factory=PracticeCarrierPolicy)
    switchboard: SwitchboardPolicy = field(default_factory=SwitchboardPolicy)
    limits: CallLimits = field(default_factory=CallLimits)


class StoredCalls:
    """The switchboard's book, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, call: str, carrier: str, state: str) -> None:
        """Durable when this returns. Raises ``StoreError``."""
        await self._store.keep_call(KeptCall(call=call, carrier=carrier, state=state))

    async def forget(self, call: str) -> None:
        """The call is over."""
        await self._store.forget_call(call)

    async def kept(self) -> Sequence[KeptCall]:
        """What a former process left."""
        return await self._store.kept_calls()


class LeftCalls(StoredCalls):
    """The book of a switchboard that is gone."""

    def __init__(self, store: Store, kept: Callable[[], Awaitable[Sequence[KeptCall]]]) -> None:
        super().__init__(store)
        self._kept = kept

    async def kept(self) -> Sequence[KeptCall]:
        return await self._kept()


class Phones:
    """Built once per node; ``start`` it after the store, and ``close`` it once or more."""

    def __init__(
        self,
        settings: Settings,
        policies: PhonePolicies,
        rules: FallbackPolicy,
        store: Store,
        practices: Practices,
        metrics: Metrics,
        edge: EdgePolicy,
        secret: bytes,
    ) -> None:
        self.practice_carrier: PracticeCarrier | None = None
        self.policies = policies
        self.prompts = Prompts(settings.data_dir / "prompts", policies.prompts)
        self.reports = Reports(edge)
        self._store = store
        self._practices = practices
        self._named: dict[str, tuple[str, str]] = {}  # by practice: its name and number
        self._tasks = Tasks()
        routes = self._routes(settings, policies, metrics)
        self._switchboard = Switchboard(routes, StoredCalls(store), policies.switchboard)
        self.calls = Calls(
            self._switchboard,
            self.prompts,
            self.reports,
            practices.announcer,
            secret,
            rules,
            policies.limits,
            metrics,
        )
        self.telephony = Telephony(
            lines=self.calls.line,
            announce=self.calls.announcement,
            listener=self.calls,
            policy=policies.lines,
        )

    def _routes(self, settings: Settings, policies: PhonePolicies, metrics: Metrics) -> list[Route]:
        if settings.practice_carrier:
            self.practice_carrier = PracticeCarrier(policies.practice, settings.practice_phone)
            return [Route(self.practice_carrier)]
        reach = prefixes(settings.phone_countries)
        trunks = [SipTrunk(config, policies.lines) for config in trunk_configs(settings)]
        metrics.watch_trunks({trunk.name: trunk.counters for trunk in trunks})
        return [Route(trunk, reach) for trunk in trunks]

    async def start(self) -> None:
        """Open the carriers. Raises ``ConfigurationError`` if one cannot be opened."""
        await self.prompts.start()
        try:
            await self._switchboard.start(self.calls)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else type(error).__name__
            raise ConfigurationError(
                f"Telephones cannot be called: {why}. "
                "Look at BEDSIDE_SIP_HOST, BEDSIDE_SIP_PORT and BEDSIDE_SIP_CA_FILE."
            ) from error
        self.speak_all_soon()

    async def end_left_by(self, kept: Callable[[], Awaitable[Sequence[KeptCall]]]) -> None:
        """End the calls that another node, which is gone, has left behind. Never raises."""
        await self._switchboard.end_former(LeftCalls(self._store, kept))

    async def _speak_names(self) -> None:
        """Have every practice's announcements ready before the first call."""
        for practice in await self._store.practices():
            if self._named.get(practice.id) != (practice.spoken_name, practice.phone):
                await self.speak_name(practice.id)

    async def speak_name(self, practice: str) -> None:
        """Have one practice's announcements ready."""
        announcer = await self._practices.announcer(practice)
        self._named[practice] = (announcer.who, announcer.call_back)
        try:
            await self.prompts.prepare(announcer)
        except PromptError as error:
            log.warning("name_not_spoken", practice=practice, code=error.code)

    def speak_soon(self, practice: str) -> None:
        """Have one practice's announcements made ready; calls meanwhile open without its name."""
        self._tasks.spawn(self.speak_name(practice))

    def speak_all_soon(self) -> None:
        """The same for every practice that has another name than it was last heard to have."""
        self._tasks.spawn(self._speak_names())

    async def close(self) -> None:
        """End every call; idempotent.

        Nothing of that is reported: visits are to find, after a restart, who was on the telephone.
        """
        await self.reports.close()
        await self._switchboard.close()
        await self._tasks.close()
