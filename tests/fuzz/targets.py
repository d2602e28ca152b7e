"""What is fuzzed: every place where bytes from outside are read, and what must come of them."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.fuzz import dicom_elements, jpeg_segments, png_chunks, protobuf_fields, seeds
from tests.fuzz.mutations import Mutator
from tests.fuzz.watch import Allowance, Check

ORDINARY = Allowance()
_WITH_A_PROCESS = Allowance(cpu_s=1.5, cpu_s_per_megapixel=1)


@dataclass(frozen=True)
class Target:
    """One place."""

    seeds: Callable[[], list[bytes]]
    mutate: Mutator
    """Changes the structure of an input."""
    open: Callable[[], Check]
    """Imports what is fuzzed, which costs time, and returns the check."""
    allowance: Allowance = ORDINARY
    share: int = 1
    """Of the CPU time of a campaign, against that of the others."""


def _images() -> Check:
    """`wronglung.images`: pixels of the size that the header says, or a leaf of `ImageError` that quotes nothing."""
    from tests.fuzz.contract import check_image

    return check_image


def _border() -> Check:
    """The gateway's first look at a message."""
    from tests.fuzz.contract import check_request

    return check_request


def _answer() -> Check:
    """What a client makes of an answer, and the gateway of a handler's."""
    from tests.fuzz.contract import check_answer

    return check_answer


def _envelope() -> Check:
    """The handler, with a good request before and behind."""
    from tests.fuzz.handled import checked_handler

    return checked_handler()


def _status() -> Check:
    """What a client makes of a status."""
    from tests.fuzz.contract import check_status

    return check_status


TARGETS: Mapping[str, Target] = {
    "png": Target(seeds.png, png_chunks.mutate, _images, share=5),
    "jpeg": Target(seeds.jpeg, jpeg_segments.mutate, _images, share=6),
    "dicom": Target(seeds.dicom_files, dicom_elements.mutate, _images, share=8),
    "isolated": Target(seeds.isolated_files, dicom_elements.mutate, _images, _WITH_A_PROCESS, share=4),
    "request": Target(seeds.requests, protobuf_fields.mutate, _border, share=3),
    "envelope": Target(seeds.envelopes, protobuf_fields.mutate, _envelope, share=4),
    "answer": Target(seeds.answers, protobuf_fields.mutate, _answer),
    "status": Target(seeds.statuses, protobuf_fields.mutate, _status),
}


def structured(target: Target, rng: random.Random) -> bytes:
    """A seed whose structure was changed, up to four times."""
    data = rng.choice(target.seeds())
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = target.mutate(data, rng)
    return data
