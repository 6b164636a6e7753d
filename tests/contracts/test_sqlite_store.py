import pytest

from server.sqlite_store import SqliteStore
from tests.contracts.record_contract import AUDIT_KEY
from tests.contracts.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    async def open_store(self, tmp_path, clock):
        opened = []

        async def open_one():
            store = SqliteStore(tmp_path / "bedside.db", AUDIT_KEY, clock)
            opened.append(store)
            await store.open()
            return store

        yield open_one
        for store in opened:
            await store.close()
