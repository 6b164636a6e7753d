"""The OpenAPI document: valid, equal to the table of routes, and true."""

import asyncio
import re
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from server.openapi import document
from server.routes import ROUTES, Auth
from tests.support.server_clients import running_server

DOCUMENT = document()
BY_NAME = {f"{route.method} {route.path}": route for route in ROUTES}
EXAMPLES = 12  # of each operation: enough to meet every field's edges, and over in seconds


def test_it_is_valid():
    validate(DOCUMENT)


async def test_it_is_served_as_it_is(server):
    answer = await server.call("GET", "/v1/openapi.json")
    assert answer.body == DOCUMENT


def test_it_equals_the_table():
    described = {
        f"{method.upper()} {path}": operation
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert described.keys() == BY_NAME.keys()
    for name, operation in described.items():
        route = BY_NAME[name]
        assert operation["summary"] == route.meaning
        assert operation["responses"].keys() >= {str(route.status)}
        assert ("requestBody" in operation) == (route.body is not None)
        open_to_all = not operation["security"]
        assert open_to_all == (route.auth in {Auth.NONE, Auth.LINK})
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", route.path))
        assert {p["name"] for p in operation["parameters"] if p["in"] == "query"} == set(
            route.query
        )
    ids = [operation["operationId"] for operation in described.values()]
    assert len(set(ids)) == len(ids)


class Live:
    """A server on a loop of its own, for a client that does not know asyncio."""

    def __init__(self, data):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.running = running_server(data)
        self.server = self.run(self.running.__aenter__())
        self.practice = self.run(self.server.practice())

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def close(self):
        self.run(self.running.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    live = Live(tmp_path_factory.mktemp("live"))
    yield live
    live.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_whatever_is_sent_what_comes_back_is_as_described(live, name):
    route = BY_NAME[name]
    operation = schemathesis.openapi.from_dict(DOCUMENT)[route.path][route.method]
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))
    visit = live.run(live.practice.plans())
    ours = {"visit": visit.id, "seat": visit.patient.seat}

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, there=st.booleans())
    def probe(case, there):
        if there:
            known = {name: ours[name] for name in case.path_parameters or {} if name in ours}
            case.path_parameters = {**(case.path_parameters or {}), **known}
        answer = case.call(
            base_url=live.server.url, headers={"Authorization": f"Bearer {live.practice.key}"}
        )
        case.validate_response(
            answer,
            checks=[
                schemathesis.checks.not_a_server_error,
                schemathesis.checks.status_code_conformance,
                schemathesis.checks.content_type_conformance,
                schemathesis.checks.response_schema_conformance,
            ],
        )

    probe()
