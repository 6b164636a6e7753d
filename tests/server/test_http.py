"""Problems, headers and metrics of every HTTP answer."""

import json

import pytest

from server.routes import PAGES, ROUTES
from tests.support.server_clients import PATIENT

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def whole(answer):
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] in {"no-store", "public, max-age=31536000, immutable"}


async def test_every_answer_has_its_headers(server, practice):
    rows = {(row.method, row.path) for row in ROUTES} | {("GET", page.path) for page in PAGES}
    for method, path in sorted(rows):
        there = path.format(visit="v", seat="s", desk="d", prompt="gate", language="en")
        whole(await server.call(method, there))
        whole(await practice.call(method, there, {}))
    polling = "/socket.io/?EIO=4&transport=polling"
    assert (await server.call("GET", polling)).status == 200
    odd = ("/nowhere", "/assets/", "/assets/nothing.js", "/v1/visits/%00", "/..%2f..%2fetc")
    for path in (polling, "/socket.io/", *odd):
        whole(await server.call("GET", path))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/visits/", 404),
        ("GET", "/assets/nothing.js", 404),
        ("GET", "/assets/", 404),
        ("GET", "/assets/../../../pyproject.toml", 404),
        ("GET", "/assets/%2e%2e/%2e%2e/pyproject.toml", 404),
        ("PUT", "/v1/visits", 405),
        ("DELETE", "/healthz", 405),
        ("POST", "/join", 405),
    ],
)
async def test_what_is_not_there_is_a_problem(server, method, path, status):
    answer = await server.call(method, path)
    assert (answer.status, answer.code) == (status, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"\xff\xfe", b"nothing", b"[" * 100_000, b'{"seats": ' + b"9" * 5_000 + b"}",
        b"[]", b'"text"', b"5", b"null", b"NaN", b'{"starts_at": NaN}',
    ],
)  # fmt: skip
async def test_a_body_that_is_no_json_or_not_ours_is_a_problem(practice, body):
    answer = await practice.call("POST", "/v1/visits", body)
    assert answer.status in {413, 422}
    assert answer.code == "payload_invalid"


async def test_a_body_that_is_too_large_is_a_problem(practice, server):
    answer = await practice.call("POST", "/v1/visits", b" " * (server.node.edge.request_body + 1))
    assert (answer.status, answer.code) == (413, "payload_invalid")


async def test_fields_are_named_and_values_are_not_repeated(practice):
    secret = "Rosa +1 555 010 0142"
    body = {"starts_at": secret, "ends_at": -1, "seats": [{"role": secret}, {"name": PATIENT}]}
    answer = await practice.call("POST", "/v1/visits", body)
    assert answer.status == 422
    fields = {"ends_at", "seats.0.role", "seats.1.name", "seats.1.role", "starts_at"}
    assert set(answer.body["fields"]) - {"seats"} == fields
    assert "Rosa" not in answer.text


async def test_unknown_fields_mean_nothing_and_repeated_ones_are_refused(practice):
    seat = {"role": "patient", "admission": "present", "revoked": True, "id": "mine"}
    asked = {"starts_at": 1e9, "ends_at": 4e9, "seats": [seat], "stage": "ended", "practice": "x"}
    made = await practice.post("/v1/visits", asked)
    assert made.status == 201
    assert made.body["seats"][0]["seat"] != "mine"
    state = await practice.get(f"/v1/visits/{made.body['visit']}")
    assert (state["stage"], state["seats"][0]["admission"]) == ("open", "invited")
    twice = b'{"starts_at": 1e9, "ends_at": 4e9, "seats": [{"role": "family", "role": "patient"}]}'
    assert (await practice.call("POST", "/v1/visits", twice)).code == "payload_invalid"


async def test_another_sites_page_changes_nothing(server, practice):
    visit = await practice.plans()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        opened = await server.call(
            "POST", "/v1/sessions", {"code": visit.patient.code}, headers=headers
        )
        assert (opened.status, opened.code) == (403, "origin_refused")


@pytest.mark.parametrize(
    "value", ["Basic abc", "Bearer", "Bearer  ", "bsk_x", "Bearer \u00ff\udcff"]
)
async def test_an_authorization_that_is_none_is_refused(server, value):
    raw = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    answer = await server.call("GET", "/v1/visits", headers={"Authorization": raw})
    assert answer.status in {400, 401}


async def test_words_are_inert_text(practice, meeting, browser):
    """Markup stays text, control and direction-changing characters are gone."""
    nasty = "<img src=x onerror=alert(1)>\u202e\u0000"
    made = await practice.plans({"role": "patient", "name": nasty}, {"role": "provider"})
    page = await browser().opens(made.patient.code)
    await page.knocks(nasty)
    me = (await page.until(lambda view: view["me"]["admission"] == "waiting"))["me"]
    assert me["name"] == "<img src=x onerror=alert(1)>"
    state = await practice.call("GET", made.path())
    assert state.headers["Content-Type"].startswith("application/json")


async def test_requests_are_counted_by_route_and_never_by_what_they_name(server, practice):
    visit = await practice.plans()
    await practice.get(visit.path())
    await server.call("GET", "/nowhere?code=secret")
    text = (await server.call("GET", "/metrics")).text
    assert 'bedside_requests_total{route="/v1/visits/{visit}",status="200"} 1.0' in text
    assert 'bedside_requests_total{route="none",status="404"} 1.0' in text
    assert visit.id not in text
    assert "secret" not in text


async def test_an_error_of_our_own_is_a_problem_that_says_nothing(server, practice, monkeypatch):
    def broken(*_):
        raise RuntimeError("Rosa Alvarez")

    monkeypatch.setattr(server.node.keeper, "current", broken)
    answer = await practice.call("GET", "/v1/visits/v")
    assert (answer.status, answer.code) == (500, "internal")
    assert "Rosa" not in answer.text
    assert json.loads(answer.text).keys() == {"type", "title", "status", "code"}
    whole(answer)
