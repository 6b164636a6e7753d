"""The ``bedside`` command."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from media.addresses import reachable
from rooms.nodes_policy import GarbagePolicy
from rooms.policy import EdgePolicy
from server import certificate, demo, keys, staff_commands
from server.app import NODE, build
from server.audit_export import ChainBroken
from server.backups import BackupRefused
from server.config import ConfigurationError, Settings, load_settings, unknown_variables
from server.garbage import Garbage
from server.invitations import new_id
from server.links import hash_code, new_api_key, new_code
from server.live_keys import LiveKeys
from server.logs import AccessLog, configure
from server.node import Node
from server.redis_wire import RedisTrouble
from server.slow_requests import create_runner
from server.store import AlreadyExists, ApiKey, LinkKind, LinkRecord, Practice, StoreUnavailable
from server.traces import Traces

Started = Callable[[Node], Awaitable[None]]
_START = "A server that starts now uses them."
_REREAD = (
    "Running servers sign with the new one once they get SIGHUP (systemctl reload bedside), "
    "or as soon as they meet it."
)
FIRST_PRACTICE = "first-practice.txt"


def main(arguments: list[str] | None = None) -> None:
    """Run the command; exits with a plain sentence when it cannot."""
    parsed = _parser().parse_args(arguments)
    try:
        sys.exit(parsed.run(parsed))
    except RedisTrouble as error:
        sys.exit(f"bedside: {error} (Redis: {error.reason})")
    except (ConfigurationError, StoreUnavailable, ChainBroken, BackupRefused) as error:
        sys.exit(f"bedside: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # `bedside audit export … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        if parsed.run is _serve:  # a server's own trouble is told whole
            raise
        sys.exit(f"bedside: {error.filename or 'A file'} cannot be used ({error.strerror}).")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bedside", description="Self-hosted video visits.")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="run the server, configured by BEDSIDE_* variables")
    serve.set_defaults(run=_serve)
    _add_demo(commands)
    key_commands = commands.add_parser("keys", help="the server's own keys").add_subparsers(
        required=True, metavar="action"
    )
    for name, action, text, then in (
        ("init", keys.create, "make the keys; never overwrites", _START),
        ("rotate", keys.rotate, "sign with a new key; older tokens stay good", _REREAD),
    ):
        command = key_commands.add_parser(name, help=text)
        command.set_defaults(run=_keys, action=action, then=then)
    practice = commands.add_parser("practice", help="add a practice; prints its API key and desk")
    practice.add_argument("name")
    practice.add_argument("--phone", default="", help="number that people are told to call")
    practice.set_defaults(run=_practice)
    staff_commands.add(commands)
    return parser


def _add_demo(commands: Any) -> None:
    command = commands.add_parser("demo", help="a practice and a visit to try, on this machine")
    command.add_argument("--port", type=int, default=8080)
    command.add_argument("--json", action="store_true", help="print one line for scripts")
    command.add_argument(
        "--https", action="store_true", help="self-signed HTTPS, for a phone in the same network"
    )
    command.set_defaults(run=_demo)


# -- serve --------------------


def _serve(_parsed: argparse.Namespace) -> None:
    settings = load_settings()
    configure(settings.log_level, settings.log_format)
    for name in unknown_variables():
        print(f"bedside: {name} is not a setting; is it misspelt?", file=sys.stderr)
    asyncio.run(_run(settings, _first_practice(settings)))


def _first_practice(settings: Settings) -> Started:
    """The first start makes the practice of the settings, so that there is something to use.

    Its secrets go to a private file: what a service prints is kept in a journal that others read.
    """

    async def started(node: Node) -> None:
        if not await node.store.practices():
            practice = Practice(
                "main", settings.practice_name, settings.practice_phone, settings.spoken_name
            )
            with suppress(AlreadyExists):  # another node of the same first start was quicker
                told = await _introduce(node, practice, key_id="first")
                secrets = settings.data_dir / FIRST_PRACTICE
                secrets.unlink(missing_ok=True)  # of a store that is gone: they open nothing here
                keys.write_private(secrets, told)
                print(
                    f"The practice's API key and desk link are in {secrets}: "
                    "read it, then delete it."
                )
        print(f"Bedside listens on {settings.origin}", flush=True)

    return started


def take_descriptors() -> None:
    """As many open files as the system lets this process have: each waiting person is one.

    The usual 1,024 is for programs that use select(2), which asyncio does not.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems say "no limit" and do not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(settings: Settings, started: Started) -> None:
    take_descriptors()
    made = not settings.keys_path.exists()
    ring = LiveKeys(
        settings.keys_path, keys.load_or_create(settings.keys_path, settings.production)
    )
    # Before anything that may take long: a reload must not end a node that waits for its store.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, ring.reread)
    configure(settings.log_level, settings.log_format, traces=Traces(ring.sealing))
    app = build(settings, ring)
    if made:
        print(f"bedside: made new keys in {settings.keys_path}", file=sys.stderr)
    runner = create_runner(app, app[NODE].edge, AccessLog)
    garbage = Garbage(app[NODE].is_quiet, GarbagePolicy())
    try:
        await _listen(runner, settings)
        await started(app[NODE])
        garbage.start()
        await _until_stopped()
        if (nodes := app[NODE].nodes) is not None:
            await nodes.draining.drain()
    finally:
        await garbage.close()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    """Start everything, media first. Raises ``ConfigurationError`` for a port that is taken."""
    try:
        await runner.setup()
    except OSError as error:
        raise _not_listening("MEDIA_PORT", settings.media_port, error) from error
    site = web.TCPSite(runner, settings.host, settings.port, ssl_context=_tls(settings))
    try:
        await site.start()
    except OSError as error:
        raise _not_listening("PORT", settings.port, error) from error


def _not_listening(name: str, port: int, error: OSError) -> ConfigurationError:
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return ConfigurationError(
        f"Cannot listen on port {port}: {why}. Choose another one with BEDSIDE_{name}."
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    await stopped.wait()


# -- demo --------------------


def _demo(parsed: argparse.Namespace) -> None:
    configure()
    with tempfile.TemporaryDirectory(prefix="bedside-demo-") as directory:
        settings = _demo_settings(parsed, Path(directory))
        asyncio.run(_run(settings, _show_demo(settings, as_json=parsed.json)))


def _demo_settings(parsed: argparse.Namespace, directory: Path) -> Settings:
    chosen: dict[str, Any] = {
        "data_dir": directory,
        "port": parsed.port,
        "media_port": 0,
        "practice_carrier": True,
        "practice_phone": demo.PRACTICE.phone,
    }
    addresses = reachable(("0.0.0.0",))  # noqa: S104 - asks which addresses this machine has
    if parsed.https:
        host = addresses[0] if addresses else "localhost"
        hosts = ("localhost", "127.0.0.1", *addresses)
        made = certificate.make(directory, hosts, days=EdgePolicy().demo_certificate_days)
        chosen |= {"tls_certificate": made[0], "tls_key": made[1], "host": "0.0.0.0"}  # noqa: S104
        chosen["public_url"] = f"https://{host}:{parsed.port}"
    return load_settings(**chosen)


def _show_demo(settings: Settings, *, as_json: bool) -> Started:
    async def started(node: Node) -> None:
        links = await demo.prepare(node)
        if as_json:
            control = demo.control_url(node)
            ready = {"base_url": settings.origin, "links": links, "control": control}
            print(json.dumps(ready), flush=True)
            return
        print(f"\nBedside is running. Open {settings.origin}/ or one of these links:\n")
        for name, link in links.items():
            print(f"  {name:9} {link}")
        print("\nCtrl+C stops it; nothing is kept.\n", flush=True)

    return started


# -- keys and practices --------------------


def _keys(parsed: argparse.Namespace) -> None:
    path = load_settings().keys_path
    try:
        parsed.action(path)
    except FileExistsError:
        raise ConfigurationError(f"There are keys in {path} already.") from None
    print(f"The keys in {path} are ready. {parsed.then}")


def _practice(parsed: argparse.Namespace) -> None:
    async def add() -> None:
        settings = load_settings()
        ring = keys.load_or_create(settings.keys_path, settings.production)
        node = build(settings, ring)[NODE]
        await node.store.open()
        try:
            print(await _introduce(node, Practice(new_id(), parsed.name, parsed.phone)))
        finally:
            await node.store.close()

    asyncio.run(add())


async def _introduce(node: Node, practice: Practice, key_id: str = "") -> str:
    """Keep a practice; returns, this once, its API key and desk link in words.

    Raises ``AlreadyExists`` for a ``key_id`` that is taken.
    """
    api_key, code = new_api_key(), new_code()
    await node.store.put_practice(practice)
    key = ApiKey(
        hash=hash_code(api_key),
        practice=practice.id,
        id=key_id or new_id(),
        created_at=node.clock(),
    )
    await node.store.add_api_key(key)
    desk = LinkRecord(hash=hash_code(code), kind=LinkKind.DESK, practice=practice.id, desk=new_id())
    await node.store.add_links([desk], [])
    return (
        f"Practice {practice.id}: {practice.name}\n"
        f"  API key   {api_key}\n"
        f"  desk link {node.desk_url(code)}\n"
        "  Both are told this once. Keep them safe."
    )


if __name__ == "__main__":
    main()
