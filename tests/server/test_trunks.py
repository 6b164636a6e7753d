"""SIP trunks from settings."""

import pytest
from structlog.testing import capture_logs

from media.phone.routing import Route
from media.phone.sip.config import TrunkConfig
from server.config import load_settings
from server.trunks import prefixes, trunk_configs

TRUNK = {"sip_servers": "a.example,b.example:5070", "sip_caller": "+12025550142"}


def test_without_servers_nobody_is_called():
    settings = load_settings()
    assert trunk_configs(settings) == []
    assert not settings.calls_people


def test_each_server_is_a_trunk_of_the_same_account():
    settings = load_settings(
        **TRUNK, sip_transport="udp", sip_user="clinic", sip_password="correct-horse",
        sip_domain="example.org", sip_host="192.0.2.1", sip_port=6000, sip_rtp_ports="30000-30099",
        sip_advertised_host="198.51.100.1", sip_media_host="198.51.100.2", sip_srtp=False,
        sip_behind_nat=True, sip_ca_file="ca.pem",
    )  # fmt: skip
    first, second = trunk_configs(settings)
    assert settings.calls_people
    assert first == TrunkConfig(
        name="a.example", server="a.example", port=0, transport="udp", user="clinic",
        password="correct-horse", domain="example.org", caller="+12025550142",
        local_host="192.0.2.1", local_port=6000, advertised_host="198.51.100.1",
        media_host="198.51.100.2",
        rtp_ports=(30_000, 30_099), ca_file="ca.pem", srtp=False, behind_nat=True,
    )  # fmt: skip
    assert (second.name, second.server, second.port) == ("b.example:5070", "b.example", 5070)
    assert second.local_port == 6001, "two sockets"
    assert "correct-horse" not in f"{first!r} {settings!r}"


def test_nothing_is_readable_on_the_way_unless_somebody_says_so():
    (config, _) = trunk_configs(load_settings(**TRUNK))
    assert (config.transport, config.srtp) == ("tls", True)
    with capture_logs() as logged:
        trunk_configs(load_settings(**TRUNK))
    assert logged == []
    for weaker in ({"sip_transport": "tcp"}, {"sip_srtp": False}):
        with capture_logs() as logged:
            trunk_configs(load_settings(**TRUNK, **weaker))
        assert [entry["event"] for entry in logged] == ["telephone_calls_not_encrypted"]
        assert "12025550142" not in str(logged)


def test_any_port_stays_any_port():
    assert [c.local_port for c in trunk_configs(load_settings(**TRUNK, sip_port=0))] == [0, 0]


@pytest.mark.parametrize(
    ("countries", "expected"),
    [(("US", "CA", "PR"), ("+1",)), (("GB", "US"), ("+1", "+44")), ((), ())],
)
def test_prefixes_of_countries(countries, expected):
    assert prefixes(countries) == expected
    assert not Route(None, prefixes(countries)).reaches("+882133006")
