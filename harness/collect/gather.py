"""Gathers the answers of a run by image: plans stream out, answered images come back in, memory stays bounded."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.case import Box, Case
from harness.collect.exchange import Failure, Outcome
from harness.collect.plan import ImagePlan, SharedImage, Shipment, shipments
from wronglung.alignment import ModelIdentity
from wronglung.geometry import Frame

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a model answered for one text on one image. What maps made elsewhere do not tell is NaN or None."""

    map: FloatArray
    """(R, C) float32."""
    opt_out: float
    local_similarity: float
    global_similarity: float
    words: int | None
    truncated: bool | None
    frame: Frame
    identity: ModelIdentity
    deterministic: bool


Readings = tuple[Reading | Failure, ...]
"""What there is for each sentence of a request, in its order."""


class Answering(Protocol):
    """Answers requests, from a server or from files."""

    def run(self, source: Iterable[Shipment]) -> Iterator[tuple[Shipment, Outcome | Readings]]:
        """Every shipment of `source`, once, with its outcome, in any order."""


@dataclass(slots=True)
class AnsweredImage:
    """A plan with its answers by (model, image id, text)."""

    plan: ImagePlan
    missing: int = 0
    """Requests not answered yet."""
    answers: dict[tuple[str, str, str], Reading | Failure] = field(default_factory=dict)
    images: dict[str, SharedImage] = field(default_factory=dict)
    """The encoded images by id, for their digests."""

    def take(self, shipment: Shipment, outcome: Outcome | Readings) -> None:
        """File the outcome of one request."""
        self.missing -= 1
        for i, text in enumerate(shipment.sentences):
            self.answers[shipment.model, shipment.image_id, text] = _reading(outcome, i)

    def answer(self, case: Case, model: str) -> Reading | Failure:
        """The model's answer to an applicable case."""
        return self.answers[model, case.image.image_id, case.text]

    def sha256(self, case: Case) -> str:
        """Digest of the encoded image that the case was sent with; empty when it was never loaded."""
        image = self.images.get(case.image.image_id)
        return image.sha256 if image else ""


def _reading(outcome: Outcome | Readings, i: int) -> Reading | Failure:
    if isinstance(outcome, Failure):
        return outcome
    if isinstance(outcome, tuple):
        return outcome[i]
    error = outcome.errors[i]
    if error is not None:
        return Failure.of(error)
    return Reading(
        map=outcome.maps[i].copy(),
        opt_out=float(outcome.opt_out[i]),
        local_similarity=float(outcome.local_similarity[i]),
        global_similarity=float(outcome.global_similarity[i]),
        words=len(outcome.words[i]),
        truncated=bool(outcome.truncated[i]),
        frame=outcome.frame,
        identity=outcome.model,
        deterministic=outcome.deterministic,
    )


@dataclass(slots=True)
class Collector:
    """Sends plans and gathers their answers."""

    exchange: Answering
    models: Sequence[str]
    _open: dict[int, AnsweredImage] = field(default_factory=dict)
    _nothing_to_ask: deque[AnsweredImage] = field(default_factory=deque)

    def run(self, plans: Iterable[ImagePlan]) -> Iterator[AnsweredImage]:
        """Every plan once, answered, in the order in which they become complete."""
        for shipment, outcome in self.exchange.run(self._shipments(plans)):
            image = self._open[shipment.index]
            image.take(shipment, outcome)
            if not image.missing:
                yield self._open.pop(shipment.index)
            while self._nothing_to_ask:
                yield self._nothing_to_ask.popleft()
        yield from self._nothing_to_ask

    def _shipments(self, plans: Iterable[ImagePlan]) -> Iterator[Shipment]:
        """Runs in whatever thread the client reads its items from."""
        for plan in plans:
            requests = list(shipments(plan, self.models))
            image = AnsweredImage(plan, missing=len(requests), images={r.image_id: r.image for r in requests})
            if not requests:
                self._nothing_to_ask.append(image)
                continue
            self._open[plan.index] = image
            yield from requests


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One model's answer to one case."""

    answered: AnsweredImage
    case: Case
    model: str
    outcome: Reading | Failure | None
    """None: not applicable, never sent."""

    @property
    def regions(self) -> tuple[Box, ...]:
        """All named boxes of the data set's image."""
        return self.answered.plan.record.regions

    @property
    def on_own_image(self) -> bool:
        """Whether the case is about the data set's image as it is, not a changed one."""
        return self.case.image.image_id == self.answered.plan.record.image_id

    @property
    def status(self) -> str:
        """`ok`, `failed` or `not_applicable`."""
        if self.outcome is None:
            return "not_applicable"
        return "failed" if isinstance(self.outcome, Failure) else "ok"


def rows_of(images: Sequence[AnsweredImage], models: Sequence[str]) -> list[Row]:
    """Every row of a part: image by image, model by model, perturbation by perturbation, in the report's order."""
    return [
        Row(image, case, model, image.answer(case, model) if case.applicable else None)
        for image in images
        for model in models
        for case in image.plan.cases
    ]
