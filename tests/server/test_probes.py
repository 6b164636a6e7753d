import pytest

from tests.support.server_clients import running_server
from tests.support.store_trouble import locked_store


async def test_life_does_not_hang_on_the_store_and_readiness_does(server):
    for path in ("/healthz", "/readyz"):
        answer = await server.call("GET", path)
        assert (answer.status, answer.body) == (200, {"status": "ok"})
    async with locked_store(server):
        assert (await server.call("GET", "/healthz")).status == 200
        unready = await server.call("GET", "/readyz")
        assert (unready.status, unready.body) == (503, {"status": "unavailable"})
    assert (await server.call("GET", "/readyz")).status == 200
    await server.node.store.close()
    assert (await server.call("GET", "/healthz")).status == 200
    assert (await server.call("GET", "/readyz")).status == 503
    await server.node.store.open()


async def test_counters_are_open_unless_a_token_is_set(server):
    answer = await server.call("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("value", ["", "Bearer wrong", "Bearer", "sesame", "Bearer s\u00e9same"])
async def test_counters_behind_a_token(tmp_path, value):
    async with running_server(tmp_path, metrics_token="sesame") as server:
        headers = {"Authorization": value} if value else {}
        answer = await server.call("GET", "/metrics", headers=headers)
        assert (answer.status, answer.code) == (401, "unauthorized")
        right = await server.call("GET", "/metrics", headers={"Authorization": "Bearer sesame"})
        assert right.status == 200
