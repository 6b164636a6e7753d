from server.practices import Practices
from server.replies import PracticeCard
from server.store import Practice
from tests.support.store_trouble import locked_store


async def test_a_card_is_read_once(server, monkeypatch):
    practices, store = Practices(server.node.store), server.node.store
    await store.put_practice(Practice("north", "Riverside", "+1"))
    card = await practices.card("north")
    assert card == PracticeCard(name="Riverside", phone="+1")
    async with locked_store(server):
        assert await practices.card("north") is card


async def test_a_practice_that_comes_later_is_found(server):
    practices = Practices(server.node.store)
    assert await practices.card("north") == PracticeCard(name="", phone="")
    await server.node.store.put_practice(Practice("north", "Riverside"))
    assert (await practices.card("north")).name == "Riverside"
