"""TorchServe's settings for an imported model, which is a hundred times the size of the shipped ones."""

from pathlib import Path

from wronglung.model.checkpoint import SERVING_FILE
from wronglung.model.files import write_file

_SETTINGS = """\
# TorchServe's settings for this model. On one core a full-size encoder takes about 0.2 s an image and 0.05 to 0.2 s a
# sentence: small batches keep answers quick, and no admitted batch comes near responseTimeout, which kills the worker.
# More workers answer more at once; each holds the weights.
minWorkers: 1
maxWorkers: 1
batchSize: 4
maxBatchDelay: 1
jobQueueSize: 16
responseTimeout: 600
startupTimeout: 600
maxRetryTimeoutInSec: 30
"""


def write_serving(folder: Path) -> None:
    """Write the settings into a model's folder."""
    write_file(folder / SERVING_FILE, _SETTINGS.encode())
