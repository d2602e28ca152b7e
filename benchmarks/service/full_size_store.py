"""The full-size architecture with random weights as a served model: its maps mean nothing, its cost does."""

from pathlib import Path

from benchmarks.full_size import random_checkpoint
from wronglung.model.checkpoint import SERVING_FILE, SERVING_SETTINGS, save_checkpoint

MODEL = "full-size"
_NOTHING_KEPT = """\
handler:
  deterministic: true
  image_cache_mib: 0
  sentence_cache_mib: 0
"""
"""So that every request costs its whole price."""


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
    (directory / SERVING_FILE).write_text(SERVING_SETTINGS + _NOTHING_KEPT, encoding="utf-8")
    return MODEL
