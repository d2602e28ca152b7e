"""Some models of a run are served, of others the maps lie in files: each request goes where its model is."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.collect.exchange import Outcome
from harness.collect.gather import Answering, Readings
from harness.collect.plan import Shipment
from wronglung.alignment import ModelIdentity


class MapSource(Protocol):
    """Maps of one model that were made elsewhere."""

    @property
    def identity(self) -> ModelIdentity:
        """The model, and the digest of all its files."""

    def answer(self, shipment: Shipment) -> Readings:
        """What there is for each sentence of a request; the image is not needed."""


@dataclass(slots=True)
class Routes:
    """Answers a request from its model's source, or else over the exchange. Without one, every model has a source."""

    exchange: Answering | None
    sources: Mapping[str, MapSource]
    _waiting: deque[Shipment] = field(default_factory=deque)
    """Requests to sources that came while the exchange read on."""

    def run(self, source: Iterable[Shipment]) -> Iterator[tuple[Shipment, Outcome | Readings]]:
        """Every shipment of `source`, once, with its outcome."""
        if self.exchange is None:
            for shipment in source:
                shipment.image.note_digest()
                yield self._look_up(shipment)
            return
        for answered in self.exchange.run(self._served(source)):
            yield answered
            yield from self._drain()
        yield from self._drain()

    def _served(self, source: Iterable[Shipment]) -> Iterator[Shipment]:
        """The requests for the server; the others wait in line. Runs in whatever thread the client reads from."""
        for shipment in source:
            if shipment.model in self.sources:
                shipment.image.note_digest()
                self._waiting.append(shipment)
            else:
                yield shipment

    def _drain(self) -> Iterator[tuple[Shipment, Outcome | Readings]]:
        while self._waiting:
            yield self._look_up(self._waiting.popleft())

    def _look_up(self, shipment: Shipment) -> tuple[Shipment, Outcome | Readings]:
        return shipment, self.sources[shipment.model].answer(shipment)
