"""Times what is asked of a store, whichever store it is."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar, cast

from rooms.errors import BedsideError
from server.node_metrics import NodeMetrics
from server.store import Store

OPERATIONS = frozenset(
    name
    for name, method in vars(Store).items()
    if inspect.iscoroutinefunction(method) and not name.startswith("_")
) - {"open", "close"}

Kept = TypeVar("Kept", bound=Store)


def timed(store: Kept, metrics: NodeMetrics) -> Kept:
    """The same store, every operation of which is counted and timed."""
    return cast(Kept, _Timed(store, metrics))


def untimed(store: Store) -> Store:
    """The store behind ``timed``, or the store itself."""
    return store.store if isinstance(store, _Timed) else store


class _Timed:
    """Hands everything on; what belongs to the contract of stores is timed on its way."""

    def __init__(self, store: Store, metrics: NodeMetrics) -> None:
        self.store = store
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if name not in OPERATIONS:
            return found
        timing = self._timing(name, found)
        setattr(self, name, timing)  # so that the next look finds it at once
        return timing

    def _timing(
        self, operation: str, perform: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        seconds = self._metrics.store_seconds

        @wraps(perform)
        async def timing(*values: Any, **named: Any) -> Any:
            begun, outcome = time.perf_counter(), "ok"
            try:
                return await perform(*values, **named)
            except BedsideError as error:
                outcome = error.code
                raise
            except Exception:
                outcome = "failed"
                raise
            except BaseException:
                outcome = "cancelled"
                raise
            finally:
                took = time.perf_counter() - begun
                seconds.labels(operation=operation, outcome=outcome).observe(took)

        return timing
