"""How settings are written, and the sentence for whoever writes them otherwise."""

import pytest

from server.config import ConfigurationError, load_settings

CALLER = {"sip_caller": "+12025550142"}


def refusal(**settings):
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**settings)
    return str(refused.value)


@pytest.mark.parametrize(
    ("typed", "servers"),
    [
        ("a.example", ("a.example",)),
        (" a.example , b.example:5061 ", ("a.example", "b.example:5061")),
        ("192.0.2.1:5060", ("192.0.2.1:5060",)),
        ("[2001:db8::1]:5061", ("[2001:db8::1]:5061",)),
        ("A.Example", ("a.example",)),
    ],
)
def test_servers(typed, servers):
    assert load_settings(sip_servers=typed, **CALLER).sip_servers == servers


@pytest.mark.parametrize(
    "typed",
    ["sip:a.example", "a.example:x", "a.example:99999", "u@a.example", "a.example/x", ":5060"],
)
def test_servers_that_are_none(typed):
    said = refusal(sip_servers=typed, **CALLER)
    assert said.startswith("BEDSIDE_SIP_SERVERS: ")
    assert typed not in said


@pytest.mark.parametrize(
    ("typed", "ports"), [("20000-20999", (20_000, 20_999)), (" 1024 - 65535 ", (1024, 65_535))]
)
def test_ranges_of_ports(typed, ports):
    assert load_settings(sip_rtp_ports=typed).sip_rtp_ports == ports


@pytest.mark.parametrize("typed", ["20000", "20999-20000", "1-2", "x-y", "20000-70000", "-", "٢-٣"])
def test_ranges_that_are_none(typed):
    assert refusal(sip_rtp_ports=typed).startswith("BEDSIDE_SIP_RTP_PORTS: ")


@pytest.mark.parametrize("typed", ["us", "USA", "XX", "United States", "U"])
def test_countries_that_are_none(typed):
    assert refusal(phone_countries=f"US,{typed}").startswith("BEDSIDE_PHONE_COUNTRIES: ")
    assert refusal(phone_region=typed).startswith("BEDSIDE_PHONE_REGION: ")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"sip_servers": "a.example"}, "SIP_CALLER"),
        ({"sip_user": "clinic"}, "SIP_PASSWORD"),
        ({"sip_password": "secret"}, "SIP_USER"),
        ({"sip_servers": "a.example", **CALLER, "practice_carrier": True}, "PRACTICE_CARRIER"),
        ({"sip_caller": "202 555 0142"}, "SIP_CALLER"),
        ({"sip_transport": "sctp"}, "SIP_TRANSPORT"),
    ],
)
def test_settings_of_a_trunk_hang_together(settings, named):
    said = refusal(**settings)
    assert named in said
    assert "secret" not in said
    assert "5550142" not in said
