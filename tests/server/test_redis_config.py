from pathlib import Path

import pytest
from pydantic import SecretStr

from server.config import ConfigurationError, load_settings
from server.redis_config import RedisConfig


def of(url, **settings):
    return RedisConfig.of(load_settings(redis_url=url, **settings))


def test_one_redis():
    config = of("redis://redis.internal/3")
    assert config.addresses == (("redis.internal", 6379),)
    assert (config.group, config.database, config.tls) == ("", 3, False)


def test_sentinels_and_the_name_of_their_group():
    config = of("rediss+sentinel://a,b:5000,[::1]:5001/main/2")
    assert config.addresses == (("a", 26379), ("b", 5000), ("::1", 5001))
    assert (config.group, config.database, config.tls) == ("main", 2, True)


def test_how_one_is_let_in_and_that_nobody_prints_it():
    config = of(
        "rediss://r",
        redis_user="node",
        redis_password=SecretStr("hush"),
        redis_sentinel_password=SecretStr("hush too"),
        redis_ca_file=Path("ca.pem"),
    )
    assert (config.user, config.password, config.sentinel_password) == ("node", "hush", "hush too")
    assert config.ca_file == Path("ca.pem")
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    "url",
    [
        "redis://r:port/0",
        "redis://r:70000",
        "redis://r/first",
        "redis://a,b/0",
        "redis+sentinel://a:x/main",
        "redis+sentinel://a/main/first",
        "redis+sentinel://:26379/main",
    ],
)
def test_what_means_nothing_is_refused_in_words(url):
    with pytest.raises(ConfigurationError, match="BEDSIDE_REDIS_URL"):
        of(url)
