"""SIP responses without a wire."""

from __future__ import annotations

from media.phone.sip.messages import Response


def response(code: int, reason: str = "", phrase: str = "", **headers: str) -> Response:
    """A response with these headers (``call_info`` is Call-Info)."""
    given = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    if reason:
        given["reason"] = (reason,)
    return Response(
        code=code, phrase=phrase, via=("v",), branch="b", from_="f", from_tag="1", to="t",
        to_tag="2", call_id="c", cseq=1, cseq_method="INVITE", headers=given,
    )  # fmt: skip
