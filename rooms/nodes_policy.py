"""Every duration, limit and threshold of many nodes on one store, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodesPolicy:
    """How the nodes of one installation share its visits, and what they ask of Redis."""

    beat_every: float = 0.5  # a heartbeat is one small script; four fit into what counts as dead
    stale_after: float = 2.0  # without a new beat; a pause of Python's collector is a tenth of that
    watch_gap: float = 1.5  # an observer that saw nothing for longer judges nobody: it was away itself
    media_hold: float = 150.0  # sound goes on without Redis; a failover takes 10 s, a restart with fsck 120
    peers_every: float = 1.0  # a node without Redis asks the others this often who owns its visits
    take_at_once: int = 8  # visits taken up side by side: what one waits for, others use
    due_every: float = 1.0  # how late a deadline of a visit that nobody owns may be met
    due_grace: float = 2.0  # then any node meets it, not only the one whose turn it is
    due_batch: int = 100  # deadlines met at once; at the full hour many visits open together
    idle_release: float = 60.0  # nobody connected for this long: whoever is asked next may own it
    forward_within: float = 3.0  # one order at another node; people wait for it
    replies_kept: float = 30.0  # of forwarded orders, for the one repetition; ten times their patience
    replies_most: int = 10_000  # of forwarded orders; about 40 MB, 4 KB for a visit of three
    takeover_wait: float = 6.0  # stale_after, a beat, the takeover itself, and room
    peer_connect: float = 1.5  # in one network it takes milliseconds, and a packet that is lost a second
    peer_lines: int = 32  # connections to one node: a storm of orders waits here, not in its backlog of 128
    peer_idle: float = 5.0  # of a connection to a node, which cuts its end after twice as long
    peer_token_life: float = 10.0  # a forwarded order is used at once
    peer_body: int = 2 * 1024 * 1024  # one visit with everything in it takes 100 KB
    drain_within: float = 60.0  # moving a visit takes 50 ms; then the node stops with what is left
    drain_apart: float = 0.02  # between two visits that are moved: new homes measure sound meanwhile
    farewell_grace: float = 1.0  # for media of a visit that was moved: pages take what is new first
    redis_connect: float = 1.0  # in one network a connection takes milliseconds
    redis_answer: float = 1.0  # scripts take less than a millisecond; people wait behind this
    redis_pool: int = 32  # connections of one node; each carries thousands of scripts a second
    replica_wait: float = 0.5  # for one replica to have a denial; replication lags by milliseconds
    start_retry: float = 2.0  # a node that starts while Redis is away looks again, and says so
    back_every: float = 0.5  # how often a node without Redis looks whether it is back
    visit_kept: float = 30 * 24 * 60 * 60  # a visit that is over, for summaries and questions
    log_kept: float = 90 * 24 * 60 * 60  # in Redis, for readers of the feed; files keep it for good
    log_trim: int = 1_000  # entries looked at in one sweep of one practice
    dead_listed: float = 60 * 60  # a record whose node is silent; it owns nothing, or would stay
    sweep_every: float = 60 * 60  # what has expired may stay an hour longer
    expiry_step: int = 24 * 60 * 60  # whole days: most saves need not move when a visit is forgotten
    call_kept: float = 24 * 60 * 60  # no call lasts a day; who left it behind was not missed either
    log_patience: int = 5  # late answers, then a writer asks for a turn of its own
    log_turn: float = 0.1  # seconds that a turn waits for its writer; ten times what it takes
    log_pause: float = 0.01  # seconds until somebody else's turn is looked at again: what one takes
    log_tries: int = 100  # of nodes that write to one practice at once somebody always succeeds
    read_page: int = 200  # visits in one answer, 1 MB; a millisecond of Redis, which serves one at a time
    audit_spool: int = 100_000  # lines that wait for a disk that is full; 40 MB
    audit_batch: int = 1_000  # lines written at once: one fsync for all
    audit_retry: float = 1.0  # how often a full disk is asked again
    audit_backfill: int = 1_000  # lines by others, or unanswered, that the file is given at once
    announcements_reread: float = 300.0  # a notice that was lost; meanwhile a call opens as it did before
    desk_reread: float = 10.0  # a notice that was lost costs a desk this much
    sentinels_every: float = 1.0  # a replaced master may take writes for 10 s, and all of them are lost
    notices_lost_after: float = 5.0  # a subscription that says nothing for this long is asked
    load_packets: float = 60_000.0  # packets a second that fill one node, from our own benchmark
    load_lag: float = 0.1  # seconds the loop may be late; sound is late by as much
    load_memory: float = 2e9  # bytes; 5,000 waiting people take a tenth of it
    load_visits: float = 500.0  # breaks ties while nothing is measured yet


@dataclass(frozen=True, slots=True)
class SightPolicy:
    """What a node measures of itself, and how finely. Buckets are upper bounds in seconds."""

    lag_every: float = 0.1  # ten wake-ups a second cost 0.1 % of a core and see every stall of note
    lag_window: float = 15.0  # the worst stays to be seen for one scrape, by Prometheus's usual rhythm
    waiting_buckets: tuple[float, ...] = (15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # patience of people
    join_buckets: tuple[float, ...] = (0.25, 0.5, 1, 2, 3, 5, 8, 15, 30, 60)  # one good second to given up
    line_buckets: tuple[float, ...] = (1, 2, 5, 10, 20, 40, 60, 120, 300, 900, 3600)  # rules of fallback
    lag_buckets: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1)  # audible at 0.1
    store_buckets: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2)  # to its timeouts
    trace_length: int = 12  # characters of a name in logs, 60 bits: no two of a million visits alike
    keys_apart: float = 1.0  # whoever shows unknown keys has the file read this often, not more
    backup_page: int = 500  # keys of Redis read at once; a script of a millisecond holds nobody up


@dataclass(frozen=True, slots=True)
class GarbagePolicy:
    """When one process looks at every object it has."""

    look_every: float = 5.0  # seconds; a moment without media may be short
    apart: float = 300.0  # seconds between two; cycles of a few hundred sessions are a megabyte
    growth: float = 1e9  # bytes since the last one: 20,000 people, or cycles that cannot wait any longer
