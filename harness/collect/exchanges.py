"""Several servers in one run: each is asked over an exchange of its own, all at the same time."""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.collect.exchange import Exchange, Outcome, StreamClient
from harness.collect.plan import Shipment

POLL_S = 0.05
"""How long a thread waits before it looks whether all have been stopped."""

Queue = queue.Queue[Any]
_END = object()


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Model → the exchange with its server. Servers keep their own pace, up to a window of requests that wait in line
    for the slowest; a server that is lost ends them all."""

    by_model: Mapping[str, Exchange]

    @property
    def distinct(self) -> list[Exchange]:
        """Every exchange once."""
        return list({id(exchange): exchange for exchange in self.by_model.values()}.values())

    @property
    def retries(self) -> int:
        """Requests sent again so far."""
        return sum(exchange.retries for exchange in self.distinct)

    def run(self, source: Iterable[Shipment]) -> Iterator[tuple[Shipment, Outcome]]:
        """Every shipment of `source`, once, with its outcome, in the order in which they come. `source` is read in
        another thread.

        Raises:
            ServerLostError: one of the servers is gone.
        """
        work = _Work(self)
        work.start(source)
        try:
            yield from work.outcomes()
        finally:
            work.stopped.set()


def exchange_with(
    clients: Mapping[str, StreamClient], window: int, served_as: Mapping[str, str]
) -> Exchange | Exchanges | None:
    """What asks all models of a run; None if none is served.

    Args:
        clients: model → the client of its server, of every model that is served; models of one server share theirs.
        window: most requests in flight to each server.
        served_as: model → its name at its server.
    """
    exchanges = {id(client): Exchange(client, window, served_as=served_as) for client in clients.values()}
    if len(exchanges) > 1:
        return Exchanges({model: exchanges[id(client)] for model, client in clients.items()})
    return next(iter(exchanges.values()), None)


class _Work:
    """The threads of one pass, and the lines between them: source → one line for each exchange → outcomes."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = {id(exchange): exchange for exchange in exchanges.distinct}
        self._lane_of = {model: id(exchange) for model, exchange in exchanges.by_model.items()}
        self._lanes: dict[int, Queue] = {lane: Queue(e.window) for lane, e in self._exchanges.items()}
        self._answers = Queue(sum(e.window for e in self._exchanges.values()))
        self.stopped = threading.Event()

    def start(self, source: Iterable[Shipment]) -> None:
        threading.Thread(target=self._guarded, args=(self._feed, source), daemon=True).start()
        for lane in self._lanes:
            threading.Thread(target=self._guarded, args=(self._serve, lane), daemon=True).start()

    def outcomes(self) -> Iterator[tuple[Shipment, Outcome]]:
        """What the exchanges yield; raises what any of the threads raised."""
        working = len(self._lanes)
        while working:
            answer = self._answers.get()
            if isinstance(answer, Exception):
                raise answer
            if answer is _END:
                working -= 1
            else:
                yield answer

    def _guarded(self, work: Any, argument: Any) -> None:
        try:
            work(argument)
        except Exception as error:  # carried to the thread that takes the outcomes, where it is raised
            self._put(self._answers, error)

    def _feed(self, source: Iterable[Shipment]) -> None:
        for shipment in source:
            if not self._put(self._lanes[self._lane_of[shipment.model]], shipment):
                return
        for lane in self._lanes.values():
            self._put(lane, _END)

    def _serve(self, lane: int) -> None:
        with contextlib.closing(self._exchanges[lane].run(self._taken(self._lanes[lane]))) as answers:
            for answer in answers:
                if not self._put(self._answers, answer):
                    return
        self._put(self._answers, _END)

    def _taken(self, lane: Queue) -> Iterator[Shipment]:
        while not self.stopped.is_set():
            try:
                shipment = lane.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if shipment is _END:
                return
            yield shipment

    def _put(self, line: Queue, item: Any) -> bool:
        """Whether the item was taken before everything was stopped."""
        while not self.stopped.is_set():
            try:
                line.put(item, timeout=POLL_S)
            except queue.Full:
                continue
            return True
        return False
