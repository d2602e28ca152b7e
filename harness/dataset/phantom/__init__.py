"""Phantom chest radiographs: procedural pictures with anatomy, findings, reports and boxes, made to order.

Read in this order: `plan` (what a study shows) → `anatomy`, `findings`, `view` → `render` (`body`, `shadows`,
`visibility`, `exposure`) → `report` (`templates`, `vocabulary`) → `dataset`. `truth` says which sentences are true.
"""

from harness.dataset.phantom.dataset import GENERATOR_VERSION, PhantomDataset, PhantomStudy
from harness.dataset.phantom.mirror import mirror
from harness.dataset.phantom.truth import is_true, sentence_key

__all__ = ["GENERATOR_VERSION", "PhantomDataset", "PhantomStudy", "is_true", "mirror", "sentence_key"]
