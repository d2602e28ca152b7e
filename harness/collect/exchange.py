"""Requests out, answers in: one stream, with retries, and an end when the server is gone."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from harness.collect.patience import Patience
from harness.collect.plan import Shipment
from wronglung.alignment import Alignment
from wronglung.client import AlignItem
from wronglung.errors import WronglungError

IMAGE_UNREADABLE = "IMAGE_UNREADABLE"
RESUME = "Check the server, then run again with --resume: finished parts are kept."

Item = TypeVar("Item")


class ServerLostError(RuntimeError):
    """So many requests in a row failed through no fault of theirs that going on would only make failures."""


class StreamClient(Protocol):
    """The part of `wronglung.client.AlignmentClient` that the harness uses."""

    def stream(
        self, items: Iterable[AlignItem], *, window: int = 16
    ) -> Iterator[tuple[str, Alignment | WronglungError]]:
        """Send the items, at most `window` at a time, and yield (request id, answer) as they come."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request or a sentence has no map: the wire code's name, or `IMAGE_UNREADABLE`, and the message."""

    code: str
    message: str

    @classmethod
    def of(cls, error: WronglungError) -> "Failure":
        """The failure that an error stands for."""
        return cls(error.code.removeprefix("ERROR_CODE_"), str(error))


Outcome = Alignment | Failure


@dataclass(slots=True)
class Exchange:
    """Sends shipments over one stream and yields each with its outcome, in the order in which they come.

    At most `window` images are in memory. What fails although it may succeed later is sent again, ahead of what has not
    been sent, as `Patience` decides.
    """

    client: StreamClient
    window: int
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    served_as: Mapping[str, str] = field(default_factory=dict)
    """Model → its name at the server, where that is another."""
    retries: int = 0
    """Requests sent again so far."""
    _in_flight: dict[str, Shipment] = field(default_factory=dict)
    _again: deque[Shipment] = field(default_factory=deque)
    _unreadable: deque[tuple[Shipment, Outcome]] = field(default_factory=deque)
    _patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self._patience = Patience(self.window, self.clock)

    def run(self, source: Iterable[Shipment]) -> Generator[tuple[Shipment, Outcome], None, None]:
        """Every shipment of `source`, once, with its outcome.

        Raises:
            ServerLostError: nothing but failures on the server's side for too long.
        """
        first, ended = True, False
        while not ended:
            for request_id, answer in self._stream(source if first else ()):
                yield from self._take(self._in_flight.pop(request_id), answer)
                yield from _drain(self._unreadable)
            yield from _drain(self._unreadable)
            if self._in_flight:
                raise ServerLostError(f"the stream ended with {len(self._in_flight)} requests unanswered. {RESUME}")
            first, ended = False, not self._again

    def _stream(self, source: Iterable[Shipment]) -> Iterator[tuple[str, Alignment | WronglungError]]:
        try:
            yield from self.client.stream(self._items(source), window=self.window)
        except WronglungError as error:
            raise ServerLostError(f"the stream broke: {error}. {RESUME}") from error

    def _items(self, source: Iterable[Shipment]) -> Iterator[AlignItem]:
        """The items to send: runs in whatever thread the client reads it from."""
        yield from self._open(_drain(self._again))
        for shipment in source:
            yield from self._open([shipment])
            yield from self._open(_drain(self._again))

    def _open(self, shipments: Iterable[Shipment]) -> Iterator[AlignItem]:
        for shipment in shipments:
            try:
                image = shipment.image()
            except (OSError, WronglungError) as error:
                self._unreadable.append((shipment, Failure(IMAGE_UNREADABLE, str(error))))
                continue
            self._in_flight[shipment.request_id] = shipment
            model = self.served_as.get(shipment.model, shipment.model)
            yield AlignItem(request_id=shipment.request_id, image=image, sentences=shipment.sentences, model=model)

    def _take(self, shipment: Shipment, answer: Alignment | WronglungError) -> Iterator[tuple[Shipment, Outcome]]:
        if isinstance(answer, Alignment):
            self._patience.note_answer(shipment.request_id)
            yield shipment, answer
            return
        self._patience.note_failure(shipment.request_id, answer)
        if self._patience.is_lost(answer):
            raise ServerLostError(
                f"{self._patience.in_a_row} requests in a row failed, the last with: {answer}. {RESUME}"
            )
        if self._patience.gives_up(shipment.request_id, answer):
            yield shipment, Failure.of(answer)
            return
        self.retries += 1
        self.sleep(self._patience.wait_s(answer))
        self._again.append(shipment)


def _drain(queue: deque[Item]) -> Iterator[Item]:
    """Take from the left until nothing is left; more may be added meanwhile."""
    while queue:
        yield queue.popleft()
