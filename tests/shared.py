"""Reference data that is not part of this repository (golden cases, real radiographs).

It lies in a folder ``shared`` beside the checkout, or where ``WRONGLUNG_SHARED`` points. Tests that want it ask
`shared_path`, which skips them where it is missing.
"""

import os
from pathlib import Path

from tests import needs

REPOSITORY = Path(__file__).resolve().parents[1]


def shared_root() -> Path:
    """Where the reference data would be; it need not exist."""
    return Path(os.environ.get("WRONGLUNG_SHARED") or REPOSITORY.parent / "shared")


def shared_path(relative: str) -> Path:
    """The path of one reference file or folder, e.g. ``shared_path("golden/paper_metrics.json")``; skips if missing."""
    path = shared_root() / relative
    if not path.exists():
        needs.skip("shared", f"no {relative} in the folder of reference data; set WRONGLUNG_SHARED")
    return path
