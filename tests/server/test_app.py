async def test_a_visit_from_link_to_end(practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    view = await patient.until(lambda view: view["people"])
    assert [person["name"] for person in view["people"]] == ["Amina Reyes"]
    await provider.does("visit:end")
    assert await patient.over() == "visit_ended"
    assert await provider.over() == "visit_ended"
