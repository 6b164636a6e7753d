import pytest

from tests.contracts.store_contract import StoreContract
from tests.support.redis_server import one_redis
from tests.support.redis_stores import Stores


@pytest.fixture(scope="module")
def redis():
    with one_redis() as server:
        yield server


class TestRedisStore(StoreContract):
    @pytest.fixture
    async def open_store(self, redis, clock):
        stores = Stores(redis, clock)
        yield stores.open
        await stores.close()
