"""The name of everything that is kept in Redis, in one place: ids and hashes, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.model import VisitId


@dataclass(frozen=True, slots=True)
class RedisKeys:
    """Names that begin with ``prefix`` (a setting), for a Redis that is shared with others."""

    prefix: str

    # -- visits ---------------------------------------------------------------------------------

    def visit(self, visit: VisitId) -> str:
        """Hash: body (``rooms.codec``), version, practice, stage, starts_at, expires, owner, epoch.

        ``expires`` is when Redis forgets it, in epoch seconds and whole steps of the policy.
        """
        return f"{self.prefix}:visit:{visit}"

    @property
    def unfinished(self) -> str:
        """Sorted set of visits that are not over, by start (epoch seconds)."""
        return f"{self.prefix}:unfinished"

    @property
    def due(self) -> str:
        """Sorted set of visits by their next deadline (epoch seconds)."""
        return f"{self.prefix}:due"

    def visits(self, practice: str) -> str:
        """Sorted set of the practice's visits, by start (epoch seconds)."""
        return f"{self.prefix}:visits:{practice}"

    def running(self, practice: str) -> str:
        """Set of the practice's visits that run now."""
        return f"{self.prefix}:running:{practice}"

    # -- nodes ----------------------------------------------------------------------------------

    def owned(self, owner: str) -> str:
        """Set of the visits of one owner."""
        return f"{self.prefix}:owned:{owner}"

    @property
    def nodes(self) -> str:
        """Hash: owner → its record, as JSON."""
        return f"{self.prefix}:nodes"

    @property
    def beats(self) -> str:
        """Sorted set: owner by when its beat last changed, by Redis's own clock (epoch seconds)."""
        return f"{self.prefix}:beats"

    def drain(self, owner: str) -> str:
        """There while staff want this node to give its visits away."""
        return f"{self.prefix}:drain:{owner}"

    # -- links, practices, keys -----------------------------------------------------------------

    def link(self, link_hash: str) -> str:
        """A link, by the hash of its code."""
        return f"{self.prefix}:link:{link_hash}"

    def links(self, visit: VisitId) -> str:
        """Hash: every link of the visit, by its hash → its seat."""
        return f"{self.prefix}:links:{visit}"

    def desk(self, desk: str) -> str:
        """The hash of this desk's link."""
        return f"{self.prefix}:desk:{desk}"

    def practice(self, practice: str) -> str:
        """A practice, by its id."""
        return f"{self.prefix}:practice:{practice}"

    @property
    def practices(self) -> str:
        """Set of the ids of all practices."""
        return f"{self.prefix}:practices"

    @property
    def practices_seen(self) -> str:
        """Set of the ids of practices that have visits or a log: what is swept."""
        return f"{self.prefix}:practices-seen"

    def api_key(self, key_hash: str) -> str:
        """A key of the practice's own systems, by its hash."""
        return f"{self.prefix}:key:{key_hash}"

    def api_key_id(self, key_id: str) -> str:
        """The hash of the key with this id."""
        return f"{self.prefix}:key-id:{key_id}"

    # -- what practices recorded for telephones ----------------------------------------------------

    @property
    def recorded(self) -> str:
        """Hash: every practice that has recordings → a word that no other change of them has."""
        return f"{self.prefix}:recorded"

    def recordings(self, practice: str) -> str:
        """Hash: ``<announcement>/<language>`` → the SHA-256 of what is kept there."""
        return f"{self.prefix}:recordings:{practice}"

    def recording(self, practice: str, name: str) -> str:
        """One of them: a WAVE file in base64."""
        return f"{self.prefix}:recording:{practice}:{name}"

    # -- the log, replies, calls ----------------------------------------------------------------

    def log(self, practice: str) -> str:
        """Stream of the practice's log; an entry's id is ``<cursor>-0``."""
        return f"{self.prefix}:log:{practice}"

    def log_head(self, practice: str) -> str:
        """Hash: cursor and mac of the last entry."""
        return f"{self.prefix}:log-head:{practice}"

    def log_turn(self, practice: str) -> str:
        """Text: the only writer that may write next, for a moment."""
        return f"{self.prefix}:log-turn:{practice}"

    def reply(self, practice: str, key_hash: str) -> str:
        """A sealed first reply, by the hash of its ``Idempotency-Key``."""
        return f"{self.prefix}:reply:{practice}:{key_hash}"

    def calls(self, node: str) -> str:
        """Hash: call → what its carrier needs to end it, as JSON; by the node's name."""
        return f"{self.prefix}:calls:{node}"

    def calls_to(self, number_hash: str) -> str:
        """How many calls went to this number since its day began; by a keyed hash of it."""
        return f"{self.prefix}:calls-to:{number_hash}"

    def calls_for(self, practice: str) -> str:
        """How many calls were placed for the practice since its day began."""
        return f"{self.prefix}:calls-for:{practice}"

    # -- the rest -------------------------------------------------------------------------------

    @property
    def changed(self) -> str:
        """Channel: something has changed; whoever shows it reads it again."""
        return f"{self.prefix}:changed"

    @property
    def probe(self) -> str:
        """Written to see whether writing works."""
        return f"{self.prefix}:probe"
