"""The rules of ARCHITECTURE.md, read from the source. A failure says what to do instead."""

import ast
import re
import sys

import pytest

from server.redaction import is_secret_key
from tests.support.code_reading import (
    dotted_names,
    log_calls,
    numbers_that_are_policy,
    plain_calls,
    private_names_of_others,
)
from tests.support.source_tree import (
    PACKAGES,
    ROOT,
    committed_files,
    imports,
    layout,
    modules,
    own_imports,
)

MODULES = modules()
EVERY_MODULE = pytest.mark.parametrize("module", MODULES, ids=str)
ROOMS = pytest.mark.parametrize("module", [m for m in MODULES if m.package == "rooms"], ids=str)
OUTSIDE_ROOMS = pytest.mark.parametrize(
    "module", [m for m in MODULES if m.package != "rooms"], ids=str
)

# The world: whatever tells the time, rolls dice, waits, or reaches outside the process.
WORLDLY = {
    "asyncio", "concurrent", "contextvars", "datetime", "http", "io", "logging", "multiprocessing",
    "os", "pathlib", "queue", "random", "secrets", "select", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip

# Parts that are wrapped once: who may import them, so that replacing one touches one place.
DOORS = {
    "sqlite3": ("server/sqlite_thread.py",),
    "jwt": ("server/tokens.py",),
    "pylibsrtp": ("media/transport.py", "media/phone/sip/srtp.py"),
    "redis": ("server/redis_wire.py",),
    "sipmessage": ("media/phone/sip/messages.py", "media/phone/sip/writing.py"),
}

MOST_LINES = 400
MOST_LINES_IN_A_FUNCTION = 50


@EVERY_MODULE
def test_imports_point_down(module):
    above = PACKAGES[PACKAGES.index(module.package) + 1 :]
    for found in imports(module):
        assert found.top not in above, (
            f"{module}:{found.line} imports {found.module}. Packages depend one way, "
            f"server → media → rooms. Pass the value in, or put a Protocol in {module.package}/ "
            f"that {found.top}/ fulfils."
        )


@EVERY_MODULE
def test_a_file_imports_only_what_stands_above_it(module):
    order = layout(module.package)
    if module.only_says_what_it_is:
        return
    assert module.inside in order, (
        f"{module} is missing from the table of {module.package}/ in ARCHITECTURE.md. Add its row "
        "below everything it imports."
    )
    for found, other in own_imports(module):
        if other.package != module.package:
            continue
        assert order.index(other.inside) < order.index(module.inside), (
            f"{module}:{found.line} imports {other}, which stands below it in ARCHITECTURE.md. "
            "Each package is read from top to bottom: move the row if the layering was stated "
            "wrongly, or move the shared part up."
        )


@pytest.mark.parametrize("package", PACKAGES)
def test_the_layout_names_only_files_that_exist(package):
    known = {m.inside for m in MODULES if m.package == package}
    gone = [name for name in layout(package) if name not in known]
    assert not gone, f"ARCHITECTURE.md lists {gone} in {package}/, and there is no such file."


@ROOMS
def test_rooms_know_nothing_of_the_world(module):
    for found in imports(module):
        assert found.top in {"rooms", *sys.stdlib_module_names}, (
            f"{module}:{found.line} imports {found.module}. rooms/ uses the standard library only, "
            "so that the rules of a visit can be read and tested without anything installed."
        )
        assert found.top not in WORLDLY, (
            f"{module}:{found.line} imports {found.module}. rooms/ never learns the time and does "
            "no input or output: take the value as an argument, or order an effect."
        )
    for node in ast.walk(module.tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), (
            f"{module}:{node.lineno} is asynchronous. rooms/ computes; server/keeper.py waits."
        )
    for line, called in plain_calls(module.tree):
        assert called not in {"open", "print", "input", "eval", "exec"}, (
            f"{module}:{line} calls {called}(). rooms/ is pure: return a value or an effect."
        )


@EVERY_MODULE
def test_only_config_reads_the_environment(module):
    if str(module) == "server/config.py":
        return
    for line, name in dotted_names(module.tree):
        assert name not in {"os.environ", "os.getenv", "os.environb"}, (
            f"{module}:{line} reads {name}. Every setting is a described field of Settings in "
            "server/config.py, so that the documentation of settings is complete."
        )


@OUTSIDE_ROOMS
def test_wrapped_parts_are_imported_in_one_place(module):
    for found in imports(module):
        allowed = DOORS.get(found.top, (str(module),))
        assert str(module) in allowed, (
            f"{module}:{found.line} imports {found.module}, which only {' and '.join(allowed)} may."
        )


@EVERY_MODULE
def test_private_names_stay_in_their_file(module):
    if str(module) in {"media/transport.py", "server/socket_guard.py"}:
        return  # the two doors to private names of libraries; their own tests watch for upgrades
    for line, name in private_names_of_others(module.tree):
        pytest.fail(
            f"{module}:{line} reaches for {name}, a private name of something else. Use what it "
            "promises in public. Private names of aiortc and pylibsrtp belong in "
            "media/transport.py, those of socketio and engineio in server/socket_guard.py."
        )


@EVERY_MODULE
def test_numbers_live_in_the_policy(module):
    if str(module) in {"rooms/policy.py", "rooms/nodes_policy.py"}:
        return
    lines = module.text.splitlines()
    for line, name in numbers_that_are_policy(module.tree):
        assert "RFC" in lines[line - 1], (
            f"{module}:{line} decides a number for {name}. Durations, limits and thresholds are "
            "fields of rooms/policy.py, each with its reason, so that one page shows them all. "
            "A constant of a standard names its RFC on the same line."
        )


@EVERY_MODULE
def test_files_and_functions_stay_small(module):
    lines = module.text.count("\n")
    assert lines <= MOST_LINES, (
        f"{module} has {lines} lines (at most {MOST_LINES}). Which noun inside it wants a file?"
    )
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MOST_LINES_IN_A_FUNCTION, (
                f"{module}:{node.lineno} {node.name}() has {length} lines (at most "
                f"{MOST_LINES_IN_A_FUNCTION}). Name its steps."
            )


@OUTSIDE_ROOMS
def test_log_lines_hold_no_person_and_no_secret(module):
    for line, message, fields in log_calls(module.tree):
        assert message is not None, (
            f"{module}:{line} builds its log message. The message is a fixed sentence and what "
            "varies is a keyword field, so that nothing personal is formatted into it."
        )
        told = [field for field in fields if is_secret_key(field)]
        assert not told, (
            f"{module}:{line} logs {told}. Log ids, types and outcomes: never a name, a "
            "phone number, a secret or an SDP."
        )


def test_every_module_has_a_test_of_its_own():
    missing = [
        f"{module}: write tests/{module.package}/{_mirror(module)}, or say in COVERED_ELSEWHERE "
        "which test covers it"
        for module in MODULES
        if not module.only_says_what_it_is
        and str(module) not in COVERED_ELSEWHERE
        and not ROOT.joinpath("tests", module.package, _mirror(module)).is_file()
    ]
    assert not missing, "\n".join(missing)


def test_what_is_covered_elsewhere_is_covered_there():
    known = {str(module) for module in MODULES}
    for module, test in COVERED_ELSEWHERE.items():
        assert module in known, f"{module} is gone; remove its row."
        assert ROOT.joinpath(test).exists(), f"{test} is said to cover {module}, and is not there."


# Modules without logic of their own, or whose honest test is their neighbours at work together.
COVERED_ELSEWHERE: dict[str, str] = {
    "rooms/model.py": "tests/rooms/test_visit.py",
    "rooms/events.py": "tests/rooms/test_visit.py",
    "rooms/basics.py": "tests/rooms/test_visit.py",
    "rooms/telephony.py": "tests/rooms/test_fallback_stories.py",
    "rooms/line_events.py": "tests/rooms/test_fallback.py",
    "rooms/effects.py": "tests/rooms/test_visit.py",
    "server/visit_metrics.py": "tests/server/test_sight.py",
    "server/peering.py": "tests/server/test_peer_doors.py",
    "server/home.py": "tests/server/test_ownership.py",
    "server/finding.py": "tests/server/test_many_nodes.py",
    "server/routing.py": "tests/server/test_many_nodes.py",
    "server/hosting.py": "tests/server/test_ownership.py",
    "server/succession.py": "tests/server/test_many_nodes.py",
    "server/leaving.py": "tests/server/test_cluster.py",
    "server/limits.py": "tests/server/test_openings.py",
    "server/redis_scripts_nodes.py": "tests/server/test_redis_directory.py",
    "media/ports.py": "tests/media/test_sfu.py",
    "media/addresses.py": "tests/media/test_sdp.py",
    "media/counters.py": "tests/media/test_sfu.py",
    "media/errors.py": "tests/media/test_sfu.py",
    "media/history.py": "tests/media/test_reception.py",
    "media/leg.py": "tests/media/test_sfu.py",
    "media/peer.py": "tests/media/test_sfu.py",
    "media/phone/carrier.py": "tests/media/phone/test_practice.py",
    "media/phone/errors.py": "tests/media/phone/test_prompts.py",
    "media/publisher.py": "tests/media/test_forwarding.py",
    "media/phone/sip/agent.py": "tests/media/phone/sip/test_invitation.py",
    "media/phone/sip/calls.py": "tests/media/phone/sip/test_trunk.py",
    "media/phone/sip/config.py": "tests/media/phone/sip/test_trunk.py",
    "media/phone/sip/counters.py": "tests/media/phone/sip/test_exchange.py",
    "media/sockets.py": "tests/media/test_ice.py",
    "media/stage.py": "tests/media/test_sfu.py",
    "media/subscriber.py": "tests/media/test_sfu.py",
    "media/tasks.py": "tests/media/test_sfu.py",
    "media/tcp.py": "tests/media/test_ice.py",
    "server/demo_doors.py": "tests/server/test_demo_socket.py",
    "server/demo_state.py": "tests/server/test_demo_control.py",
    "server/redis_calls.py": "tests/server/test_redis_store.py",
    "server/redis_plans.py": "tests/server/test_redis_store.py",
    "server/redis_records.py": "tests/contracts/test_redis_store.py",
    "server/redis_scripts.py": "tests/server/test_redis_store.py",
    "server/protocol_docs.py": "Makefile",  # `make check` runs it
}

CITED = re.compile(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "SECURITY.md", "README.md"])
def test_documents_name_tests_that_exist(page):
    for path, function in CITED.findall(ROOT.joinpath(page).read_text()):
        cited = ROOT / path
        assert cited.is_file(), f"{page} cites {path}, which is not there."
        assert not function or f"def {function}(" in cited.read_text(), (
            f"{page} cites {path}::{function}, which is not there. Did the test get a better name?"
        )


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_documents_link_to_what_exists(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert ROOT.joinpath(target).exists(), f"{page.name} links to {target}, which is not there."


UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.])/(work|home|root|Users)/\w|registry\.npmjs|pypi\.org|pythonhosted")


def test_nothing_is_left_unfinished():
    for path, line, text in _lines_of_committed_text():
        assert not UNFINISHED.search(text), (
            f"{path}:{line} leaves a note for later. Finish it, or take it out and say in "
            "ARCHITECTURE.md what the software does not do."
        )


def test_nothing_names_a_machine_or_a_registry():
    for path, line, text in _lines_of_committed_text():
        if path.as_posix() == "tests/test_architecture.py":
            continue
        assert not MACHINE.search(text), (
            f"{path}:{line} holds a path or an address of one machine: {text.strip()[:60]!r}. "
            "Locks carry versions and hashes; everything else is found relative to the repository."
        )


BAD = {
    numbers_that_are_policy: [
        "await asyncio.sleep(0.5)",
        "await asyncio.wait_for(reply, 5)",
        "loop.call_later(60 * 60, close)",
        "session.get(url, timeout=30)",
        "def fetch(*, retries=3): ...",
        "RETRY_INTERVAL: float = 2.5",
        "self.limit = 100",
    ],
    private_names_of_others: [
        "transport._ssl.close()",
        "self.peer._state = 1",
        "from aiortc.rtcdtlstransport import _Session",
    ],
    log_calls: ["log.info(f'{seat} came in')", "self._log.warning('lost ' + seat)"],
}
GOOD = {
    numbers_that_are_policy: [
        "await asyncio.sleep(0)",
        "await asyncio.wait_for(reply, policy.reply_within)",
        "def fetch(*, retries=policy.retries): ...",
        "SEQUENCE_MODULUS = 1 << 16  # RFC 3550",
    ],
    private_names_of_others: [
        "class A:\n    def __init__(self, other): self._x = other._x",
        "self._close()",
        "point._replace(x=1)",
    ],
}


@pytest.mark.parametrize(("rule", "code"), [(r, c) for r, cases in BAD.items() for c in cases])
def test_the_rules_notice(rule, code):
    found = list(rule(ast.parse(code)))
    assert found
    assert rule is not log_calls or found[0].message is None


@pytest.mark.parametrize(("rule", "code"), [(r, c) for r, cases in GOOD.items() for c in cases])
def test_the_rules_let_honest_code_be(rule, code):
    assert not list(rule(ast.parse(code)))


def _mirror(module):
    inside = module.path.relative_to(module.package)
    return inside.with_name(f"test_{inside.stem.strip('_')}.py").as_posix()


def _lines_of_committed_text():
    for path in committed_files():
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        yield from ((path, number, line) for number, line in enumerate(text.splitlines(), 1))
