"""A node that stops while somebody is on the telephone: they are told, and called again."""

from dataclasses import replace

from media.phone.scripts import Script
from rooms.model import Fallback, Prompt
from rooms.policy import Policy
from tests.support.callers import SOON, phone_only
from tests.support.server_clients import PROVIDER
from tests.support.several_nodes import several_nodes, until_stored

ANSWERS = {"practice_carrier": True, "visit": replace(Policy(), fallback=SOON)}


def line_of(visit):
    return next(seat.line for seat in visit.seats if seat.phone.only)


async def test_a_telephone_is_told_and_called_again_by_the_next_node(
    tmp_path, shared_redis, guest, monkeypatch
):
    async with several_nodes(tmp_path, shared_redis, **ANSWERS) as pair:
        visit = await pair.at("a").plans(phone_only(Script.PRESSES_1), PROVIDER)
        clinician = await pair.opens(guest(), visit.provider.code, at="a")
        await (await clinician.knocks()).enters()
        await clinician.does("seat:admit", {"seat": visit.patient.seat})
        await until_stored(pair.practice, visit, lambda v: line_of(v).state is Fallback.BRIDGED)
        home = pair.owner(visit)
        first = line_of(await pair.practice.stored(visit)).call
        said = []
        frames = pair[home].node.phones.prompts.frames
        monkeypatch.setattr(
            pair[home].node.phones.prompts,
            "frames",
            lambda prompt, *rest: said.append(prompt) or frames(prompt, *rest),
        )

        await pair.part(home).draining.drain()

        assert said == [Prompt.INTERRUPTED]
        assert not pair[home].node.phones.calls.has_calls(visit.id)
        await until_stored(
            pair.practice,
            visit,
            lambda v: line_of(v).state is Fallback.BRIDGED and line_of(v).call.id != first.id,
        )
        assert pair.owner(visit) == pair.other(home)


async def test_what_could_be_given_to_nobody_is_given_away_when_asked_again(
    tmp_path, shared_redis, monkeypatch
):
    async with several_nodes(tmp_path, shared_redis) as pair:
        visit = await pair.at("a").plans()
        await pair.placed(visit, "a")
        draining = pair.part("a").draining
        with monkeypatch.context() as alone:
            alone.setattr(draining, "_target", lambda: None)
            await draining.drain()
        assert pair.owner(visit) == "a"
        await draining.drain()
        assert pair.owner(visit) == "b"
