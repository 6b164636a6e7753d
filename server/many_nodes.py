"""Everything that one node of several has beyond a node that is alone."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from aiohttp import web

from media.counters import MediaCounters
from rooms.model import VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server.audit_file import AuditFile
from server.board import DeskBoard
from server.claims import Claims, NodeRecord
from server.cluster import Cluster
from server.config import Settings
from server.desks import DeskGateway
from server.draining import Draining
from server.finding import Finder
from server.gateway import Gateway
from server.hosting import Hosting, Neighbours
from server.keeper import VisitKeeper
from server.keys import Keys, fingerprint
from server.leaving import Idleness, Leaver
from server.loads import LoadMeter
from server.loop_lag import LoopLag
from server.membership import Watch
from server.metrics import Metrics
from server.news import News
from server.ownership import Ownership
from server.peer_client import HttpPeers
from server.peer_doors import PeerDoors
from server.peer_tokens import PeerTokens
from server.practices import Practices
from server.redis_allowance import SharedAllowance
from server.redis_config import RedisConfig
from server.redis_directory import RedisDirectory
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_recordings import RedisRecordings
from server.redis_store import RedisStore, Writer
from server.redis_wire import RedisTrouble
from server.routing import RoutedVisits
from server.shared_announcements import SharedAnnouncements
from server.store import Store
from server.succession import DueVisits, Succession
from server.telephony import Phones
from server.timers import Clock

log = structlog.get_logger(__name__)

WAITED_FOR = frozenset({"connect", "lost", "timeout", "LOADING", "MASTERDOWN", "READONLY", "BUSY"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node has in any case."""

    keeper: VisitKeeper
    gateway: Gateway
    desks: DeskGateway
    board: DeskBoard
    practices: Practices
    phones: Phones
    leaver: Leaver
    counters: MediaCounters
    lag: LoopLag


class ManyNodes:
    """This node's part in an installation. ``join`` it to the node's parts, then ``start`` it."""

    def __init__(
        self,
        settings: Settings,
        ring: Keys,
        issuer: str,
        edge: EdgePolicy,
        policy: NodesPolicy,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.name = settings.node_name
        self.policy = policy
        self._edge = edge
        self._clock = clock
        self._metrics = metrics
        keys = RedisKeys(settings.redis_prefix)
        self._keys = keys
        self._link = RedisLink(RedisConfig.of(settings), policy, probe=keys.probe)
        claims = Claims()
        file = AuditFile(settings.audit_dir, clock, policy)
        writer = Writer(node=self.name, claims=claims, audit_key=ring.audit, audit_file=file)
        self.store = RedisStore(self._link, keys, writer, clock, edge, policy)
        self.announcements = SharedAnnouncements(RedisRecordings(self._link, keys), policy)
        self.directory = RedisDirectory(self._link, keys, clock, policy)
        self._record = NodeRecord(
            name=self.name,
            owner=f"{self.name}.{secrets.token_hex(8)}",
            url=settings.peer_url,
            version=version("bedside"),
            ring=fingerprint(ring),
            started_at=clock(),
        )
        self.ownership = Ownership(self.directory, self.store, claims, self._record.owner)
        self._finder = Finder(self.directory, self.ownership, Watch(policy), policy)
        self._tokens = PeerTokens(ring, issuer, clock, self.name, edge=edge, policy=policy)
        self._peers = HttpPeers(self._tokens, policy)
        metrics.node.watch_audit(lambda: file.waiting)
        metrics.node.watch_unconfirmed(lambda: self._link.counters.unconfirmed)

    def join(self, parts: Parts, store: Store) -> RoutedVisits:
        """Connect to what the node has; handlers ask what this returns about visits."""
        policy, clock, finder = self.policy, self._clock, self._finder
        self.neighbours = Neighbours(self.directory, finder, self._peers, policy)
        self.ownership.connect(
            parts.keeper, parts.leaver, self.neighbours.hand_on, self._metrics.node.owner_changed
        )
        self.cluster = self._cluster(parts, self.neighbours)
        phones = parts.phones
        self.announcements.connect(phones.prompts, phones)
        phones.calls.allowance = SharedAllowance(self._link, self._keys, phones.policies.limits)
        self.visits = RoutedVisits(parts.keeper, store, finder, self._peers, policy, clock)
        self.draining = Draining(
            self.cluster, finder, parts.keeper, self._peers, parts.phones.calls, policy
        )
        self.cluster.drained_by(self.draining.drain)
        self._doors = PeerDoors(Hosting(parts.keeper, finder), self._tokens, policy)
        self._news = News(
            lambda: self._link.messages(self._keys.changed),
            store,
            parts.board,
            parts.practices,
            policy,
            self._edge,
            clock,
        )
        self._news.connect(
            parts.desks.sessions.groups, finder.is_here, self.announcements, parts.desks
        )
        parts.desks.look_first(self._news.first_look)
        return self.visits

    def _cluster(self, parts: Parts, neighbours: Neighbours) -> Cluster:
        finder, policy = self._finder, self.policy

        async def end_calls_of(node: str) -> None:
            await parts.phones.end_left_by(lambda: self.store.kept_calls_of(node))

        async def meet(visit: VisitId) -> None:
            await parts.keeper.current(visit)

        is_idle = Idleness(parts.gateway, parts.phones, self.ownership.shown, policy, self._clock)
        succession = Succession(self.directory, finder, end_calls_of, policy)
        finder.connect(succession.calls_ended)
        due = DueVisits(self.directory, finder, meet, policy, self._clock)
        cluster = Cluster(self._record, self.directory, finder, neighbours, succession, due, policy)
        load = LoadMeter(parts.counters, parts.lag, parts.gateway.sessions, self.ownership.claims)
        cluster.connect(load, is_idle, lambda: self.store.sweep(self._clock()))
        self._metrics.node.watch_nodes(lambda: len(cluster.nodes), lambda: cluster.is_draining)
        return cluster

    async def store_is_there(self) -> None:
        """Return when the store was opened: a node that starts in an outage waits for its end.

        Whoever restarts it meanwhile would only wait longer each time. Raises ``StoreUnavailable``
        for what waiting does not mend: a Redis that refuses us, or is too old.
        """
        while True:
            try:
                return await self.store.open()
            except RedisTrouble as trouble:
                if trouble.reason not in WAITED_FOR:
                    raise
                log.warning("waiting_for_store", reason=trouble.reason)
                await asyncio.sleep(self.policy.start_retry)

    def bind(self, app: web.Application) -> None:
        """Open the doors to other nodes."""
        self._doors.bind(app)

    async def start(self, closing: AsyncExitStack) -> None:
        """Join the others; ``closing`` leaves them again. Raises ``StoreUnavailable``."""
        closing.push_async_callback(self._peers.close)
        closing.push_async_callback(self.cluster.close)
        closing.push_async_callback(self.draining.close)
        closing.push_async_callback(self._doors.close)
        closing.push_async_callback(self.announcements.close)
        closing.push_async_callback(self._news.close)
        await self.cluster.start()
        self.announcements.start()
        self._news.start()

    async def address(self, visit: VisitId) -> str:
        """The name of the node that decides about the visit; some node does when this returns."""
        return await self.visits.address(visit, self.name)
