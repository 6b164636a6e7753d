"""What people may be told of a practice. Kept in memory: it is part of every snapshot."""

from __future__ import annotations

from media.phone.wording import Announcer
from server.replies import PracticeCard
from server.store import Store


class Practices:
    """Practice cards by id. ``calls_people``: this server can call telephones at all."""

    def __init__(self, store: Store, *, calls_people: bool = False) -> None:
        self.calls_people = calls_people
        self._store = store
        self._cards: dict[str, PracticeCard] = {}

    async def card(self, practice_id: str) -> PracticeCard:
        """Its name and number; empty for a practice that is not there."""
        if practice_id not in self._cards:
            practice = await self._store.practice(practice_id)
            if practice is None:
                return PracticeCard(name="", phone="")
            self._cards[practice_id] = PracticeCard(name=practice.name, phone=practice.phone)
        return self._cards[practice_id]

    def changed(self, practice_id: str) -> None:
        """Its card is to be read anew; sessions that are open keep the one they have."""
        self._cards.pop(practice_id, None)

    def all_changed(self) -> None:
        """Any of them may have changed unnoticed."""
        self._cards.clear()

    async def announcer(self, practice_id: str) -> Announcer:
        """In whose name telephones are spoken to; nobody's for a practice that is not there."""
        practice = await self._store.practice(practice_id)
        if practice is None:
            return Announcer(practice=practice_id)
        return Announcer(practice=practice_id, who=practice.spoken_name, call_back=practice.phone)
