"""The door of the sockets: who may open one, how often, from which page, and by which request."""

import asyncio
from ipaddress import ip_network

import aiohttp
import pytest

from rooms.policy import EdgePolicy
from tests.support.socket_rig import CONNECT, OPEN, ORIGIN, socket_rig

PROXIES = (ip_network("127.0.0.0/8"),)
WEB_SOCKET, POLLING = OPEN + "websocket", OPEN + "polling"


def policy(**changes):
    return EdgePolicy(**{"connect_within": 10.0, "connects_per_minute": 600.0, **changes})


async def status(r, path, method="GET", **headers):
    async with r.http.request(method, r.url + path, headers=headers) as answer:
        return answer.status


async def knock(r, **headers):
    """Open a WebSocket; the HTTP status of the answer, 101 if it is open (and stays so)."""
    try:
        await r.ws_connect(headers=headers)
    except aiohttp.WSServerHandshakeError as refusal:
        return refusal.status
    return 101


# -- how many --------------------


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_one_address_opens_so_many_sockets_at_once(transport):
    async with socket_rig(policy(open_per_address=5)) as r:
        opening = [knock(r) if transport == "websocket" else status(r, POLLING) for _ in range(12)]
        answers = sorted(await asyncio.gather(*opening))
        assert answers == [{"websocket": 101, "polling": 200}[transport]] * 5 + [429] * 7


async def test_a_closed_socket_makes_room():
    async with socket_rig(policy(open_per_address=1)) as r:
        first = await r.accepted()
        assert await knock(r) == 429
        await first.socket.close()
        await r.next_told("disconnect")
        assert await knock(r) == 101


async def test_one_address_opens_so_many_sockets_a_minute():
    async with socket_rig(policy(connects_per_minute=3.0)) as r:
        for _ in range(3):
            socket = await r.web_socket()
            await socket.socket.close()
        assert await knock(r) == 429
        async with r.http.get(r.url + POLLING) as answer:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 20


async def test_addresses_behind_a_trusted_proxy_do_not_share_their_limits():
    async with socket_rig(policy(open_per_address=1), trusted_proxies=PROXIES) as r:
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8:1::1", "2001:db8:2::1"):
            assert await knock(r, **{"X-Forwarded-For": address}) == 101
            assert await knock(r, **{"X-Forwarded-For": address}) == 429
            assert await knock(r, **{"X-Forwarded-For": f"198.51.100.7, {address}"}) == 429
        assert await knock(r, **{"X-Forwarded-For": "2001:db8:1::99"}) == 429  # the same /64


async def test_an_address_that_nobody_vouches_for_dodges_no_limit():
    async with socket_rig(policy(open_per_address=1)) as r:
        assert await knock(r, **{"X-Forwarded-For": "192.0.2.1"}) == 101
        assert await knock(r, **{"X-Forwarded-For": "192.0.2.2"}) == 429
        assert await knock(r, Forwarded="for=192.0.2.3") == 429


@pytest.mark.parametrize(("proxies", "told"), [((), True), (PROXIES, None)])
async def test_the_log_says_when_a_proxy_should_probably_be_trusted(proxies, told):
    async with socket_rig(policy(open_per_address=1), trusted_proxies=proxies) as r:
        for _ in range(2):
            await knock(r, **{"X-Forwarded-For": "192.0.2.1"})
        assert [entry.get("untrusted_proxy") for entry in r.log.entries] == [told]


# -- how often --------------------


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_burst_passes_and_a_flood_is_closed(transport):
    limits = policy(event_burst=20)  # a slow machine must not earn tokens during the test
    async with socket_rig(limits) as r:
        heard = []

        async def answer(name, sid, payload):
            heard.append(name)

        r.answer = answer
        if transport == "websocket":
            rude = await r.accepted()
            for _ in range(300):
                await rude.send('42/visit,["a"]')
            await rude.closed(within=1.0)
        else:
            flood = await r.polling()
            await flood.accept()
            sixteen = "\x1e".join(['42/visit,["a"]'] * 16)
            assert [await flood.post(sixteen) for _ in range(3)][-1] == 400
        assert 10 <= len(heard) <= 60
        assert r.refusals() == ["too_often"]


async def test_the_policys_own_burst_passes():
    async with socket_rig(policy()) as r:
        polite = await r.accepted()
        for number in range(59):  # and CONNECT is one
            await polite.send(f'42/visit,{number}["a"]')
        for number in range(59):
            assert await polite.next() == f'43/visit,{number}[{{"ok":true}}]'


async def test_a_flood_of_web_socket_pings_counts_as_well():
    async with socket_rig(policy()) as r:
        flood = await r.accepted()
        for _ in range(300):
            await flood.socket.ping()
        await flood.closed(within=1.0)
        await r.next_told("disconnect")
        assert r.refusals() == ["too_often"]


async def test_a_flood_of_pongs_counts_as_well():
    async with socket_rig(policy()) as r:
        flood = await r.accepted()
        for _ in range(300):
            await flood.send("3")
        await flood.closed(within=1.0)
        assert r.refusals() == ["too_often"]


async def test_a_payload_of_more_packets_than_the_library_reads_is_closed():
    async with socket_rig(policy()) as r:
        flood = await r.polling()
        assert await flood.post("\x1e".join([CONNECT] + ["3"] * 16)) == 400
        assert r.told.empty()


# -- from which page --------------------

STRANGERS = ["https://evil.example", "null", "http://visits.example.org", f"{ORIGIN}.evil.example",
             f"{ORIGIN}:8443", ORIGIN.upper(), ""]  # fmt: skip


@pytest.mark.parametrize("origin", STRANGERS)
async def test_a_page_of_another_site_opens_nothing(origin):
    async with socket_rig(policy()) as r:
        assert await knock(r, Origin=origin) == 403
        assert await status(r, POLLING, Origin=origin) == 403
        assert await status(r, POLLING, "OPTIONS", Origin=origin) == 403
        assert not r.sio.eio.sockets


async def test_a_page_of_another_site_cannot_use_an_open_line():
    async with socket_rig(policy()) as r:
        line = await r.polling()
        for method in ("GET", "POST"):
            path = line.url.removeprefix(r.url)
            assert await status(r, path, method, Origin="https://evil.example") == 403
        await line.accept()


async def test_a_forwarded_scheme_or_host_opens_no_door():
    """The library would take these for its own address."""
    async with socket_rig(policy()) as r:
        evil = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
        assert await status(r, POLLING, Origin="https://evil.example", **evil) == 403
        assert await status(r, POLLING, Origin="http://evil.example", Host="evil.example") == 403


async def test_our_own_page_opens_both_transports_without_cookies():
    async with socket_rig(policy()) as r:
        assert await knock(r, Origin=ORIGIN) == 101
        async with r.http.get(r.url + POLLING, headers={"Origin": ORIGIN}) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert "Access-Control-Allow-Credentials" not in answer.headers


# -- by which request --------------------


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "POST"])
async def test_only_a_get_opens_a_line(method):
    async with socket_rig(policy()) as r:
        assert await status(r, POLLING, method) in {400, 405}
        assert not r.sio.eio.sockets


@pytest.mark.parametrize(
    "path",
    ["/socket.io/", "/socket.io/?EIO=3&transport=polling", POLLING + "&j=0", POLLING + "&j=x",
     POLLING + "&sid=", POLLING + "&sid=unknown", WEB_SOCKET + "&sid=unknown",
     "/socket.io/?EIO=4&transport=flash", WEB_SOCKET, "/socket.io/?EIO=4&EIO=3",
     POLLING + "&sid=%00", "/socket.io/?" + "&".join("a=1" for _ in range(500))],
)  # fmt: skip
async def test_an_odd_request_opens_nothing(path):
    async with socket_rig(policy()) as r:
        assert await status(r, path) == 400
        assert not r.sio.eio.sockets
        assert not r.log.entries


async def test_two_requests_of_a_kind_at_once_close_the_line():
    async with socket_rig(policy()) as r:
        line = await r.polling()
        await line.accept()
        statuses = await asyncio.gather(line.poll(), line.poll())
        assert sorted(answer[0] for answer in statuses) == [200, 400]
        await r.next_told("disconnect")
        assert r.refusals() == ["overlap"]


async def test_an_upgraded_line_takes_no_requests_and_no_second_web_socket():
    async with socket_rig(policy()) as r:
        line = await r.polling()
        await line.accept()
        upgraded = await r.ws_connect(f"&sid={line.sid}")
        await upgraded.send_str("2probe")
        assert (await upgraded.receive_str()) == "3probe"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
            await r.ws_connect(f"&sid={line.sid}")
        await upgraded.send_str("5")
        await upgraded.send_str('42/visit,1["a"]')
        assert (await upgraded.receive_str()) == "6"  # for a poll that was not there
        assert (await upgraded.receive_str()) == '43/visit,1[{"ok":true}]'
        with pytest.raises(aiohttp.WSServerHandshakeError, match="400"):
            await r.ws_connect(f"&sid={line.sid}")
        assert (await line.poll())[0] == 400
        await upgraded.send_str('42/visit,2["a"]')
        assert (await upgraded.receive_str()) == '43/visit,2[{"ok":true}]'


async def test_a_line_that_said_goodbye_makes_room():
    async with socket_rig(policy(open_per_address=1)) as r:
        for _ in range(3):
            polling = await r.polling()
            await polling.accept()
            await polling.post("1")
            await r.next_told("disconnect")
        assert not r.sio.eio.sockets
