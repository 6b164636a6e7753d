import pytest

from server.demo import PATIENT_NUMBER, PRACTICE, control_url, prepare
from tests.support.demo_pages import PhonePage
from tests.support.server_clients import running_server


async def test_every_link_of_a_demo_opens(server, browser):
    links = await prepare(server.node)
    assert links.keys() == {"patient", "provider", "family", "desk"}
    pages = {}
    for role in ("patient", "provider", "family"):
        page = pages[role] = await browser().opens(links[role].split("#")[1])
        await page.knocks()
    assert (await pages["provider"].is_inside()) is pages["provider"]
    desk = await browser().opens_desk(links["desk"].split("#")[1])
    view = await desk.until(lambda view: view["visits"] and len(view["visits"][0]["waiting"]) == 2)
    assert view["practice"]["name"] == PRACTICE.name


async def test_the_front_page_lists_a_demos_links(server):
    links = await prepare(server.node)
    text = (await server.call("GET", "/")).text
    for name, link in links.items():
        assert f'<a href="{link}">Open as {name}</a>' in text


@pytest.fixture
async def demo(tmp_path):
    async with running_server(tmp_path, practice_carrier=True) as server:
        yield server


async def test_a_demo_with_telephones_has_one_and_can_be_broken(demo):
    links = await prepare(demo.node)
    assert links["phone"] == f"{demo.url}/demo/phone"
    text = (await demo.call("GET", "/")).text
    assert f'<a href="{links["phone"]}">Open the demo phone</a>' in text
    for url in (links["phone"], control_url(demo.node)):
        assert (await demo.call("GET", url.removeprefix(demo.url))).status == 200


async def test_the_patient_may_be_called_at_the_demos_phone(demo):
    await prepare(demo.node)
    visit = await demo.node.keeper.current(demo.node.demo.visit)
    (number,) = visit.seat(demo.node.demo.seats["patient"]).phone.numbers
    assert number.number == demo.node.demo.number
    assert number.consent is not None
    assert (await demo.node.practices.announcer(PRACTICE.id)).who == "Riverside"
    async with PhonePage(demo) as page:
        told = await page.is_in("idle")
        assert told["number"] == PATIENT_NUMBER
