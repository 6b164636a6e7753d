"""TABLE of every HTTP route: method, path, who may call it, what it takes and gives, what it does.

The OpenAPI document is made from these rows; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from server import announcements, api_auth, openings, pages, probes, rest
from server import messages as m
from server import replies as r


class Auth(StrEnum):
    """Who may call a route."""

    NONE = "none"
    LINK = "link"
    PRACTICE = "practice"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Route:
    """One row. ``body`` None: the route takes none; ``bytes``: whatever comes, as it is.
    ``reply`` None: it replies without a body; ``bytes``: with a sound file.
    """

    method: str
    path: str
    auth: Auth
    body: type[m.Payload] | type[bytes] | None
    reply: type[BaseModel] | type[bytes] | None
    handler: Callable[..., Awaitable[Any]]
    meaning: str
    status: int = 200
    query: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One row: something that is not part of the API."""

    path: str
    handler: Callable[..., Awaitable[Any]]
    meaning: str


AUTHENTICATE = {
    Auth.PRACTICE: api_auth.practice_system,
    Auth.STAFF: api_auth.practice_or_desk,
}

N, L, P, S = Auth
VISIT = "/v1/visits/{visit}"
ANNOUNCEMENTS = "/v1/practice/announcements"
RECORDING = ANNOUNCEMENTS + "/{prompt}/{language}"
SEAT = VISIT + "/seats/{seat}"

ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/sessions", L, m.LinkCode, r.SessionReply, openings.open_session, "Open a link: a session for this browser"),
    Route("POST", "/v1/goodbye", L, m.Goodbye, None, openings.say_goodbye, "A page's last word while it closes: it may be back in a moment", 204),
    Route("POST", "/v1/desk/sessions", L, m.LinkCode, r.DeskReply, openings.open_desk, "Open a desk link"),
    Route("POST", "/v1/visits", P, m.NewVisit, r.CreatedVisit, rest.create_visit, "Create a visit; the links are told this once", 201),
    Route("GET", "/v1/visits", P, None, r.VisitList, rest.list_visits, "The visits that start in a window of time (else: around now), and all that run", query=("since", "until")),
    Route("GET", VISIT, P, None, r.VisitState, rest.read_visit, "Read a visit"),
    Route("POST", VISIT + "/reschedule", P, m.Times, r.VisitState, rest.reschedule_visit, "Move a visit that has not begun"),
    Route("POST", VISIT + "/cancel", P, m.Nothing, r.VisitState, rest.cancel_visit, "Call off a visit that has not begun"),
    Route("POST", VISIT + "/end", P, m.Nothing, r.VisitState, rest.end_visit, "End a visit for everyone"),
    Route("GET", VISIT + "/summary", P, None, r.VisitSummary, rest.summarise_visit, "Who was there, when, and how long by video, sound and phone"),
    Route("POST", VISIT + "/seats", P, m.NewSeat, r.SeatLink, rest.add_seat, "Add a seat; its link is told this once", 201),
    Route("DELETE", SEAT, P, None, None, rest.revoke_seat, "Withdraw a seat", 204),
    Route("POST", SEAT + "/link", P, m.Nothing, r.LinkMade, rest.renew_link, "A new link for a seat; older ones stop working, and pages that are not inside close"),
    Route("POST", SEAT + "/admit", S, m.DeviceChoice, r.VisitState, rest.command("admit"), "Let a waiting device in"),
    Route("POST", SEAT + "/deny", S, m.DeviceChoice, r.VisitState, rest.command("deny"), "Say no: to a second device alone when it is named, else to the person"),
    Route("POST", SEAT + "/remove", S, m.Nothing, r.VisitState, rest.command("remove"), "Take the person out, on every device"),
    Route("POST", SEAT + "/send-back", S, m.Nothing, r.VisitState, rest.command("send_back"), "Ask the person to wait again"),
    Route("POST", SEAT + "/let-back", S, m.Nothing, r.VisitState, rest.command("let_back"), "Lift a denial or removal"),
    Route("POST", SEAT + "/message", S, m.MessageText, r.VisitState, rest.command("message"), "Tell somebody who waits something"),
    Route("POST", SEAT + "/call", S, m.NumberChoice, r.VisitState, rest.command("call"), "Call this person now"),
    Route("POST", SEAT + "/stop-call", S, m.Nothing, r.VisitState, rest.command("stop_call"), "Stop a call, or say not to call"),
    Route("POST", SEAT + "/keep-on-phone", S, m.Nothing, r.VisitState, rest.command("keep_on_phone"), "Leave the person's sound on the telephone"),
    Route("POST", SEAT + "/numbers", S, m.NewNumber, r.VisitState, rest.record_number, "Write down a number of a seat, and the consent to call it"),
    Route("POST", "/v1/desks", P, m.Nothing, r.DeskMade, rest.make_desk, "Make a desk link", 201),
    Route("DELETE", "/v1/desks/{desk}", P, None, None, rest.revoke_desk, "Withdraw a desk link", 204),
    Route("GET", ANNOUNCEMENTS, S, None, r.Announcements, announcements.read, "How telephones are spoken to in the practice's name"),
    Route("PUT", ANNOUNCEMENTS, P, m.Announced, r.Announcements, announcements.rename, "Choose the name and the number that announcements open with"),
    Route("GET", RECORDING, S, None, bytes, announcements.hear, "Hear one announcement as a telephone does"),
    Route("PUT", RECORDING, S, bytes, None, announcements.record, "Use a recording of one's own for one announcement in one language", 204),
    Route("DELETE", RECORDING, S, None, None, announcements.forget, "Go back to what comes with the software", 204),
    Route("GET", "/v1/events", P, None, r.EventPage, rest.read_events, "The practice's log after a cursor, in order", query=("after",)),
)  # fmt: skip

PAGES: tuple[Page, ...] = (
    Page("/", pages.front_page, "leads to /join"),
    Page("/join", pages.join_page, "the page behind a link"),
    Page("/desk", pages.desk_page, "the page behind a desk link"),
    Page("/healthz", probes.healthy, "whether the process works"),
    Page("/readyz", probes.ready, "whether the process and its store work"),
    Page("/metrics", probes.metrics, "counters in the Prometheus text format"),
    Page("/v1/openapi.json", probes.openapi, "the OpenAPI document"),
)  # fmt: skip
