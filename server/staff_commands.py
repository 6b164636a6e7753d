"""**Table** of the commands for staff: what runs, who is there, keys, the log, and copies.

Each works beside running servers, says what is wrong in one sentence on standard error, and ends
with 0 when all is well and 1 when it is not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from rooms.nodes_policy import NodesPolicy
from server import audit_export, backups, keys, staff_keys
from server.audit_disk import line
from server.audit_export import Fork, Gap
from server.config import ConfigurationError, load_settings
from server.staff_store import Installation, opened
from server.staff_views import Row, api_keys, as_json, as_table, is_alive, nodes, visits
from server.store import LogEntry
from server.traces import Traces

Parsed: TypeAlias = argparse.Namespace
Argument: TypeAlias = tuple[str, dict[str, Any]]

_FLAG = {"action": "store_true"}


def _visits(parsed: Parsed) -> int:
    if parsed.trace:
        print(Traces(keys.load(load_settings().keys_path).sealing).name(parsed.trace))
        return 0
    return _show(parsed, lambda found: visits(found, parsed.practice, names=parsed.names))


def _nodes(parsed: Parsed) -> int:
    return _show(parsed, nodes)


def _drain(parsed: Parsed) -> int:
    name = parsed.node or load_settings().node_name
    return _inside(lambda found: _drained(found, name, wait=parsed.wait))


def _api_keys(parsed: Parsed) -> int:
    return _show(parsed, lambda found: api_keys(found, parsed.practice))


def _make_api_key(parsed: Parsed) -> int:
    async def make(found: Installation) -> int:
        key_id, secret = await staff_keys.make(found, parsed.practice)
        print(f"API key {key_id}: {secret}\nIt is told this once. Keep it safe.")
        return 0

    return _inside(make)


def _withdraw_api_key(parsed: Parsed) -> int:
    async def withdraw(found: Installation) -> int:
        await staff_keys.withdraw(found, parsed.practice, parsed.key)
        print(f"API key {parsed.key} opens nothing any more.")
        return 0

    return _inside(withdraw)


def _audit_export(parsed: Parsed) -> int:
    return _inside(lambda found: _exported(found, parsed))


def _audit_verify(parsed: Parsed) -> int:
    key = keys.load(load_settings().keys_path).audit
    entries = [entry for path in parsed.file for entry in _entries(path)]
    entries.sort(key=attrgetter("practice", "cursor"))
    found = list(audit_export.verify(entries, key))
    for each in found:
        print(f"bedside: of {_told(each)}", file=sys.stderr)
    print(f"{len(entries)} entries, as they were written.")
    return 1 if found and not parsed.partial else 0


def _told(found: Gap | Fork) -> str:
    whose = f"practice {found.practice}" if found.practice else "the server itself"
    if isinstance(found, Gap):
        return f"{whose}, entries {found.first} to {found.last} are missing"
    return f"{whose}, there are two entries {found.cursor}: Redis lost the end of its log there"


def _backup(parsed: Parsed) -> int:
    async def make(found: Installation) -> int:
        manifest = await backups.backup(found, parsed.directory)
        print(f"Backed up {len(manifest.files)} files to {parsed.directory}; the log is whole.")
        return 0

    return _inside(make)


def _restore(parsed: Parsed) -> int:
    manifest = asyncio.run(backups.restore(load_settings(), parsed.directory))
    print(f"Restored {len(manifest.files)} files; the log is whole. Start the servers now.")
    return 0


# -- the table --------------------


@dataclass(frozen=True, slots=True)
class Command:
    """One row: its words, what it does, what it is given."""

    words: tuple[str, ...]
    help: str
    run: Callable[[Parsed], int]
    arguments: tuple[Argument, ...] = ()


_JSON: Argument = ("--json", {**_FLAG, "help": "one JSON document, for machines"})
_PRACTICE: Argument = ("practice", {"help": "its id"})
_DIRECTORY: Argument = ("directory", {"type": Path})

COMMANDS = (
    Command(
        ("visits",),
        "what runs and who waits; nobody's name unless asked",
        _visits,
        (
            ("--practice", {"default": "", "help": "of this practice alone"}),
            ("--names", {**_FLAG, "help": "with the names of the people"}),
            ("--trace", {"default": "", "metavar": "ID", "help": "what log lines call this id"}),
            _JSON,
        ),
    ),
    Command(("nodes",), "who is there, and how busy", _nodes, (_JSON,)),
    Command(
        ("drain",),
        "have a node give its visits to the others",
        _drain,
        (
            ("node", {"nargs": "?", "default": "", "help": "its name; without, this machine's"}),
            ("--wait", {**_FLAG, "help": "return when it has none any more"}),
        ),
    ),
    Command(
        ("api-keys", "list"), "a practice's API keys, by their ids", _api_keys, (_PRACTICE, _JSON)
    ),
    Command(
        ("api-keys", "make"),
        "one more API key for a practice; the others stay good",
        _make_api_key,
        (_PRACTICE,),
    ),
    Command(
        ("api-keys", "withdraw"),
        "an API key opens nothing any more, at once",
        _withdraw_api_key,
        (_PRACTICE, ("key", {"help": "its id, as listed"})),
    ),
    Command(
        ("audit", "export"),
        "a practice's log as JSON Lines, checked entry by entry",
        _audit_export,
        (
            ("--practice", {"required": True, "help": "'' is the server's own log"}),
            ("--after", {"type": int, "default": 0, "help": "begin after this cursor"}),
            ("--out", {"type": Path, "help": "a new file; without, standard output"}),
        ),
    ),
    Command(
        ("audit", "verify"),
        "check exported files, or those in a node's audit directory",
        _audit_verify,
        (
            ("file", {"type": Path, "nargs": "+"}),
            (
                "--partial",
                {**_FLAG, "help": "a node's own files: entries may be missing, or lost by Redis"},
            ),
        ),
    ),
    Command(("backup",), "copy everything to a directory, under way", _backup, (_DIRECTORY,)),
    Command(("restore",), "put a backup where nothing is yet", _restore, (_DIRECTORY,)),
)


_GROUPS = {"audit": "the log of what was decided", "api-keys": "keys of practices' own systems"}


def add(commands: Any) -> None:
    """Give these commands to the parser of ``bedside``."""
    groups: dict[str, Any] = {}
    for each in COMMANDS:
        *group, word = each.words
        into = commands
        for name in group:
            if name not in groups:
                parser = commands.add_parser(name, help=_GROUPS[name])
                groups[name] = parser.add_subparsers(required=True, metavar="action")
            into = groups[name]
        parser = into.add_parser(word, help=each.help, description=each.help)
        for name, options in each.arguments:
            parser.add_argument(name, **options)
        parser.set_defaults(run=each.run)


# -- what they have in common --------------------


def _inside(work: Callable[[Installation], Awaitable[int]]) -> int:
    async def run() -> int:
        async with opened(load_settings()) as found:
            return await work(found)

    return asyncio.run(run())


def _show(parsed: Parsed, find: Callable[[Installation], Awaitable[list[Row]]]) -> int:
    async def show(found: Installation) -> int:
        rows = await find(found)
        print(as_json(rows) if parsed.json else as_table(rows))
        return 0

    return _inside(show)


async def _drained(found: Installation, name: str, *, wait: bool) -> int:
    roll = await found.nodes.roll()
    alive = [record for record, silent in roll.items() if record.name == name and is_alive(silent)]
    if not alive:
        raise ConfigurationError(f"There is no node {name} that lives. See: bedside nodes")
    owner = max(alive, key=lambda record: record.started_at).owner
    await found.nodes.ask_to_drain(owner)
    print(f"{name} was asked to give its visits away.")
    if wait:
        while not await _is_empty(found, owner):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(NodesPolicy().beat_every)
        print(f"{name} has none any more.")
    return 0


async def _is_empty(found: Installation, owner: str) -> bool:
    records = [record for record in await found.nodes.roll() if record.owner == owner]
    return all(record.draining for record in records) and not await found.nodes.owned_by(owner)


async def _exported(found: Installation, parsed: Parsed) -> int:
    many = found.directory is not None
    known = {"", *(each.id for each in await found.store.practices())}
    if parsed.practice not in known:
        raise ConfigurationError(f"There is no practice {parsed.practice}.")
    count = 0
    with ExitStack() as closing:
        out = closing.enter_context(_private(parsed.out)) if parsed.out else sys.stdout
        entries = audit_export.read(
            found.store, parsed.practice, parsed.after, found.ring.audit, expires=many
        )
        async for entry in entries:
            if not count and entry.cursor > parsed.after + 1:
                told = f"bedside: entries before {entry.cursor} have expired in Redis"
                print(told, file=sys.stderr)
            out.write(line(entry))
            count += 1
    print(f"bedside: {count} entries, as they were written", file=sys.stderr)
    return 0


def _private(path: Path) -> TextIO:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be made ({error.strerror}).") from None


def _entries(path: Path) -> Iterator[LogEntry]:
    """The entries of one file. Raises ``ConfigurationError``."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from None
    for number, text in enumerate(lines, 1):
        try:
            yield audit_export.parse(text)
        except ValueError:
            raise ConfigurationError(f"{path}, line {number}: this is no entry of a log.") from None
