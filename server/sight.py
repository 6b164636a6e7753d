"""What happens in this node's visits, as figures: plays ``VisitMetrics`` by what is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from media.ports import LegState
from rooms.model import OVER, SeatId, Visit, VisitId
from server.measures import Measurement, Standings, What, observe, standings
from server.timers import Clock
from server.visit_metrics import VisitMetrics


class Sight:
    """Follows every visit of this node; holds a few figures of each, and nothing of anybody."""

    def __init__(self, metrics: VisitMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._here: dict[VisitId, Standings] = {}
        self._joining: dict[tuple[VisitId, SeatId], float] = {}
        self._troubled: dict[tuple[VisitId, SeatId], float] = {}
        metrics.waiting_longest.set_function(self._longest)

    def saved(self, before: Visit | None, after: Visit, now: float) -> None:
        """A visit was saved, or (with nothing before) is kept here from now on."""
        for measured in observe(before, after, now):
            self._RECORD[measured.what](self, after.id, measured, now)
        if after.stage in OVER:
            self.forget(after.id)
        else:
            self._count(after.id, standings(after))

    def media_changed(self, visit: VisitId, seat: SeatId, state: LegState) -> None:
        """A browser's media is up, or gone."""
        begun = self._joining.pop((visit, seat), None) if state is LegState.CONNECTED else None
        if begun is not None:
            self._metrics.joins.labels(outcome="browser").inc()
            self._metrics.join_seconds.observe(max(0.0, self._clock() - begun))

    def forget(self, visit: VisitId) -> None:
        """This visit is over, or is another node's; idempotent."""
        self._count(visit, None)
        for pairs in (self._joining, self._troubled):
            for key in [key for key in pairs if key[0] == visit]:
                del pairs[key]

    def _count(self, visit: VisitId, now: Standings | None) -> None:
        former = self._here.pop(visit, None)
        if now is not None:
            self._here[visit] = now
        if former == now:
            return
        for standing, sign in ((former, -1), (now, 1)):
            if standing is not None:
                self._metrics.visits.labels(stage=standing.stage.value).inc(sign)
                self._metrics.waiting.inc(sign * len(standing.waiting))
                for line in standing.lines:
                    self._metrics.lines.labels(state=line.value).inc(sign)

    def _longest(self) -> float:
        since = min((s for each in self._here.values() for s in each.waiting), default=None)
        return 0.0 if since is None else max(0.0, self._clock() - since)

    # -- one measurement each --------------------

    def _visit_over(self, _visit: VisitId, it: Measurement, _now: float) -> None:
        self._metrics.visits_over.labels(how=it.outcome).inc()

    def _at_the_door(self, _visit: VisitId, it: Measurement, _now: float) -> None:
        self._metrics.admissions.labels(outcome=it.outcome).inc()
        if it.seconds is not None:
            self._metrics.waited.observe(it.seconds)

    def _came_in(self, visit: VisitId, it: Measurement, now: float) -> None:
        if it.outcome == "browser":
            self._joining[visit, it.seat] = now

    def _went_out(self, visit: VisitId, it: Measurement, _now: float) -> None:
        if self._joining.pop((visit, it.seat), None) is not None:
            self._metrics.joins.labels(outcome="never").inc()

    def _line_left(self, _visit: VisitId, it: Measurement, _now: float) -> None:
        if it.seconds is not None:
            self._metrics.line_seconds.labels(state=it.outcome).observe(it.seconds)

    def _trouble(self, visit: VisitId, it: Measurement, now: float) -> None:
        self._troubled[visit, it.seat] = now

    def _on_phone(self, visit: VisitId, it: Measurement, now: float) -> None:
        if self._joining.pop((visit, it.seat), None) is not None:
            self._metrics.joins.labels(outcome="phone").inc()
        self._heard_again(visit, it, now, "phone")

    def _trouble_over(self, visit: VisitId, it: Measurement, now: float) -> None:
        self._metrics.fallbacks.labels(outcome=it.outcome).inc()
        if it.outcome == "mended":
            self._heard_again(visit, it, now, "browser")
        self._troubled.pop((visit, it.seat), None)

    def _heard_again(self, visit: VisitId, it: Measurement, now: float, by: str) -> None:
        begun = self._troubled.pop((visit, it.seat), None)
        if begun is not None:
            self._metrics.fallback_seconds.labels(by=by).observe(max(0.0, now - begun))

    _RECORD: ClassVar[dict[What, Callable[[Sight, VisitId, Measurement, float], None]]] = {
        What.VISIT_OVER: _visit_over,
        What.AT_THE_DOOR: _at_the_door,
        What.CAME_IN: _came_in,
        What.WENT_OUT: _went_out,
        What.LINE_LEFT: _line_left,
        What.TROUBLE: _trouble,
        What.ON_PHONE: _on_phone,
        What.TROUBLE_OVER: _trouble_over,
    }
