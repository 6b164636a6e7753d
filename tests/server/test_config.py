import os

import pytest
from pydantic import SecretStr, ValidationError

from server.config import (
    ConfigurationError,
    LogFormat,
    Mode,
    Settings,
    load_settings,
    unknown_variables,
)

SECRET = "correct-horse-battery-staple"


@pytest.fixture
def variables(monkeypatch):
    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"BEDSIDE_{name}", str(value))

    return put


def refusal(**overrides):
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**overrides)
    assert refused.value.__suppress_context__, "the cause repeats what was typed"
    return str(refused.value)


def test_nothing_needs_to_be_set_to_try_it():
    settings = load_settings()
    assert settings.mode is Mode.DEVELOPMENT
    assert not settings.production
    assert not settings.secure
    assert settings.host == "127.0.0.1"
    assert settings.origin == "http://localhost:8080"
    names = ("localhost", "127.0.0.1", "[::1]")
    assert settings.origins == {f"http://{name}:8080" for name in names}


def test_with_a_public_url_only_that_and_what_is_named_is_an_origin():
    settings = load_settings(public_url="https://a.example", allowed_origins="https://b.example")
    assert settings.origins == {"https://a.example", "https://b.example"}


def test_every_setting_is_described():
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has no description"
        assert field.description.endswith("."), f"{name}: a description is a sentence"


def test_variables_are_read_and_the_command_line_comes_first(variables):
    variables(PORT=9_000, LOG_FORMAT="console", DATA_DIR="somewhere")
    assert load_settings().port == 9_000
    settings = load_settings(port=9_001)
    assert (settings.port, settings.log_format) == (9_001, LogFormat.CONSOLE)
    assert settings.keys_path.parts == ("somewhere", "keys.json")
    assert settings.store_path.parts == ("somewhere", "bedside.db")


def test_an_empty_variable_counts_as_not_set(variables):
    variables(PORT="", PUBLIC_URL="", TURN_SECRET="", TRUSTED_PROXIES="")
    assert load_settings() == Settings()


def test_lists_are_written_with_commas(variables):
    variables(
        ALLOWED_ORIGINS="https://a.example, https://b.example:8443 ,",
        TRUSTED_PROXIES="10.0.0.0/8,::1",
        MEDIA_HOSTS="192.0.2.1, 2001:DB8::1",
        MEDIA_ADDRESSES="198.51.100.7",
        TURN_URLS="turn:t.example:3478,turns:t.example:5349?transport=tcp",
        TURN_SECRET=SECRET,
    )
    settings = load_settings()
    assert settings.allowed_origins == ("https://a.example", "https://b.example:8443")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.media_hosts == ("192.0.2.1", "2001:db8::1")
    assert settings.media_addresses == ("198.51.100.7",)
    assert len(settings.turn_urls) == 2
    assert "https://a.example" in settings.origins


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://Visits.Example.org", "https://visits.example.org"),
        ("https://visits.example.org/", "https://visits.example.org"),
        ("https://visits.example.org:443", "https://visits.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("https://visits.example.org:8443", "https://visits.example.org:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_what_browsers_send(written, meant):
    settings = load_settings(public_url=written)
    assert settings.origin == meant
    assert settings.secure is meant.startswith("https://")


def test_a_certificate_makes_the_address_an_https_one(tmp_path):
    settings = load_settings(tls_certificate=tmp_path / "c.pem", tls_key=tmp_path / "k.pem", port=1)
    assert settings.origin == "https://localhost:1"
    assert settings.secure


@pytest.mark.parametrize(
    "url",
    ["visits.example.org", "ftp://a.example", "https://a.example/path", "https://a.example?q=1",
     "https://a.example/#x", "https://user:word@a.example", "https://", "https://a.example:port"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(url):
    assert "BEDSIDE_PUBLIC_URL" in refusal(public_url=url)
    assert "BEDSIDE_ALLOWED_ORIGINS" in refusal(allowed_origins=url)


@pytest.mark.parametrize("url", ["", "http://visits.example.org"])
def test_production_asks_for_https(url):
    assert "https://" in refusal(mode="production", public_url=url)
    assert load_settings(mode="production", public_url="https://a.example").production


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"port": 65_536}, "BEDSIDE_PORT"),
        ({"port": "tcp://10.0.0.1:8080"}, "enableServiceLinks"),
        ({"mode": "staging"}, "BEDSIDE_MODE"),
        ({"media_hosts": "localhost"}, "BEDSIDE_MEDIA_HOSTS"),
        ({"trusted_proxies": "10.0.0.1/8"}, "BEDSIDE_TRUSTED_PROXIES"),
        ({"tls_key": "k.pem"}, "TLS_CERTIFICATE"),
        ({"turn_urls": "turn:t.example"}, "TURN_SECRET"),
        ({"turn_secret": SECRET}, "TURN_URLS"),
        ({"turn_urls": "stun:t.example", "turn_secret": SECRET}, "turn:"),
        ({"log_level": "loud"}, "BEDSIDE_LOG_LEVEL"),
        ({"colour": "blue"}, "BEDSIDE_COLOUR"),
    ],
)
def test_a_mistake_is_named(overrides, said):
    assert said in refusal(**overrides)


def test_every_mistake_is_told_at_once(variables):
    variables(PORT="many", MODE="staging")
    assert len(refusal().splitlines()) == 2


def test_a_refusal_repeats_no_value(variables):
    variables(TURN_SECRET=SECRET, METRICS_TOKEN=SECRET, PUBLIC_URL=f"https://u:{SECRET}@a.example")
    assert SECRET not in refusal()


def test_secrets_are_not_shown(variables):
    variables(METRICS_TOKEN=SECRET)
    settings = load_settings()
    assert settings.metrics_token == SecretStr(SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in settings.model_dump_json()


def test_a_secret_can_come_from_a_file(variables, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    variables(METRICS_TOKEN_FILE=file)
    settings = load_settings()
    assert settings.metrics_token is not None
    assert settings.metrics_token.get_secret_value() == SECRET


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_secrets_file_that_cannot_be_read_is_named(variables, tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    variables(METRICS_TOKEN_FILE=file)
    assert "BEDSIDE_METRICS_TOKEN_FILE" in refusal()


def test_only_secrets_are_read_from_files(variables, tmp_path):
    file = tmp_path / "name"
    file.write_text("from a file")
    variables(PRACTICE_NAME_FILE=file)
    assert load_settings().practice_name == "Practice"
    assert unknown_variables() == ["BEDSIDE_PRACTICE_NAME_FILE"]


def test_misspelt_variables_are_found(variables):
    variables(PROT=1, PORT=2, TURN_SECRET_FILE="x")
    os.environ.pop("OTHER_PORT", None)
    assert unknown_variables() == ["BEDSIDE_PROT"]


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        setattr(load_settings(), "port", 1)  # noqa: B010 - mypy knows that it does not change
