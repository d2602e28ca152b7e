"""How much memory and disk it takes to serve a model, estimated from its files before anything is started.

A worker holds the program, the weights (and once more the largest tensor while it reads them: a fifth, in BERT-base the
word embeddings), the caches of embeddings as far as its settings let them grow, and what one pass through the network
takes. `precision: bf16` saves nothing here: weights are read as float32 and converted then.
"""

from pathlib import Path
from typing import NamedTuple

from wronglung.archives import SERVING_FILE, serving_settings
from wronglung.model.checkpoint import WEIGHTS_FILE

MIB = 1 << 20
PROGRAM_MIB = 400
"""Python with torch and transformers: measured 390."""
PASS_MIB = 150
"""One pass through the full-size network, and a decoded image."""
READING = 1.2
"""Weights in memory while they are read, as a multiple of the file."""
SERVER_MIB = 1000
"""Java, the gateway and the supervisor."""
COPIES_ON_DISK = 2
"""The archive, and what TorchServe unpacks from it."""


class Footprint(NamedTuple):
    """What serving one model takes, in MiB."""

    memory: int
    disk: int


def footprint(directory: Path) -> Footprint:
    """Estimate what a model takes.

    Args:
        directory: the model's folder.

    Raises:
        ModelFilesError: one of its settings is invalid.
        OSError: it has no weights.
    """
    settings = serving_settings(directory / SERVING_FILE)
    weights = (directory / WEIGHTS_FILE).stat().st_size / MIB
    caches = settings.compute.image_cache_mib + settings.compute.sentence_cache_mib
    worker = PROGRAM_MIB + READING * weights + caches + PASS_MIB
    return Footprint(memory=round(settings.workers * worker), disk=round(COPIES_ON_DISK * weights))
