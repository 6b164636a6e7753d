"""What is to be kept, as ``redis_scripts.WRITE`` wants it: everything computed, nothing decided."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rooms.model import OVER, RUNNING, Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.visit import next_deadline
from server.idempotency import IdempotentReply
from server.redis_keys import RedisKeys
from server.store import LinkKind, LinkRecord

Plan = dict[str, Any]  # JSON: words and numbers that Redis keeps are text, so that none is rounded


class Plans:
    """The parts of a plan. ``clock`` gives epoch seconds; lives are relative, by Redis's clock."""

    def __init__(self, keys: RedisKeys, clock: Callable[[], float], nodes: NodesPolicy) -> None:
        self._keys = keys
        self._clock = clock
        self._nodes = nodes

    def visit(self, visit: Visit, version: int) -> Plan:
        """A visit at ``version``, with its places in every index, and the notice of its change."""
        keys, expires = self._keys, self._expires(visit)
        due = None if visit.stage in OVER else next_deadline(visit)
        return {
            "key": keys.visit(visit.id),
            "links": keys.links(visit.id),
            "link": keys.link(""),
            "unfinished": keys.unfinished,
            "dues": keys.due,
            "visits": keys.visits(visit.practice),
            "runnings": keys.running(visit.practice),
            "practices_seen": keys.practices_seen,
            "channel": keys.changed,
            "notice": notice(visit.practice, visit.id, version),
            "id": visit.id,
            "version": str(version),
            "practice": visit.practice,
            "stage": visit.stage.value,
            "starts_at": number(visit.starts_at),
            "due": number(due.deadline.at) if due else "",
            "over": visit.stage in OVER,
            "runs": visit.stage in RUNNING,
            "expires": str(expires),
            "lives": whole(expires - self._clock()),
        }

    def link(self, link: LinkRecord) -> Plan:
        """A new link."""
        plan: Plan = {
            "key": self._keys.link(link.hash),
            "hash": link.hash,
            "fields": _flat(link_fields(link)),
        }
        if link.visit:
            links = self._keys.links(link.visit)
            plan |= {"visit": self._keys.visit(link.visit), "links": links, "seat": link.seat}
        if link.kind is LinkKind.DESK:
            plan["desk"] = self._keys.desk(link.desk)
        return plan

    def links_of_seat(self, visit: VisitId, seat: str, at: float) -> Plan:
        """The end of every link of a seat."""
        links, link = self._keys.links(visit), self._keys.link("")
        return {"links": links, "link": link, "seat": seat, "at": number(at)}

    def link_of_desk(self, practice: str, desk: str, at: float) -> Plan:
        """The end of a desk's link; the desks of the practice are to look again."""
        return {
            "desk": self._keys.desk(desk),
            "link": self._keys.link(""),
            "practice": practice,
            "at": number(at),
            "lives": whole(self._nodes.log_kept),
            "channel": self._keys.changed,
            "notice": notice(practice),
        }

    def reply(self, reply: IdempotentReply) -> Plan:
        """A sealed reply; its bytes stand beside the plan."""
        now = self._clock()
        return {
            "key": self._keys.reply(reply.practice, reply.key_hash),
            "fields": _flat(
                {"request_hash": reply.request_hash, "expires_at": number(reply.expires_at)}
            ),
            "now": number(now),
            "lives": max(1, math.ceil((reply.expires_at - now) * 1000)),
        }

    def _expires(self, visit: Visit) -> int:
        """In whole steps: few saves then have to touch every link of the visit."""
        latest = max(self._clock(), visit.ends_at) + self._nodes.visit_kept
        return math.ceil(latest / self._nodes.expiry_step) * self._nodes.expiry_step


def notice(practice: str, visit: VisitId = "", version: int = 0) -> str:
    """What is published of a change: where to look again, and nothing that was changed."""
    return json.dumps({"practice": practice, "visit": visit, "version": version})


def number(value: float) -> str:
    """The float as Redis keeps it: exactly."""
    return repr(float(value))


def whole(seconds: float) -> int:
    """A life in whole seconds, never none: Redis would delete what has none."""
    return max(1, math.ceil(seconds))


def link_fields(link: LinkRecord) -> dict[str, str]:
    """A link as fields of its hash; ``revoked_at`` is empty while it is in force."""
    fields = asdict(link) | {"kind": link.kind.value}
    revoked = "" if link.revoked_at is None else number(link.revoked_at)
    return {name: str(value) for name, value in fields.items()} | {"revoked_at": revoked}


def _flat(fields: dict[str, str]) -> list[str]:
    return [word for field in fields.items() for word in field]
