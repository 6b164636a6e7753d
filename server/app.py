"""The one place that builds everything. What starts here is closed here, in the reverse order."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import structlog
from aiohttp import web

from media.sfu import MediaConfig, Sfu
from rooms.codec import SchemaUnknown
from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy, MediaPolicy, Policy, QualityPolicy
from server import demo_doors, dispatch, http
from server.board import DeskBoard
from server.config import Settings
from server.demo_phone import DemoPhone
from server.desks import DeskGateway
from server.entrance import Entrance
from server.gateway import Gateway
from server.home import OnlyHome
from server.idempotency import ReplySealer
from server.keeper import VisitKeeper
from server.keys import Keys
from server.leaving import Leaver
from server.limits import Limits
from server.loop_lag import LoopLag
from server.many_nodes import ManyNodes, Parts
from server.metrics import Metrics
from server.node import Node
from server.openapi import document
from server.performers import Hands
from server.phone_numbers import NumberingPlan
from server.practices import Practices
from server.routing import Visits
from server.security_headers import origin_check, security_headers
from server.sight import Sight
from server.slow_requests import bodies_in_time
from server.socket_guard import GuardedServer, create_socket_server
from server.sqlite_store import SqliteStore
from server.store import Store
from server.telephony import PhonePolicies, Phones
from server.timed_store import timed
from server.timers import Clock
from server.tokens import DeskTokens, SessionTokens
from server.world import LiveWorld

log = structlog.get_logger(__name__)

NODE = web.AppKey("node", Node)
ISSUER = "bedside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Every rule of a node; tests shorten what real time adds nothing to."""

    visit: Policy = field(default_factory=Policy)
    media: MediaPolicy = field(default_factory=MediaPolicy)
    edge: EdgePolicy = field(default_factory=EdgePolicy)
    quality: QualityPolicy = field(default_factory=QualityPolicy)
    phones: PhonePolicies = field(default_factory=PhonePolicies)
    nodes: NodesPolicy = field(default_factory=NodesPolicy)


def build(
    settings: Settings,
    ring: Keys,
    policies: Policies | None = None,
    clock: Clock = time.time,
) -> web.Application:
    """The whole server as one aiohttp application, not started yet."""
    policies = policies or Policies()
    policies = replace(policies, edge=policies.edge.shared_by(settings.people_per_address))
    metrics = Metrics()
    sio = create_socket_server(
        policies.edge,
        settings.origins,
        structlog.get_logger("server.sockets"),
        trusted_proxies=settings.trusted_proxies,
    )
    app = web.Application(
        client_max_size=policies.edge.request_body,
        middlewares=[
            security_headers(policies.edge, settings.origin),
            http.answer_errors(metrics),
            origin_check(settings.origins),
            bodies_in_time(policies.edge),
        ],
    )
    node, sfu = _assemble(settings, ring, policies, clock, sio, metrics)
    app[NODE] = node
    sio.attach(app)
    if node.nodes is not None:  # the same door, by the name that pages are led to
        sio.attach(app, f"n/{node.nodes.name}/socket.io")
        node.nodes.bind(app)
    dispatch.bind(sio, node)
    http.bind(app, node)
    demo_doors.bind(app, node)
    app.cleanup_ctx.append(_running(node, sfu))
    app.on_shutdown.append(_close_lines(sio))
    return app


def _close_lines(sio: GuardedServer) -> Callable[[web.Application], Awaitable[None]]:
    """Lines end before the web server waits for its requests, since each of them is one."""

    async def close_lines(_app: web.Application) -> None:
        await sio.shutdown()

    return close_lines


@dataclass(frozen=True, slots=True)
class _Core:
    """What keeps visits and makes media follow them, before anybody is connected."""

    nodes: ManyNodes | None
    store: Store
    sfu: Sfu
    board: DeskBoard
    world: LiveWorld
    keeper: VisitKeeper
    practices: Practices
    phones: Phones
    sight: Sight
    lag: LoopLag


def _core(
    settings: Settings, ring: Keys, policies: Policies, clock: Clock, metrics: Metrics
) -> _Core:
    edge = policies.edge
    nodes = _many_nodes(settings, ring, policies, clock, metrics)
    store: Store = timed(_store(settings, ring, policies, clock, nodes), metrics.node)
    sfu = _media(settings, policies, metrics)
    board = DeskBoard(clock, edge)
    world = LiveWorld(sfu, board)
    home = nodes.ownership if nodes else OnlyHome()
    keeper = VisitKeeper(store, world, clock, policies.visit, edge, home)
    practices = Practices(store, calls_people=settings.calls_people)
    phones = _telephones(settings, policies, store, practices, metrics, ring)
    phones.reports.connect(keeper.submit)
    sight = Sight(metrics.visits, clock)
    keeper.tell(sight.saved)
    metrics.node.watch_disk(settings.data_dir)
    lag = LoopLag(metrics.node, metrics.policy)
    return _Core(nodes, store, sfu, board, world, keeper, practices, phones, sight, lag)


def _assemble(
    settings: Settings,
    ring: Keys,
    policies: Policies,
    clock: Clock,
    sio: GuardedServer,
    metrics: Metrics,
) -> tuple[Node, Sfu]:
    edge, core = policies.edge, _core(settings, ring, policies, clock, metrics)
    store, keeper, practices = core.store, core.keeper, core.practices
    tokens = SessionTokens(ring, ISSUER, clock, edge)
    desk_tokens = DeskTokens(ring, ISSUER, clock, edge)
    gateway = Gateway(sio, keeper, core.sfu, practices, tokens, clock, policies.visit, edge)
    gateway.media_seen = core.sight.media_changed
    desks = DeskGateway(sio, store, core.board, practices, desk_tokens, clock)
    core.world.connect(Hands(gateway, core.phones.calls))
    core.board.connect(desks.tell)
    visits = _joined(core, gateway, desks)
    node = Node(
        settings=settings,
        policy=policies.visit,
        edge=edge,
        clock=clock,
        store=store,
        keeper=visits,
        local=keeper,
        nodes=core.nodes,
        world=core.world,
        plane=core.sfu,
        phones=core.phones,
        board=core.board,
        practices=practices,
        entrance=Entrance(store, visits, tokens, desk_tokens, clock, edge, secure=settings.secure),
        tokens=tokens,
        numbering=NumberingPlan(settings.phone_region, frozenset(settings.phone_countries)),
        gateway=gateway,
        desks=desks,
        sealer=ReplySealer(ring.sealing, clock, edge),
        limits=Limits.of(edge),
        metrics=metrics,
        sight=core.sight,
        lag=core.lag,
        openapi=document(),
        demo_phone=_use_telephones(core.sfu, core.phones),
    )
    return node, core.sfu


def _joined(core: _Core, gateway: Gateway, desks: DeskGateway) -> Visits:
    """What handlers ask about visits: the keeper, or the way to whichever node's it is."""
    if core.nodes is None:
        return core.keeper
    parts = Parts(
        keeper=core.keeper,
        gateway=gateway,
        desks=desks,
        board=core.board,
        practices=core.practices,
        phones=core.phones,
        leaver=Leaver(core.world, gateway, core.phones, core.sight),
        counters=core.sfu.counters,
        lag=core.lag,
    )
    return core.nodes.join(parts, core.store)


def _store(
    settings: Settings, ring: Keys, policies: Policies, clock: Clock, nodes: ManyNodes | None
) -> Store:
    if nodes is not None:
        return nodes.store
    return SqliteStore(settings.store_path, ring.audit, clock, policies.edge)


def _many_nodes(
    settings: Settings, ring: Keys, policies: Policies, clock: Clock, metrics: Metrics
) -> ManyNodes | None:
    if not settings.many_nodes:
        return None
    return ManyNodes(settings, ring, ISSUER, policies.edge, policies.nodes, clock, metrics)


def _telephones(
    settings: Settings,
    policies: Policies,
    store: Store,
    practices: Practices,
    metrics: Metrics,
    ring: Keys,
) -> Phones:
    return Phones(
        settings,
        policies.phones,
        policies.visit.fallback,
        store,
        practices,
        metrics,
        policies.edge,
        ring.sealing,
    )


def _use_telephones(sfu: Sfu, phones: Phones) -> DemoPhone | None:
    """Let visits have telephones; in rehearsals one of them is a page."""
    sfu.report_sound_to(phones.calls)
    if phones.practice_carrier is None:
        sfu.use(phones.telephony)
        return None
    phone = DemoPhone(phones.practice_carrier, sfu)
    sfu.use(phone.beside(phones.telephony))
    return phone


def _media(settings: Settings, policies: Policies, metrics: Metrics) -> Sfu:
    config = MediaConfig(
        bind=settings.media_hosts,
        port=settings.media_port,
        advertised=settings.media_addresses,
        tcp=settings.media_tcp,
    )
    sfu = Sfu(config, policies.media, quality=policies.quality)
    metrics.watch_media(sfu.counters)
    return sfu


def _running(node: Node, sfu: Sfu) -> Callable[[web.Application], AsyncIterator[None]]:
    async def running(_app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(node.store.close)
            await (node.nodes.store_is_there() if node.nodes else node.store.open())
            closing.push_async_callback(node.lag.close)
            node.lag.start()
            closing.push_async_callback(sfu.close)
            await sfu.start()
            closing.callback(node.board.close)
            closing.push_async_callback(node.phones.close)
            await node.phones.start()
            for part in (node.world, node.local, node.desks, node.gateway):
                closing.push_async_callback(part.close)
            if node.nodes is not None:
                await node.nodes.start(closing)
            else:
                await _resume(node)
            log.info("node_started", media_port=sfu.port)
            yield

    return running


async def _resume(node: Node) -> None:
    """Take up every visit that is not over; one that cannot be read must not stop the others."""
    for visit_id in await node.store.unfinished():
        try:
            await node.local.resume(visit_id)
        except SchemaUnknown:
            log.exception("visit_not_resumed", visit=visit_id)
