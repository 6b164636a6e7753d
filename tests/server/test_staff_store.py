import pytest

from server import keys
from server.config import ConfigurationError, load_settings
from server.sqlite_store import SqliteStore
from server.staff_store import opened


async def test_a_store_that_is_not_there_is_not_made(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    keys.create(settings.keys_path)
    with pytest.raises(ConfigurationError, match="BEDSIDE_DATA_DIR"):
        async with opened(settings):
            pass
    assert not settings.store_path.exists()


async def test_a_ring_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ConfigurationError, match="no keys"):
        async with opened(load_settings(data_dir=tmp_path)):
            pass
    assert not list(tmp_path.iterdir())


async def test_one_node_has_no_directory(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    store = SqliteStore(settings.store_path, keys.create(settings.keys_path).audit)
    await store.open()
    await store.close()
    async with opened(settings) as found:
        assert await found.store.practices() == []
        with pytest.raises(ConfigurationError, match="one node"):
            _ = found.nodes


async def test_many_nodes_have_one(tmp_path, shared_redis):
    settings = load_settings(data_dir=tmp_path, redis_url=shared_redis.url, redis_prefix="empty")
    keys.create(settings.keys_path)
    async with opened(settings) as found:
        assert await found.store.practices() == []
        assert await found.nodes.roll() == {}
