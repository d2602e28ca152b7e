"""Model stores for one measurement: copies of shipped models, in another version or without caches."""

import json
import shutil
from pathlib import Path

import yaml

from wronglung.archives import CONFIG_FILE, SERVING_FILE


def copy_model(source: Path, store: Path) -> Path:
    """Copy a model's folder into a store under the same name; returns the copy."""
    return Path(shutil.copytree(source, store / source.name))


def copy_version(source: Path, store: Path, version: str) -> str:
    """Copy a model's folder as another version of it, with the same weights; returns the name of the copy's folder."""
    name = f"{source.name}@{version}"
    copy = shutil.copytree(source, store / name) / CONFIG_FILE
    config = json.loads(copy.read_text(encoding="utf-8")) | {"version": version}
    copy.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return name


def without_caches(directory: Path) -> None:
    """Have a model keep no embeddings, so that every request costs its whole price."""
    file = directory / SERVING_FILE
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    settings["handler"] = (settings.get("handler") or {}) | {"image_cache_mib": 0, "sentence_cache_mib": 0}
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
