"""``python -m bench [name …]``: every benchmark in a process of its own, one after another.

A table goes to stderr as results arrive; one JSON object, benchmark name to result, to stdout.
The exit status is 1 if any benchmark failed.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

import bench

Result: TypeAlias = dict[str, Any]
RESULT_LINE = "result:"  # a benchmark may print what it likes before its result


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all of them."""
    known = [found.name for found in pkgutil.iter_modules(bench.__path__) if found.name[0] != "_"]
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        print(f"No benchmark called {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    results = {name: _measure(name) for name in arguments or known}
    report = {"machine": _machine(), **results}
    print(json.dumps(report, indent=2))
    return int(any("error" in result for result in results.values()))


def run_one(name: str) -> None:
    """Inside the benchmark's own process: run it and hand its result to the parent."""
    result = importlib.import_module(f"bench.{name}").run()
    print(RESULT_LINE, json.dumps(result), flush=True)


def _measure(name: str) -> Result:
    print(f"\n{name}", file=sys.stderr)
    code = f"from bench.__main__ import run_one; run_one({name!r})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    result = _result(done)
    for label, value in _rows(result):
        print(f"  {label:<56}{value:>16}", file=sys.stderr)
    return result


def _result(done: subprocess.CompletedProcess[str]) -> Result:
    lines = [line for line in done.stdout.splitlines() if line.startswith(RESULT_LINE)]
    if done.returncode or not lines:
        return {"error": f"ended with status {done.returncode} and no result"}
    result: Result = json.loads(lines[-1].removeprefix(RESULT_LINE))
    return result


def _rows(result: Result, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in result.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{prefix}{key}.")
        else:
            shown = f"{value:,.3g}" if isinstance(value, float) and abs(value) < 100 else value
            yield f"{prefix}{key}", f"{shown:,.0f}" if isinstance(shown, float) else str(shown)


def _machine() -> Result:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
