from server.demo import PRACTICE, prepare


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
