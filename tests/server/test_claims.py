"""A node's own claims, as every write of a visit names them."""

from server.claims import NOBODY, Claim, Claims


def test_a_visit_that_was_never_claimed_is_nobodys():
    assert Claims().of("v") == NOBODY


def test_a_claim_is_named_until_it_is_dropped():
    claims = Claims()
    claims.add("v", Claim("me", 3))
    assert claims.of("v") == Claim("me", 3)
    assert list(claims) == ["v"]
    claims.drop("v")
    claims.drop("v")
    assert claims.of("v") == NOBODY
    assert len(claims) == 0


def test_the_epochs_of_what_others_ask_about():
    claims = Claims()
    claims.add("v", Claim("me", 3))
    assert claims.owned(["u", "v"]) == {"v": 3}
