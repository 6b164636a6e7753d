"""Settings that do not go together are told in one sentence."""

import pytest

from server.config import ConfigurationError, load_settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"redis_user": "bedside", "redis_url": "redis://r"}, "REDIS_USER needs REDIS_PASSWORD"),
        ({"node": "a"}, "need REDIS_URL"),
        ({"node_url": "http://10.0.0.1:8080"}, "need REDIS_URL"),
        ({"sip_servers": "trunk.example.org"}, "SIP_CALLER is needed"),
    ],
)
def test_what_does_not_go_together_is_said(given, words):
    with pytest.raises(ConfigurationError, match=words):
        load_settings(**given)


@pytest.mark.parametrize(
    "url",
    [
        "redis://r:6379/1",
        "rediss://r",
        "redis+sentinel://a:26379,b:26379/main",
        "rediss+sentinel://a,b/main",
    ],
)
def test_redis_is_found_by_its_address_or_by_its_sentinels(url):
    assert load_settings(redis_url=url, node="North 1").node_name == "north-1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://r", "write it as redis://"),
        ("redis:", "write it as redis://"),
        ("redis://user:secret@r", "settings of their own"),
        ("redis+sentinel://a", "name of the group"),
    ],
)
def test_an_address_of_redis_that_means_nothing_is_refused(url, words):
    with pytest.raises(ConfigurationError, match=words) as refused:
        load_settings(redis_url=url)
    assert "secret" not in str(refused.value)
