"""Whether `--resume` finds a run that has finished, and whether it is the very one that is asked for."""

import json
import shutil

from harness.collect.parts import RunError
from harness.stages import Run

FROM_THE_PARTS = ("name", "resamples", "ratings", "save_maps", "gallery")
"""Settings that decide what is computed from the parts, but not the parts themselves."""


def has_finished(run: Run) -> bool:
    """Whether this very run has finished here before.

    Raises:
        RunError: another one has, or this one with other settings of what is computed from the parts.
    """
    if not run.directory.manifest.is_file():
        return False
    manifest = json.loads(run.directory.manifest.read_bytes())
    if manifest.get("fingerprint") != run.fingerprint:
        raise RunError(
            f"{run.directory.root} holds another finished run, or this one with other maps or by another version "
            "of the code: run without --resume to replace it"
        )
    if manifest["dataset"]["images_run"] != run.layout.run_images:
        return False
    wanted = run.config.model_dump(mode="json", include=set(FROM_THE_PARTS))
    changed = [key for key in FROM_THE_PARTS if manifest["config"].get(key) != wanted[key]]
    if run.ratings is not None and run.ratings.digest != manifest.get("ratings", {}).get("digest"):
        changed.append("file of ratings")
    if changed:
        raise RunError(
            f"{run.directory.root} holds this run finished with another {', '.join(changed)}, and its parts are "
            "gone: run without --resume to compute it anew"
        )
    shutil.rmtree(run.directory.parts, ignore_errors=True)  # a kill after the manifest was written leaves them
    return True
