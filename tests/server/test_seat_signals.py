"""Every signal from every role, in the waiting room and inside; what each becomes."""

import pytest

from rooms.model import Admission, Role
from rooms.permissions import Action, may
from server.gateway import VISIT
from server.signals import OWN, SIGNALS

SEAT_SIGNALS = [signal for signal in SIGNALS if signal.namespace == VISIT]
ORDERS = [signal for signal in SEAT_SIGNALS if isinstance(signal.needs, Action)]
OTHERS = [role for role in Role if role is not Role.PROVIDER]
EVERY_ROLE = pytest.mark.parametrize("role", Role)
# What each signal is sent with: as right as it can be, so that only the sender is wrong.
ANSWER = {"peer": "p", "number": 1, "sdp": "v=0"}


def payload(signal, target):
    given = {
        "visit:knock": {"name": "Somebody"},
        "media:switch": {"microphone": False, "camera": False},
        "media:answer": ANSWER,
        "seat:message": {"seat": target, "text": "Let me in"},
        "seat:invite": {"role": "observer", "name": "Somebody else"},
        "seat:record_number": {"seat": target, "number": "(202) 555-0101", "wording": "v1"},
        "phone:plan": {"number": "(202) 555-0101", "wording": "v1"},
        "media:heard": {"concealed": 0.0, "buffer": 0.1},
    }
    return given.get(signal.name, {"seat": target} if signal.name.startswith("seat:") else {})


@pytest.fixture
async def full_house(practice, browser):
    """Somebody of every role waits, and a second of the family; providers are inside."""
    seats = [{"role": role.value, "name": f"name-of-{role.value}"} for role in Role]
    visit = await practice.plans(*seats, {"role": "family", "name": "another"})
    pages = {role: await browser().opens(getattr(visit, role.value).code) for role in Role}
    for page in pages.values():
        await page.does("visit:knock")
    other = await browser().opens(visit.seats[-1].code)
    await other.does("visit:knock")
    return visit, pages, other


@pytest.mark.parametrize("role", OTHERS)
async def test_whoever_waits_is_refused_everything_and_hears_nothing(role, practice, full_house):
    visit, pages, _ = full_house
    page, own = pages[role], getattr(visit, role.value).seat
    target = visit.seats[-1].seat
    tried = [signal for signal in SEAT_SIGNALS if signal.needs != OWN]
    before = len([e for e in await practice.log(visit) if e.outcome == "not_admitted"])
    for signal in tried:
        assert await page.refused(signal.name, payload(signal, target)) == "not_admitted"
        if signal.name.startswith("seat:") and signal.name != "seat:invite":
            assert await page.refused(signal.name, payload(signal, own)) == "not_admitted"
            assert await page.refused(signal.name, {**payload(signal, "0123456789")}) in {
                "not_admitted", "unknown_seat",
            }  # fmt: skip
    written = [e for e in await practice.log(visit) if e.outcome == "not_admitted"]
    assert len(written) - before >= len(tried), "each refusal is written down"
    assert {entry.actor for entry in written} == {own}
    assert {name for name, _ in page.received} <= {"visit:changed"}
    assert not any(view["people"] or view["waiting"] or view["seats"] for view in page.views)
    stored = await practice.stored(visit)
    inside = {seat.role for seat in stored.seats if seat.admission in {"admitted", "present"}}
    assert inside == {Role.PROVIDER}


@EVERY_ROLE
async def test_inside_the_matrix_decides(role, practice, full_house):
    visit, pages, _ = full_house
    target = visit.seats[-1].seat
    provider, page = pages[Role.PROVIDER], pages[role]
    if role is not Role.PROVIDER:
        await provider.does("seat:admit", {"seat": getattr(visit, role.value).seat})
    await page.is_inside()
    for signal in (signal for signal in ORDERS if signal.needs is not Action.END):
        allowed = may(role, signal.needs)
        answer = await page.ask(signal.name, payload(signal, target))
        code = answer.get("error", {}).get("code")
        if allowed:
            assert code != "not_permitted", signal.name
        else:
            assert code == "not_permitted", signal.name
    assert ("not_permitted" in {e.outcome for e in await practice.log(visit)}) == any(
        not may(role, signal.needs) for signal in ORDERS if signal.needs is not Action.END
    )


@pytest.mark.parametrize("role", OTHERS)
async def test_nobody_but_a_provider_ends_the_visit(role, full_house):
    visit, pages, _ = full_house
    await pages[Role.PROVIDER].does("seat:admit", {"seat": getattr(visit, role.value).seat})
    await pages[role].is_inside()
    assert await pages[role].refused("visit:end") == "not_permitted"
    await pages[Role.PROVIDER].does("visit:end")


@EVERY_ROLE
async def test_nobody_orders_anything_about_themselves(role, full_house):
    visit, pages, _ = full_house
    own = getattr(visit, role.value).seat
    if role is not Role.PROVIDER:
        await pages[Role.PROVIDER].does("seat:admit", {"seat": own})
    await pages[role].is_inside()
    for signal in ORDERS:
        if signal.name.startswith("seat:") and signal.name != "seat:invite":
            assert await pages[role].refused(signal.name, payload(signal, own)) == "not_permitted"


async def test_a_payload_never_names_its_sender(practice, full_house):
    visit, pages, _ = full_house
    lie = {
        "by": {"kind": "practice", "id": "x"}, "actor": visit.provider.seat, "role": "provider",
        "sid": "x", "device": "", "visit": "another", "admitted": True,
        "__proto__": {"role": "provider"}, "rоle": "provider",
    }  # fmt: skip
    patient = pages[Role.PATIENT]
    target = {"seat": visit.patient.seat, **lie}
    assert await patient.refused("seat:admit", target) == "not_admitted"
    await patient.does("visit:knock", {"name": "Rosa", **lie})
    assert (await practice.stored(visit)).seat(visit.patient.seat).role is Role.PATIENT
    assert (await practice.stored(visit)).seat(visit.patient.seat).admission == "waiting"


async def test_a_missing_or_odd_role_in_an_invitation_is_refused(full_house):
    _, pages, _ = full_house
    for role in (None, "", "admin", "Provider", 1, ["provider"], {"role": "provider"}):
        answer = await pages[Role.PROVIDER].ask("seat:invite", {"role": role, "name": "x"})
        assert answer["error"]["code"] == "payload_invalid"
        assert answer["error"]["fields"] == ["role"]


async def test_inviting_somebody_gives_a_link_that_waits(full_house, browser):
    _, pages, _ = full_house
    made = await pages[Role.PROVIDER].does("seat:invite", {"role": "family", "name": "Ana"})
    page = await browser().opens(made["link"].split("#")[1])
    await page.knocks()
    view = await page.until(lambda view: view["me"]["admission"] == Admission.WAITING)
    assert view["me"]["name"] == "Ana"
    guests = await pages[Role.PROVIDER].until(
        lambda view: any(line["name"] == "Ana" and line["connected"] for line in view["seats"])
    )
    assert made["seat"] in {line["seat"] for line in guests["seats"]}


async def test_what_one_switches_off_others_see(practice, meeting):
    provider, patient = await meeting(await practice.plans())
    await patient.does("media:switch", {"microphone": False, "camera": True})
    view = await provider.until(lambda view: view["people"] and not view["people"][0]["microphone"])
    assert view["people"][0]["camera"] is True
    await patient.until(lambda view: not view["me"]["microphone"])


async def test_leaving_is_acknowledged_before_the_socket_closes(practice, meeting):
    _, patient = await meeting(await practice.plans())
    assert await patient.ask("visit:leave") == {"ok": True}
    assert await patient.over() == "left"


async def test_leaving_the_queue_gives_up_the_place(practice, people):
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")
    await patient.knocks()
    await patient.does("visit:leave")
    assert await patient.over() == "left"
    assert (await practice.stored(visit)).seat(visit.patient.seat).admission == "invited"


async def test_a_session_is_renewed_over_its_socket(server, practice, people):
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")
    renewed = await patient.does("session:renew")
    assert renewed["expires_in"] == 600
    session = (await patient.view())["session"]
    again = type(patient)(server, renewed["token"])
    async with again:
        await again.connect()
        assert (await again.view())["session"] == session


@pytest.mark.parametrize(
    ("sdp", "why"),
    [
        ("", "nothing"),
        ("hello", "no SDP"),
        ("v=0\r\n" + "a=x\r\n" * 8_000, "over 32 KiB"),
        ("v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 40, "too many m-lines"),
        ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "bare"),
    ],
)
async def test_an_sdp_that_will_not_do_is_refused_for_that_session_only(
    practice, meeting, sdp, why
):
    provider, patient = await meeting(await practice.plans())
    (offer, *_) = await patient.hears("media:offer")
    answer = {"peer": offer["peer"], "number": offer["number"], "sdp": sdp}
    assert await patient.refused("media:answer", answer) == "sdp_refused", why
    view = await provider.until(lambda view: view["people"])
    assert [person["admission"] for person in view["people"]] == ["present"]


async def test_whoever_is_let_in_is_offered_both_connections(practice, meeting):
    visit = await practice.plans()
    for page in await meeting(visit):
        offers = await page.hears("media:offer", 2)
        assert {offer["connection"] for offer in offers} == {"send", "receive"}
        await page.does("media:restart")
