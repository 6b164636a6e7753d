"""What the architecture rules look for in a syntax tree. Each function yields (line, what)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

Finding: TypeAlias = tuple[int, str]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

POLICY_WORD = re.compile(
    r"(^|_)(timeout|interval|delay|limit|life|ttl|seconds|retries|attempts|backoff|kbps|bps"
    r"|max_age|maxsize|max_size|max_len|maxlen|heartbeat|every|per_second)(_|$)",
    re.IGNORECASE,
)
WAITS = {"sleep": 0, "wait_for": 1, "call_later": 0, "timeout": 0}  # which argument says how long
NAMEDTUPLE = {"_replace", "_asdict", "_fields", "_make"}  # public, underscored to stay clear
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


class LogCall(NamedTuple):
    """One log line: ``message`` is None unless it is a fixed string."""

    line: int
    message: str | None
    fields: tuple[str, ...]


def dotted_names(tree: ast.AST) -> Iterator[Finding]:
    """Every ``a.b.c`` as written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, ast.unparse(node)


def plain_calls(tree: ast.AST) -> Iterator[Finding]:
    """Every call of a bare name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def log_calls(tree: ast.AST) -> Iterator[LogCall]:
    """Every call of a log method on something called a log."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = ast.unparse(node.func.value).rpartition(".")[2].strip("_").lower()
        if node.func.attr not in LOG_METHODS or owner not in {"log", "logger", "logs"}:
            continue
        first = node.args[0] if node.args else None
        fixed = first.value if isinstance(first, ast.Constant) else None
        fields = tuple(word.arg or "**" for word in node.keywords)
        yield LogCall(node.lineno, fixed if isinstance(fixed, str) else None, fields)


def private_names_of_others(tree: ast.AST) -> Iterator[Finding]:
    """Private attributes and imports that the file does not define itself."""
    own = _defined(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, a.name) for a in node.names if _is_private(a.name))
        if not isinstance(node, ast.Attribute) or not _is_private(node.attr):
            continue
        on_itself = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        if not on_itself and node.attr not in own:
            yield node.lineno, f".{node.attr}"


def numbers_that_are_policy(tree: ast.AST) -> Iterator[Finding]:
    """Literal durations, limits and rates: in waits, keywords, defaults and assignments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _decided_by_call(node)
        elif isinstance(node, Function):
            yield from _decided_by_default(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _is_number(node.value):
            names = (ast.unparse(target).rpartition(".")[2] for target in _targets(node))
            yield from ((node.lineno, name) for name in names if POLICY_WORD.search(name))


def _decided_by_call(node: ast.Call) -> Iterator[Finding]:
    called = ast.unparse(node.func).rpartition(".")[2]
    place = WAITS.get(called)
    if place is not None and len(node.args) > place and _is_number(node.args[place]):
        yield node.lineno, f"{called}()"
    for word in node.keywords:
        if word.arg and POLICY_WORD.search(word.arg) and _is_number(word.value):
            yield node.lineno, f"{called}({word.arg}=…)"


def _decided_by_default(node: Function) -> Iterator[Finding]:
    plain = node.args.posonlyargs + node.args.args
    pairs = [
        *zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        if POLICY_WORD.search(argument.arg) and _is_number(default):
            yield node.lineno, f"{node.name}({argument.arg}=…)"


def _is_number(node: ast.AST | None) -> bool:
    """Whether the expression is a number other than 0 that somebody chose."""
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return False
    return isinstance(node.value, int | float) and node.value != 0


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in NAMEDTUPLE


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _defined(tree: ast.AST) -> set[str]:
    """Functions, fields, and attributes set on ``self``: what the file may call its own."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, Function):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found.update(ast.unparse(target).removeprefix("self.") for target in _targets(node))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.update({node.attr} if ast.unparse(node.value) == "self" else set())
    return found
