import json
from types import ModuleType

import pytest

import media.errors
import rooms.errors
import server.config
import server.errors
import server.idempotency
import server.store
import server.tokens
from rooms.errors import BedsideError, VisitEarly
from server.errors import (
    STATUS,
    KindlyClosed,
    LinkUnknown,
    PayloadInvalid,
    RateLimited,
    Unauthorized,
    face_of,
    problem,
    status_of,
)

PLACES: tuple[ModuleType, ...] = (
    rooms.errors, media.errors, server.errors, server.store, server.tokens, server.idempotency,
    server.config,
)  # fmt: skip
ALL = sorted(
    {
        thing
        for place in PLACES
        for thing in vars(place).values()
        if isinstance(thing, type) and issubclass(thing, BedsideError)
    },
    key=lambda error: error.__name__,
)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_has_a_status_a_code_and_words(error):
    assert STATUS.get(error, 0) >= 400 or any(parent in STATUS for parent in error.__mro__)
    assert error.code == error.code.lower()
    assert error.title.endswith(".")


def test_what_an_error_means_has_one_code():
    codes = [error.code for error in ALL if "code" in vars(error)]
    assert len(codes) == len(set(codes))


def test_an_error_without_a_row_has_its_nearest_ancestors():
    class OddDoor(VisitEarly):
        pass

    assert status_of(OddDoor()) == 403
    assert status_of(BedsideError()) == 500


def test_a_strangers_error_says_nothing():
    face = face_of(RuntimeError("Rosa Alvarez"))
    assert face == {"code": "internal", "title": "Something went wrong."}
    answer = problem(ValueError("Rosa"))
    assert answer.status == 500
    assert "Rosa" not in (answer.text or "")


def test_a_detail_meant_for_us_is_not_told():
    assert "secret" not in str(face_of(server.store.StoreUnavailable("secret path")))


def test_a_problem_is_whole():
    answer = problem(PayloadInvalid(("seats.0.role",)))
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.text or "") == {
        "type": "urn:bedside:problem:payload_invalid",
        "title": PayloadInvalid.title,
        "status": 422,
        "code": "payload_invalid",
        "fields": ["seats.0.role"],
    }


def test_a_door_that_is_closed_says_what_helps():
    answer = problem(KindlyClosed(VisitEarly(), {"practice_phone": "+1", "opens_at": 5.0}))
    body = json.loads(answer.text or "")
    assert (body["status"], body["code"]) == (answer.status, "visit_early") == (403, "visit_early")
    assert (body["practice_phone"], body["opens_at"]) == ("+1", 5.0)


def test_headers_say_how_to_go_on():
    limited = problem(RateLimited(2.4))
    assert (limited.status, limited.headers["Retry-After"]) == (429, "2")
    assert problem(RateLimited(0.1)).headers["Retry-After"] == "1"
    assert problem(Unauthorized()).headers["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in problem(LinkUnknown()).headers


def test_a_status_that_was_decided_elsewhere_is_said_inside_as_outside():
    answer = problem(PayloadInvalid(), status=413)
    assert (answer.status, json.loads(answer.text or "")["status"]) == (413, 413)
