"""What the manifest says of where the results of a run came from."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.collect.exchange import Exchange
from harness.collect.exchanges import Exchanges
from harness.collect.partfile import read_note
from harness.collect.parts import merge_served
from harness.summary.cases import CaseTable


def collected_by(exchange: Exchange | Exchanges | None, started: str) -> dict[str, Any]:
    """What the manifest says of how the parts came to be."""
    return {"started_at": started, "requests_sent_again": exchange.retries if exchange is not None else 0}


def served_by(parts: Sequence[Path]) -> dict[str, Any]:
    """Model → which weights answered, over all parts.

    Raises:
        RunError: they changed between two parts.
    """
    found: dict[str, Any] = {}
    for part in parts:
        for model, node in (read_note(part) or {}).get("models", {}).items():
            merge_served(found, model, node)
    return dict(sorted(found.items()))


def images_digest(cases: CaseTable) -> str:
    """SHA-256 over the digests of all encoded images that were sent, in order."""
    digests = dict.fromkeys(zip(cases.values("image_id"), cases.values("image_sha256"), strict=True))
    return hashlib.sha256("\n".join(f"{image} {digest}" for image, digest in digests).encode()).hexdigest()
