"""How telephones are spoken to in a practice's name: its name, its number, its own recordings."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from media.phone.errors import NameTellsOfHealth
from media.phone.sound_files import wave_file
from media.phone.wording import Announcer, tells_of_health, texts
from rooms.model import Prompt
from server import messages as m
from server import replies as r
from server.api_auth import Caller
from server.errors import NotFound
from server.node import Node
from server.store import LogDraft, Practice, StoreUnavailable

AUDIO = "audio/wav"


async def read(node: Node, _request: web.Request, caller: Caller, _body: None) -> r.Announcements:
    """What announcements open with, and which of them the practice has recorded."""
    return _announcements(node, await _practice(node, caller))


async def rename(
    node: Node, _request: web.Request, caller: Caller, body: m.Announced
) -> r.Announcements:
    """Choose the name and the number that announcements open with.

    Raises ``NameTellsOfHealth``: whoever answers a telephone hears the name.
    """
    if tells_of_health(body.spoken_name):
        raise NameTellsOfHealth
    practice = await _practice(node, caller)
    practice = replace(practice, spoken_name=body.spoken_name, phone=body.call_back)
    await node.store.record([_entry(node, caller, "AnnouncementsRenamed")])
    await node.store.put_practice(practice)
    node.practices.changed(practice.id)
    node.phones.speak_soon(practice.id)
    return _announcements(node, practice)


async def hear(node: Node, request: web.Request, caller: Caller, _body: None) -> web.Response:
    """What a telephone in this language hears: mono, 16 bits, 8 kHz, with silence cut off."""
    announcer = await node.practices.announcer(caller.practice)
    language = request.match_info["language"]
    sound = node.phones.prompts.frames(_prompt(request), language, announcer)
    return web.Response(body=wave_file(sound), content_type=AUDIO)


async def record(node: Node, request: web.Request, caller: Caller, audio: bytes) -> web.Response:
    """Use the practice's own recording from the next announcement on.

    Raises ``PromptError``; or ``StoreUnavailable``, after which it may be sent again.
    """
    prompt = _prompt(request)
    try:
        language = request.match_info["language"]
        await node.recordings.store(caller.practice, prompt, language, audio)
    except OSError:
        raise StoreUnavailable from None
    await node.store.record([_entry(node, caller, "AnnouncementRecorded")])
    return web.Response(status=204)


async def forget(node: Node, request: web.Request, caller: Caller, _body: None) -> web.Response:
    """Go back to what comes with the software. Raises like ``record``."""
    prompt = _prompt(request)
    try:
        await node.recordings.remove(caller.practice, prompt, request.match_info["language"])
    except OSError:
        raise StoreUnavailable from None
    await node.store.record([_entry(node, caller, "AnnouncementForgotten")])
    return web.Response(status=204)


def _prompt(request: web.Request) -> Prompt:
    try:
        return Prompt(request.match_info["prompt"])
    except ValueError:
        raise NotFound from None


async def _practice(node: Node, caller: Caller) -> Practice:
    practice = await node.store.practice(caller.practice)
    if practice is None:  # a key outlived its practice
        raise NotFound
    return practice


def _announcements(node: Node, practice: Practice) -> r.Announcements:
    recorded = sorted(node.phones.prompts.recorded(practice.id))
    announcer = Announcer(practice=practice.id, who=practice.spoken_name, call_back=practice.phone)
    return r.Announcements(
        spoken_name=practice.spoken_name,
        call_back=practice.phone,
        recordings=[r.Recording(prompt=prompt, language=tag) for prompt, tag in recorded],
        spoken=[
            r.Spoken(prompt=prompt, language=tag, text=text)
            for prompt, tag, text in texts(announcer)
        ],
    )


def _entry(node: Node, caller: Caller, what: str) -> LogDraft:
    return LogDraft(
        at=node.clock(),
        type=what,
        practice=caller.practice,
        actor_kind=caller.actor.kind,
        actor=caller.actor.id,
    )
