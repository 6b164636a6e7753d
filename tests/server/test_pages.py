"""The pages of the built app, with the practice's words in them before any script."""

import re

import pytest

from server.pages import app_directory
from server.store import Practice

APP = app_directory()
ASSETS = sorted(path.name for path in (APP / "assets").iterdir()) if APP else []


@pytest.mark.parametrize("path", ["/join", "/desk"])
async def test_a_page_says_whose_it_is_before_any_script(server, practice, path):
    answer = await server.call("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "{{" not in answer.text
    head = answer.text.split("</body>")[0]
    assert practice.name in head
    assert (await server.call("HEAD", path)).text == ""


async def test_names_are_inert_in_a_page(server):
    name = '<script>alert(1)</script>" onload="x'
    await server.node.store.put_practice(Practice("x", name, "<b>"))
    for path in ("/join", "/desk"):
        text = (await server.call("GET", path)).text
        assert "<script>alert" not in text
        assert '" onload="' not in text


async def test_with_several_practices_the_page_names_none(server, practice):
    await server.practice()
    text = (await server.call("GET", "/join")).text
    assert practice.name not in text
    assert "{{" not in text


async def test_files_with_their_hash_in_the_name_are_kept_for_good(server):
    page = (await server.call("GET", "/join")).text
    names = re.findall(r"/assets/([^\"]+)", page)
    assert names
    for url in (f"{server.url}/assets/{name}" for name in names):
        async with server.http.get(url) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
        async with server.http.get(url, headers={"If-None-Match": answer.headers["ETag"]}) as again:
            assert again.status == 304


@pytest.mark.parametrize(
    "name", ["nothing.js", "%2e%2e%2fjoin.html", "%2e%2e%2f%2e%2e%2fapp.py", ""]
)
async def test_a_file_that_is_not_there_is_not_remembered_as_gone(server, name):
    answer = await server.call("GET", f"/assets/{name}")
    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_front_page_leads_to_the_join_page_and_lists_a_demos_links(server):
    answer = await server.call("GET", "/")
    assert (answer.status, answer.headers["Location"]) == (302, "/join")
    server.node.demo_links["patient"] = "http://localhost/join#<code>"
    text = (await server.call("GET", "/")).text
    assert 'href="http://localhost/join#&lt;code&gt;"' in text
