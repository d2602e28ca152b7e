"""Where the files of the server are: handler, models, settings. They are files, not part of the installed package."""

import os
from pathlib import Path

_MARKER = Path("handlers", "alignment_handler.py")


class HomeMissing(RuntimeError):
    """The server's files were not found."""


def project_home() -> Path:
    """The checkout (or the image's copy of it) that holds `handlers/`, `model_store/` and `deploy/`.

    Looked for in ``WRONGLUNG_HOME``, beside this package, and in the working directory.

    Raises:
        HomeMissing: it is in none of them.
    """
    wanted = os.environ.get("WRONGLUNG_HOME")
    candidates = [Path(wanted)] if wanted else [Path(__file__).parents[1], Path.cwd()]
    for home in candidates:
        if (home / _MARKER).is_file():
            return home.resolve()
    raise HomeMissing(
        f"no {_MARKER} in {' or '.join(map(str, candidates))}: the server runs from a checkout of wronglung. "
        "Change into it, or set WRONGLUNG_HOME to it."
    )
