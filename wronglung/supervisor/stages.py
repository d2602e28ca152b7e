"""How far each model has got while a server starts, from what its workers print."""

import re
from collections.abc import Sequence

STAGE = "WRONGLUNG STAGE"
"""The handler prints this before the name of a step that may take a while."""

_WORKER_LINE = re.compile(r"^\S+ W-\d+-(?P<archive>.+)-std(?:out|err) - (?P<text>.*)$")
_WAITING = "waits for a worker"  # Java starts, the archive is unpacked
_STARTING = "starts a worker"


def stages(log: str, models: Sequence[str]) -> dict[str, str]:
    """What each model is at, in words.

    Args:
        log: what the workers have printed so far.
        models: the models that are being started.
    """
    found = dict.fromkeys(models, _WAITING)
    for line in log.splitlines():
        if (match := _WORKER_LINE.match(line)) is None or (model := _model(match["archive"], models)) is None:
            continue
        if found[model] == _WAITING:
            found[model] = _STARTING
        if STAGE in match["text"]:
            found[model] = match["text"].partition(STAGE)[2].lstrip(": ")
    return found


def _model(archive: str, models: Sequence[str]) -> str | None:
    """The model whose worker this is: TorchServe writes `<name>_<version>`."""
    return max((label for label in models if f"{archive}_".startswith(_archive(label))), key=len, default=None)


def _archive(label: str) -> str:
    """How the archive of a label begins there."""
    return f"{label.replace('@', '_')}_"
