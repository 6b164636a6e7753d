"""The verbs of another node: answered, refused, out of reach, silent."""

import asyncio
import socket
import ssl
import time
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from rooms.codec import encode
from rooms.errors import SeatDenied
from rooms.events import SeatWasDenied, SessionOpened
from server.claims import Claim, NodeRecord
from server.errors import PayloadInvalid, RateLimited
from server.peer_messages import AskOwned, write
from server.peering import NodeSilent, NodeUnreachable
from server.store import NotOwner, StoreUnavailable, UnknownVisit, VersionConflict
from tests.support.certificates import self_signed
from tests.support.peer_nodes import OTHER_RING, POLICY, peer_node, peers
from tests.support.records import a_link, a_visit

DENIED = SeatWasDenied(seat="seat-1")
QUICK = replace(POLICY, forward_within=0.3, peer_connect=0.1)


@pytest.fixture
async def here():
    async with peer_node() as node:
        yield node


@pytest.fixture
async def ask():
    asking = peers()
    yield asking
    await asking.close()


@pytest.fixture
async def ask_quickly():
    asking = peers(QUICK)
    yield asking
    await asking.close()


def submit(asking, node, request="request-1"):
    return asking.submit(node, "visit-1", DENIED, (), placed=True, request=request)


@asynccontextmanager
async def answering(respond):
    """A server that answers the n-th connection with ``respond(n, reader, writer)``."""
    count = 0

    async def connected(reader, writer):
        nonlocal count
        count += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await respond(count, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield NodeRecord(name="here", owner="here-1", url=f"http://127.0.0.1:{port}"), lambda: count
    finally:
        server.close()
        await server.wait_closed()


async def whole(writer, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    writer.write(head + body)
    await writer.drain()


async def owns_nothing(_n, reader, writer):
    """Answer one order after the other on a connection that is kept."""
    while True:
        await reader.readexactly(len(write(AskOwned(visits=()))))
        await whole(writer, b'{"epochs":[]}')
        await reader.readuntil(b"\r\n\r\n")


# Answered


async def test_the_verbs_of_another_node(here, ask):
    here.host.visit = visit = a_visit(host="Dr. Ng")
    here.host.epochs = {"visit-2": 4}
    former = Claim("there-1", 3)
    links = (a_link(revoked_at=7.0),)
    given = await ask.submit(here.record, "v/1", DENIED, links, placed=False, request="r")
    assert given == visit
    assert await ask.current(here.record, "visit-1", placed=True) == visit
    await ask.take_over(here.record, "visit-1", former)
    await ask.keep_out(here.record, "visit-1", [DENIED])
    assert await ask.owned(here.record, ["visit-1", "visit-2"]) == {"visit-2": 4}
    assert here.host.asked == [
        ("submit", "v/1", DENIED, links, False),
        ("current", "visit-1", True),
        ("take_over", "visit-1", former),
        ("keep_out", "visit-1", (DENIED,)),
        ("owned", ("visit-1", "visit-2")),
    ]


async def test_the_same_request_is_decided_once(here, ask):
    assert await submit(ask, here.record) == await submit(ask, here.record)
    assert len(here.host.asked) == 1
    await submit(ask, here.record, "request-2")
    assert len(here.host.asked) == 2


async def test_two_handovers_are_two_orders(here, ask):
    await ask.take_over(here.record, "visit-1", Claim("a", 1))
    await ask.take_over(here.record, "visit-1", Claim("a", 1))
    assert len(here.host.asked) == 2


async def test_what_does_not_travel_is_not_sent(here, ask):
    with pytest.raises(ValueError, match="does not travel"):
        await ask.submit(
            here.record, "v", SessionOpened(seat="s", device="d"), (), placed=True, request="r"
        )
    assert here.host.asked == []


async def test_connections_are_used_again(ask):
    async with answering(owns_nothing) as (node, connections):
        for _ in range(5):
            assert await ask.owned(node, []) == {}
        assert connections() == 1
        await ask.close()


async def test_a_storm_of_orders_waits_for_its_turn(ask):
    """More connections at once than a system keeps for a node to accept would not be answered."""
    async with answering(owns_nothing) as (node, connections):
        await asyncio.gather(*(ask.owned(node, []) for _ in range(300)))
        assert connections() <= POLICY.peer_lines
        await ask.close()


# Refused


@pytest.mark.parametrize(
    "error",
    [
        SeatDenied(),
        NotOwner(),
        UnknownVisit(),
        VersionConflict(),
        StoreUnavailable(),
        NodeUnreachable(),
        NodeSilent(),
        PayloadInvalid(("seat",)),
        RateLimited(2.5),
    ],
    ids=lambda error: error.code,
)
async def test_what_the_other_node_refuses_with_is_raised_here(here, ask, error):
    here.host.error = error
    with pytest.raises(type(error)) as raised:
        await submit(ask, here.record)
    assert type(raised.value) is type(error)
    assert getattr(raised.value, "fields", ()) == getattr(error, "fields", ())
    assert getattr(raised.value, "retry_after", 0) == getattr(error, "retry_after", 0)
    assert len(here.host.asked) == 1


async def test_a_failure_over_there_may_have_decided_something(here, ask):
    here.host.error = RuntimeError()
    with pytest.raises(NodeSilent):
        await submit(ask, here.record)
    assert len(here.host.asked) == 1


async def test_nodes_of_different_key_rings_do_not_reach_one_another(here):
    stranger = peers(ring=OTHER_RING)
    with pytest.raises(NodeUnreachable) as raised:
        await submit(stranger, here.record)
    assert type(raised.value) is NodeUnreachable
    await stranger.close()


async def test_a_record_that_leads_to_another_node(here, ask):
    with pytest.raises(NodeUnreachable):
        await submit(ask, replace(here.record, name="there"))
    assert here.host.asked == []


# Out of reach


async def test_nobody_listens(ask):
    async with peer_node() as gone:
        pass
    with pytest.raises(NodeUnreachable) as raised:
        await submit(ask, gone.record)
    assert type(raised.value) is NodeUnreachable


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "ftp://127.0.0.1/", "http://[::1", "/x"]
)
async def test_a_record_without_an_address(ask, url):
    with pytest.raises(NodeUnreachable) as raised:
        await submit(ask, NodeRecord(name="here", owner="here-1", url=url))
    assert type(raised.value) is NodeUnreachable


async def test_a_node_that_does_not_accept_is_given_up_early(ask_quickly):
    """A queue of connections that nobody accepts: the next one is never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as others:
        address = full.getsockname()
        for _ in range(3):
            waits = others.enter_context(socket.socket())
            waits.setblocking(False)
            waits.connect_ex(address)
        node = NodeRecord(name="here", owner="here-1", url=f"http://127.0.0.1:{address[1]}")
        with pytest.raises(NodeUnreachable) as raised:
            await submit(ask_quickly, node)
        assert type(raised.value) is NodeUnreachable


async def test_a_certificate_that_nobody_vouches_for(tmp_path, ask):
    _, both = self_signed(tmp_path, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    async with peer_node(ssl_context=context) as node:
        with pytest.raises(NodeUnreachable) as raised:
            await submit(ask, node.record)
        assert type(raised.value) is NodeUnreachable
        assert node.host.asked == []


async def test_after_closing_nobody_is_reached(here):
    asking = peers()
    await submit(asking, here.record)
    await asking.close()
    await asking.close()
    with pytest.raises(NodeUnreachable):
        await submit(asking, here.record)


# Silent


async def test_a_node_that_hangs_is_waited_for_no_longer_than_people_wait(here, ask_quickly):
    here.host.go_on = asyncio.Event()
    begun = time.monotonic()
    with pytest.raises(NodeSilent):
        await submit(ask_quickly, here.record)
    assert QUICK.forward_within <= time.monotonic() - begun < QUICK.forward_within + 1
    here.host.go_on.set()
    assert await submit(ask_quickly, here.record)
    assert len(here.host.asked) == 1


async def test_a_lost_connection_is_made_again_with_the_same_request(ask):
    visit = a_visit()

    async def cuts_the_first(n, _reader, writer):
        if n > 1:
            await whole(writer, encode(visit).encode())

    async with answering(cuts_the_first) as (node, connections):
        assert await submit(ask, node) == visit
        assert connections() == 2
        await ask.close()


async def test_an_order_whose_reply_was_lost_is_decided_once(here, ask):
    """The connection is cut after the node has decided; the repetition has the reply."""
    host, port = here.runner.addresses[0]

    async def passes_on(n, reader, writer):
        there, back = await asyncio.open_connection(host, port)
        back.write(heads[n] + await reader.readexactly(lengths[n]))
        if n == 1:
            await there.readuntil(b"\r\n\r\n")  # decided: the reply is under way, and lost
        else:
            writer.write(await there.readuntil(b"}}"))
            await writer.drain()
        back.close()

    heads, lengths = {}, {}

    async def connected(reader, writer):
        n = len(heads) + 1
        heads[n] = head = await reader.readuntil(b"\r\n\r\n")
        found = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        lengths[n] = int(found[0].split(b":")[1])
        await passes_on(n, reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await submit(ask, replace(here.record, url=url)) == here.host.visit
    assert len(heads) == 2
    assert len(here.host.asked) == 1
    server.close()
    await ask.close()
    await server.wait_closed()


async def test_a_node_that_dies_in_the_middle_of_its_reply(ask):
    async def says_half(_n, _reader, writer):
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"schema":1,')
        await writer.drain()

    async with answering(says_half) as (node, connections):
        with pytest.raises(NodeSilent):
            await submit(ask, node)
        assert connections() == 2


async def test_a_node_that_dies_and_is_gone_may_have_decided():
    asking = peers()
    servers = []

    async def dies(_n, _reader, _writer):
        servers[0].close()

    async def connected(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await dies(1, reader, writer)
        writer.close()

    servers.append(await asyncio.start_server(connected, "127.0.0.1", 0))
    port = servers[0].sockets[0].getsockname()[1]
    node = NodeRecord(name="here", owner="here-1", url=f"http://127.0.0.1:{port}")
    with pytest.raises(NodeSilent):
        await submit(asking, node)
    await asking.close()
    await servers[0].wait_closed()


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"schema":1,"visit":{}}', b'{"schema":99,"visit":{}}', b"\xff"]
)
async def test_an_answer_that_is_none(ask, body):
    async def talks(_n, _reader, writer):
        await whole(writer, body)

    async with answering(talks) as (node, _):
        with pytest.raises(NodeSilent):
            await submit(ask, node)
        with pytest.raises(NodeSilent):
            await ask.owned(node, [])
        await ask.close()


async def test_an_endless_answer():
    asking = peers(replace(POLICY, peer_body=10_000))

    async def floods(_n, _reader, writer):
        await whole(writer, b" " * 20_000)

    async with answering(floods) as (node, _):
        with pytest.raises(NodeSilent):
            await submit(asking, node)
        await asking.close()


async def test_nobody_is_sent_elsewhere(ask):
    async def redirects(_n, _reader, writer):
        writer.write(
            b"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        )
        await writer.drain()

    async with answering(redirects) as (node, connections):
        with pytest.raises(NodeUnreachable):
            await submit(ask, node)
        assert connections() == 1
        await ask.close()
