"""Every setting of the server, read once from ``BEDSIDE_*`` variables. Nobody else reads them.

A secret may come from a file instead: ``BEDSIDE_TURN_SECRET_FILE=/run/secrets/turn`` is read as
``BEDSIDE_TURN_SECRET`` would be. ``load_settings`` turns every mistake into one clear sentence.
"""

from __future__ import annotations

import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from media.phone.sip.config import SipTransport
from rooms.errors import BedsideError
from server.setting_rules import RULES
from server.setting_types import (
    Addresses,
    Countries,
    Country,
    Networks,
    NodeName,
    Origins,
    Port,
    Ports,
    RedisUrl,
    Servers,
    Words,
    node_name,
    origin,
)

PREFIX = "BEDSIDE_"


class ConfigurationError(BedsideError):
    """The server cannot start like this; the message says what is wrong and how to put it right."""

    code = "configuration_invalid"
    title = "The server's configuration is not usable."


class Mode(StrEnum):
    """Development forgives what production must refuse."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How log lines look."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least serious line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _SecretFiles(PydanticBaseSettingsSource):
    """``BEDSIDE_<SECRET>_FILE``: the secret is the file's text, so that it stays out of `env`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE", "")
        if not path or not is_secret(field):
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            name = f"{PREFIX}{field_name.upper()}_FILE"
            raise ConfigurationError(
                f"{name}: the file cannot be read ({type(error).__name__})."
            ) from None

    def __call__(self) -> dict[str, Any]:
        found = (
            (name, self.get_field_value(field, name)[0])
            for name, field in self.settings_cls.model_fields.items()
        )
        return {name: value for name, value in found if value is not None}


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting may come from a file of its own."""
    return "SecretStr" in str(field.annotation)


class Settings(BaseSettings):
    """The server's settings; immutable. Empty variables count as not set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    mode: Mode = Field(
        Mode.DEVELOPMENT,
        description="development or production. Production refuses to start without good keys "
        "and an https public URL.",
    )
    data_dir: Path = Field(
        Path("bedside-data"), description="Directory that holds everything the server keeps."
    )
    host: str = Field("127.0.0.1", description="Address that HTTP listens on; 0.0.0.0 for all.")
    port: Port = Field(8080, description="TCP port of HTTP.")
    public_url: Annotated[str, BeforeValidator(lambda value: value and origin(value))] = Field(
        "",
        description="Where browsers reach this server, such as https://visits.example.org. "
        "Empty: localhost and the port.",
    )
    allowed_origins: Origins = Field(
        (), description="Further origins whose pages may use this server, separated by commas."
    )
    trusted_proxies: Networks = Field(
        (),
        description="Addresses or networks of reverse proxies whose forwarding headers are "
        "believed, separated by commas.",
    )
    people_per_address: Annotated[int, Field(ge=0, le=100_000)] = Field(
        0,
        description="How many people may share one address, such as everybody in a clinic behind "
        "one router. 0: as many as an ordinary household or ward.",
    )
    media_hosts: Addresses = Field(
        ("0.0.0.0", "::"),  # noqa: S104 - media is meant for the world; every packet is authenticated
        description="Addresses that the media port is bound to, separated by commas.",
    )
    media_port: Port = Field(
        8081, description="Port of all media, UDP and (if allowed) TCP; 0 takes any free port."
    )
    media_addresses: Addresses = Field(
        (),
        description="Addresses that browsers are told to send media to, separated by commas. "
        "Empty: the addresses of this machine.",
    )
    media_tcp: bool = Field(
        True, description="Also accept media over TCP, for networks that block UDP."
    )
    turn_urls: Words = Field(
        (),
        description="TURN servers, separated by commas, such as "
        "turn:turn.example.org:3478,turns:turn.example.org:5349?transport=tcp.",
    )
    turn_secret: SecretStr | None = Field(
        None, description="The secret shared with the TURN server (coturn: static-auth-secret)."
    )
    redis_url: RedisUrl = Field(
        "",
        description="Where many nodes keep their visits together: redis://host:6379/0, rediss:// "
        "for TLS, or redis+sentinel://host:26379,host:26379/name (rediss+sentinel:// for TLS). "
        "Empty: one node, with an embedded store.",
    )
    redis_user: str = Field("", description="ACL user at Redis, if it asks for one.")
    redis_password: SecretStr | None = Field(None, description="Password of that user.")
    redis_sentinel_password: SecretStr | None = Field(
        None, description="Password of the sentinels, if they ask for one."
    )
    redis_ca_file: Path | None = Field(
        None, description="Certificates (PEM) that Redis's may be signed by. Empty: the system's."
    )
    redis_prefix: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = Field(
        "bedside", description="What the names of all keys begin with, for a Redis that is shared."
    )
    node: NodeName = Field(
        "",
        description="Name of this node in the paths /n/<name>/ that browsers are led to; the same "
        "after each start. Empty: the host's name. Only with REDIS_URL.",
    )
    node_url: Annotated[str, BeforeValidator(lambda value: value and origin(value))] = Field(
        "",
        description="Where the other nodes reach this one, such as http://10.0.0.5:8080. "
        "Empty: http, this host's name and the port. Only with REDIS_URL.",
    )
    keys_file: Path | None = Field(
        None,
        description="The key ring, if it is not keys.json in the data directory. Every node of an "
        "installation needs the same one.",
    )
    practice_name: str = Field(
        "Practice", description="Name of the practice that the first start creates."
    )
    practice_phone: str = Field(
        "", description="Telephone number that people are given when a link does not work."
    )
    phone_region: Country = Field(
        "US", description="Country (ISO 3166) whose way of writing telephone numbers is meant."
    )
    phone_countries: Countries = Field(
        ("US", "CA", "PR"),
        description="Countries (ISO 3166) that may be called, separated by commas.",
    )
    spoken_name: str = Field(
        "",
        description="How announcements on the telephone name the practice that the first start "
        "creates. Whoever answers hears it: choose a name that tells nothing of health.",
    )
    practice_carrier: bool = Field(
        False,
        description="For rehearsals: calls ring telephones in browser pages, and no others. "
        "Never in production.",
    )
    sip_servers: Servers = Field(
        (),
        description="Servers of the SIP trunk that calls telephones, as host or host:port, "
        "separated by commas; the next is tried when one does not answer. Empty: nobody is called.",
    )
    sip_transport: SipTransport = Field(
        "tls", description="udp, tcp or tls. Only tls keeps from others who is called."
    )
    sip_user: str = Field("", description="User of the SIP account, if the trunk asks for one.")
    sip_password: SecretStr | None = Field(None, description="Password of that user.")
    sip_domain: str = Field(
        "", description="Domain of the numbers' addresses. Empty: the server's name."
    )
    sip_caller: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$")] = Field(
        "",
        description="The number that telephones show, in E.164, such as +12025550100. "
        "Somebody must answer there.",
    )
    sip_host: str = Field(
        "0.0.0.0",  # noqa: S104 - trunks call from addresses that no setting knows
        description="Address that SIP and the sound of calls are bound to.",
    )
    sip_port: Port = Field(
        5060,
        description="Local port of SIP over UDP; the second server has the next one, and so on. "
        "0 takes any, but then a restart cannot stop telephones that ring.",
    )
    sip_advertised_host: str = Field(
        "", description="Address that the trunk is told for SIP, behind a router. Empty: our own."
    )
    sip_media_host: str = Field(
        "", description="Address that the trunk is told for sound, behind a router. Empty: our own."
    )
    sip_rtp_ports: Ports = Field(
        (20_000, 20_999), description="UDP ports for the sound of calls, two for each call."
    )
    sip_ca_file: Path | None = Field(
        None,
        description="Certificates (PEM) that the trunk's may be signed by. Empty: the system's.",
    )
    sip_srtp: bool = Field(
        True, description="Encrypt the sound of calls up to the trunk; its keys travel by SIP."
    )
    sip_behind_nat: bool = Field(
        False,
        description="Take sound from wherever it first comes from, for trunks behind routers. "
        "Otherwise only from the address that the trunk names.",
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate chain (PEM), if this server speaks HTTPS itself."
    )
    tls_key: Path | None = Field(None, description="Private key (PEM) of that certificate.")
    log_level: LogLevel = Field(
        LogLevel.INFO, description="debug, info, warning or error: the least that is written."
    )
    log_format: LogFormat = Field(
        LogFormat.JSON, description="json for machines, console for people."
    )
    metrics_token: SecretStr | None = Field(
        None, description="If set, /metrics asks for this as a bearer token."
    )

    @model_validator(mode="after")
    def _hangs_together(self) -> Settings:
        for is_broken, words in RULES:
            if is_broken(self):
                raise ValueError(words)
        return self

    @property
    def production(self) -> bool:
        """Whether weak configuration must be refused."""
        return self.mode is Mode.PRODUCTION

    @property
    def calls_people(self) -> bool:
        """Whether there is anybody at all who places calls."""
        return self.practice_carrier or bool(self.sip_servers)

    @property
    def origin(self) -> str:
        """Where browsers reach this server: scheme, host and port, no slash at the end."""
        scheme = "https" if self.tls_certificate else "http"
        return self.public_url or f"{scheme}://localhost:{self.port}"

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose pages may use this server."""
        return frozenset({self.origin, *self._loopback_origins(), *self.allowed_origins})

    def _loopback_origins(self) -> tuple[str, ...]:
        """Without a public URL people open the server on this machine, by any of its names."""
        if self.public_url:
            return ()
        scheme = "https" if self.tls_certificate else "http"
        names = ("localhost", "127.0.0.1", "[::1]")
        return tuple(f"{scheme}://{name}:{self.port}" for name in names)

    @property
    def secure(self) -> bool:
        """Whether browsers reach this server by HTTPS, so that cookies can be ``Secure``."""
        return self.origin.startswith("https://")

    @property
    def keys_path(self) -> Path:
        """Where the key ring is kept."""
        return self.keys_file or self.data_dir / "keys.json"

    @property
    def many_nodes(self) -> bool:
        """Whether this is one node of several."""
        return bool(self.redis_url)

    @property
    def node_name(self) -> str:
        """This node's name in paths."""
        return self.node or node_name(socket.gethostname())

    @property
    def peer_url(self) -> str:
        """Where the other nodes reach this one."""
        scheme = "https" if self.tls_certificate else "http"
        return self.node_url or f"{scheme}://{socket.gethostname()}:{self.port}"

    @property
    def audit_dir(self) -> Path:
        """Where this node keeps its own copy of what it wrote to the log."""
        return self.data_dir / "audit"

    @property
    def store_path(self) -> Path:
        """Where the embedded store is kept."""
        return self.data_dir / "bedside.db"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _SecretFiles(settings_cls), env_settings


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; ``overrides`` (from the command line) come first.

    Raises ``ConfigurationError`` with one line per mistake. Values are never repeated: some are
    secrets.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_sentence(dict(problem)) for problem in error.errors(include_input=False)]
        raise ConfigurationError("\n".join(lines)) from None


def _sentence(problem: dict[str, Any]) -> str:
    words = str(problem["msg"]).removeprefix("Value error, ")
    where = [str(part) for part in problem["loc"][:1]]
    hint = ""
    if where == ["port"]:
        hint = " (in Kubernetes, a Service named bedside sets it: use enableServiceLinks: false)"
    return f"{PREFIX}{where[0].upper()}: {words}{hint}." if where else f"{PREFIX}{words}."


def unknown_variables() -> list[str]:
    """``BEDSIDE_*`` variables that mean nothing: most likely misspelt, so worth a warning."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {
        f"{PREFIX}{name.upper()}_FILE"
        for name, field in Settings.model_fields.items()
        if is_secret(field)
    }
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
