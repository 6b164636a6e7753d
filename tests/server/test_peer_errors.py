"""Refusals that travel: what one node says no with is what the other raises."""

import pytest

import rooms.errors
import server.peering
import server.store
from rooms.errors import BedsideError, RoomError, VisitEarly
from server.errors import NotFound, PayloadInvalid, RateLimited, face_of, problem
from server.peer_errors import refusal
from server.peering import NodeSilent, NodeUnreachable
from server.store import StoreError

TRAVELLING = sorted(
    {
        kind
        for place in (rooms.errors, server.store, server.peering)
        for kind in vars(place).values()
        if isinstance(kind, type)
        and issubclass(kind, RoomError | StoreError | NodeUnreachable)
        and "code" in vars(kind)
    },
    key=lambda kind: kind.code,
)


def there_and_back(error):
    return refusal((problem(error).text or "").encode())


@pytest.mark.parametrize("kind", TRAVELLING, ids=lambda kind: kind.code)
def test_every_refusal_of_a_visit_and_of_the_store_comes_back_as_itself(kind):
    again = there_and_back(kind())
    assert type(again) is kind
    assert face_of(again) == face_of(kind())


def test_what_an_error_has_beside_its_code_comes_with_it():
    assert there_and_back(PayloadInvalid(("seats.0", "host"))).fields == ("seats.0", "host")
    assert there_and_back(RateLimited(2.5)).retry_after == 2.5


def test_a_kind_of_error_without_a_code_of_its_own_is_its_parent():
    class OddDoor(VisitEarly):
        pass

    assert type(there_and_back(OddDoor())) is VisitEarly


def test_a_failure_that_nobody_expected_may_have_decided_something():
    assert type(there_and_back(RuntimeError())) is NodeSilent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"code": 7}',
        b'{"code": ["seat_denied"]}',
        b'{"code": "of_a_newer_version"}',
        (problem(NotFound()).text or "").encode(),
    ],
)
def test_anything_else_was_no_answer_to_an_order(body):
    assert type(refusal(body)) is NodeUnreachable


@pytest.mark.parametrize(
    "body",
    [
        b'{"code": "payload_invalid", "fields": 7}',
        b'{"code": "payload_invalid"}',
        b'{"code": "rate_limited", "retry_after": "soon"}',
        b'{"code": "rate_limited"}',
    ],
)
def test_fields_that_are_not_as_they_should_be_fail_as_an_answer(body):
    assert isinstance(refusal(body), BedsideError)
