async def test_links_carry_their_code_where_browsers_keep_it(server):
    assert server.node.join_url("code") == f"{server.url}/join#code"
    assert server.node.desk_url("code") == f"{server.url}/desk#code"
