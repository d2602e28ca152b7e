"""A line of those who wait for room: whoever holds least comes first, among equals whoever came first.

What does not fit is waited for and never overtaken by others behind it, so that large requests get their turn too.
"""

import asyncio
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
_T_contra = TypeVar("_T_contra", contravariant=True)


class Room(Protocol[_T_contra]):
    """What is waited for."""

    def fits(self, what: _T_contra, party: str) -> bool:
        """Whether there is room now."""

    def take(self, what: _T_contra, party: str) -> None:
        """Take it up."""

    def give_back(self, what: _T_contra, party: str) -> None:
        """It is free again."""

    def held_by(self, party: str) -> float:
        """How much a party holds, for comparison with others."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting(Generic[T]):
    """Somebody in the line."""

    what: T
    party: str
    turn: "asyncio.Future[None]"


class Line(Generic[T]):
    """A line in front of a room.

    Args:
        room: see there.
    """

    def __init__(self, room: Room[T]) -> None:
        self._room = room
        self._waiting: list[Waiting[T]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> Waiting[T] | None:
        """Whose turn is next."""
        return min(self._waiting, key=lambda each: self._room.held_by(each.party), default=None)

    def join(self, what: T, party: str) -> Waiting[T]:
        """Stand in the line; whoever has a turn already gets it at once. To be followed by `turn_of`."""
        waiting = Waiting(what, party, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self.move_on()
        return waiting

    async def turn_of(self, waiting: Waiting[T]) -> None:
        """Wait for one's turn: after it the room is taken. Who is cancelled leaves the line, or the room."""
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if not waiting.turn.cancelled():  # the turn came at the same moment
                self._room.give_back(waiting.what, waiting.party)
            elif waiting in self._waiting:
                self._waiting.remove(waiting)
            self.move_on()
            raise

    def move_on(self) -> None:
        """Let in as many as there is room for now."""
        while (first := self.first) is not None and self._room.fits(first.what, first.party):
            self._waiting.remove(first)
            if not first.turn.done():
                self._room.take(first.what, first.party)
                first.turn.set_result(None)
