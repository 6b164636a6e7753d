"""What every test stands on: no settings from the developer's shell, repeatable random cases."""

import os
import sys

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support.redis_server import one_redis

# A slow machine is not a failing property, and a failure must be there again tomorrow.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

# Left to itself, structlog draws every variable of every frame: seconds for one fault of a server.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(autouse=True, scope="session")
def sources_are_compiled_once(tmp_path_factory):
    """Where nothing may be written beside the sources, each process would compile them anew."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


@pytest.fixture(autouse=True)
def no_settings_from_the_shell(monkeypatch):
    """A ``BEDSIDE_*`` variable of the person who runs the tests must not decide their outcome."""
    for name in [name for name in os.environ if name.startswith("BEDSIDE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_redis():
    """One Redis for all tests that do it no harm; each uses names of its own."""
    with one_redis() as server:
        yield server
