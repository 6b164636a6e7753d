"""Digest authentication: challenges read, proofs computed (RFC 7616, RFC 2617, RFC 8760)."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from media.phone.sip.messages import Fields, Response

# Name of the answering header and of the header that holds the challenge.
CHALLENGES = {
    401: ("Authorization", "WWW-Authenticate"),
    407: ("Proxy-Authorization", "Proxy-Authenticate"),
}
_STRENGTH = ("MD5", "MD5-SESS", "SHA-256", "SHA-256-SESS")  # weakest first
_PARAMETER = re.compile(r'([A-Za-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a server wants to be answered. ``realm``, ``nonce`` and ``opaque`` are as quoted."""

    header: str  # the header that answers it
    realm: str
    nonce: str
    algorithm: str  # as the server wrote it
    qop: str  # "auth", "auth-int", or empty for RFC 2069
    opaque: str | None = None
    stale: bool = False


@dataclass(slots=True)
class Credentials:
    """Answers the challenges of one trunk.

    ``cnonce`` makes the client's nonces; tests give those of the RFCs.
    """

    user: str
    password: str
    cnonce: Callable[[], str] = field(default=lambda: secrets.token_hex(_NONCE_BYTES))

    def answer(
        self, response: Response, method: str, uri: str, body: bytes, already: Fields
    ) -> Fields | None:
        """The proofs for the next attempt; None if the challenge cannot or must not be answered.

        ``already`` are the proofs of the attempt that was refused: a server that asks again
        without calling the nonce stale did not accept the password.
        """
        wanted = strongest(response)
        if wanted is None or not self.user:
            return None
        kept = tuple(proof for proof in already if proof[0] != wanted.header)
        if len(kept) < len(already) and not wanted.stale:
            return None
        proof = prove(wanted, method, uri, body, self.user, self.password, self.cnonce())
        return (*kept, (wanted.header, proof))


def strongest(response: Response) -> Challenge | None:
    """The strongest challenge of a 401 or 407 that we can answer."""
    if response.code not in CHALLENGES:
        return None
    answering, asking = CHALLENGES[response.code]
    found = (read_challenge(value, answering) for value in response.all(asking))
    return _strongest_of([challenge for challenge in found if challenge])


def _strongest_of(challenges: Iterable[Challenge]) -> Challenge | None:
    return max(challenges, key=lambda c: _STRENGTH.index(c.algorithm.upper()), default=None)


def read_challenge(value: str, answering: str) -> Challenge | None:
    """A challenge as it stood in its header; None if it is none that we can answer."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    given = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
    algorithm = given.get("algorithm", "MD5")
    qop = _chosen_qop(given.get("qop"))
    if algorithm.upper() not in _STRENGTH or qop is None or not {"realm", "nonce"} <= given.keys():
        return None
    return Challenge(
        header=answering,
        realm=given["realm"],
        nonce=given["nonce"],
        algorithm=algorithm,
        qop=qop,
        opaque=given.get("opaque"),
        stale=given.get("stale", "").lower() == "true",
    )


def _chosen_qop(offered: str | None) -> str | None:
    """The protection we choose: empty if none was offered, None if we know none of them."""
    if not offered:
        return ""
    choices = {choice.strip().lower() for choice in offered.split(",")}
    return next((choice for choice in ("auth", "auth-int") if choice in choices), None)


def prove(
    challenge: Challenge,
    method: str,
    uri: str,
    body: bytes,
    user: str,
    password: str,
    cnonce: str,
) -> str:
    """The value of the answering header (RFC 7616 section 3.4). Each nonce is used once."""
    count = f"{1:08x}"
    qop = challenge.qop
    middle = [count, cnonce, qop] if qop else []
    secret = _secret(challenge, user, password, cnonce)
    what = _what(challenge, method, uri, body)
    proof = _hash(challenge, ":".join([secret, challenge.nonce, *middle, what]).encode())
    fields = [
        f'username="{_quoted(user)}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{proof}"',
        f"algorithm={challenge.algorithm}",
    ]
    if qop or _is_session(challenge):
        fields.append(f'cnonce="{cnonce}"')
    if qop:
        fields += [f"qop={qop}", f"nc={count}"]
    if challenge.opaque is not None:
        fields.append(f'opaque="{challenge.opaque}"')
    return "Digest " + ", ".join(fields)


def _secret(challenge: Challenge, user: str, password: str, cnonce: str) -> str:
    secret = _hash(challenge, f"{user}:{_plain(challenge.realm)}:{password}".encode())
    if _is_session(challenge):
        secret = _hash(challenge, f"{secret}:{challenge.nonce}:{cnonce}".encode())
    return secret


def _what(challenge: Challenge, method: str, uri: str, body: bytes) -> str:
    text = f"{method}:{uri}"
    if challenge.qop == "auth-int":
        text += ":" + _hash(challenge, body)
    return _hash(challenge, text.encode())


def _hash(challenge: Challenge, data: bytes) -> str:
    if challenge.algorithm.upper().startswith("SHA-256"):
        return hashlib.sha256(data).hexdigest()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()  # what RFC 2617 trunks ask for


def _is_session(challenge: Challenge) -> bool:
    return challenge.algorithm.upper().endswith("-SESS")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)
