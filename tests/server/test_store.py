import pytest

from server import store
from server.store import LogDraft, StoreError
from tests.support.records import happened

WORDS = ("type", "visit", "seat", "actor_kind", "actor", "outcome", "practice")


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize(
    "value",
    ["Maria Gómez", "Zoë", "+1 555 0100", "5550100", "1-555-0100", "a@example.org", "x" * 41,
     "a\nb", "a/b", "a=b", "\u202ea", "https://visits.example.org/join#code",
     "v=0\r\no=- 1 1 IN IP4 0.0.0.0"],
)  # fmt: skip
def test_the_log_takes_nothing_that_could_be_a_person_or_a_secret(name, value):
    with pytest.raises(ValueError, match="ids, types and outcomes") as refusal:
        LogDraft(**{"at": 1.0, "type": "Happened", name: value})
    assert value not in str(refusal.value)


def test_no_code_credential_or_key_fits_into_the_log():
    from server.links import new_api_key, new_code, new_credential  # noqa: PLC0415

    for secret in (new_code(), new_credential(), new_api_key()):
        with pytest.raises(ValueError, match="ids, types and outcomes"):
            happened(actor=secret)


def test_the_log_takes_what_it_is_for():
    draft = LogDraft(
        at=1.0,
        type="SeatAdmitted",
        visit="3f0c9a52-1f4e-4a50-9d3e-0c6a7b1f2e11",
        actor_kind="seat",
        actor="seat-1",
        outcome="not_permitted",
    )
    assert draft.practice == ""


def test_every_refusal_of_a_store_has_a_code_of_its_own():
    errors = [
        value
        for value in vars(store).values()
        if isinstance(value, type) and issubclass(value, StoreError)
    ]
    assert len({error.code for error in errors}) == len(errors) == 6
    assert all(error.code in (store.__doc__ or "") for error in errors)
