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


async def test_a_card_that_changed_is_read_anew(server):
    practices, store = Practices(server.node.store), server.node.store
    await store.put_practice(Practice("north", "Riverside", "+1"))
    await practices.card("north")
    await store.put_practice(Practice("north", "Riverside", "+2"))
    practices.changed("north")
    practices.changed("nowhere")
    assert (await practices.card("north")).phone == "+2"


async def test_telephones_are_spoken_to_in_the_practices_name(server):
    practices, store = Practices(server.node.store), server.node.store
    nobody = await practices.announcer("north")
    assert nobody.has_no_name
    await store.put_practice(Practice("north", "North Oncology", "+1", "Riverside"))
    named = await practices.announcer("north")
    assert (named.practice, named.who, named.call_back) == ("north", "Riverside", "+1")
