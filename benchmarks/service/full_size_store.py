"""The full-size architecture with random weights as a served model: its maps mean nothing, its cost does."""

from pathlib import Path

from benchmarks.full_size import random_checkpoint
from wronglung.archives import SERVING_FILE
from wronglung.model.checkpoint import save_checkpoint

MODEL = "full-size"
_SETTINGS = """\
# Nothing is kept: every request costs its whole price.
minWorkers: 1
maxWorkers: 1
batchSize: 8
maxBatchDelay: 1
responseTimeout: 120
startupTimeout: 300
maxRetryTimeoutInSec: 30
handler:
  deterministic: true
  image_cache_mib: 0
  sentence_cache_mib: 0
"""


def write_full_size(store: Path) -> str:
    """Write the model into a store; returns its name."""
    checkpoint = random_checkpoint()
    config = checkpoint.config
    directory = store / MODEL
    save_checkpoint(
        directory,
        checkpoint.network,
        checkpoint.tokenizer,
        preprocess=config.preprocess,
        cleaning=config.cleaning,
    )
    (directory / SERVING_FILE).write_text(_SETTINGS, encoding="utf-8")
    return MODEL
