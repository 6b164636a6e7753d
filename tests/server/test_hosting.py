"""What a node asks of others about visits that were its own."""

from rooms.events import SeatWasDenied
from rooms.model import Admission
from rooms.reductions import AGAIN
from tests.support.several_nodes import several_nodes


async def test_what_was_decided_without_the_store_is_not_lost_where_nobody_owns_the_visit(
    tmp_path, shared_redis, guest
):
    async with several_nodes(tmp_path, shared_redis) as pair:
        visit = await pair.at("a").plans()
        await pair.placed(visit, "a")
        await (await pair.opens(guest(), visit.patient.code, at="a")).knocks()
        ownership = pair.part("a").ownership
        denied = SeatWasDenied(seat=visit.patient.seat, by=AGAIN)
        await ownership.release(visit.id)
        assert pair.owner(visit) == ""

        await pair.part("a").neighbours.hand_on(visit.id, [denied])

        stored = await pair.practice.stored(visit)
        assert stored.seat(visit.patient.seat).admission is Admission.DENIED
