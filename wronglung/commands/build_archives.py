"""``wronglung build-archives``: TorchServe's archives and the gateway's table of models, e.g. for a container image."""

import argparse
from pathlib import Path
from typing import Any

from wronglung.console import Console


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("build-archives", help="build TorchServe's archives from the model store")
    add = parser.add_argument
    add("--models", nargs="+", metavar="NAME", help="models of the store (default: all)")
    add("--model-store", type=Path, metavar="DIR", help="folder that holds the models (default: model_store)")
    add("--output", type=Path, default=Path("build/archives"), metavar="DIR", help="default: %(default)s")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build; returns the exit status."""
    console = Console("build-archives")
    try:
        from wronglung.archives import StoreError, build_archives, models_in
        from wronglung.home import HomeMissing, project_home
        from wronglung.model.errors import ModelFilesError
    except ModuleNotFoundError as error:
        return _fail(console, f"{error}: install wronglung with the extra 'serve'")
    try:
        home = project_home()
        store = args.model_store or home / "model_store"
        served = build_archives(args.models or models_in(store), store, args.output, home, console.progress)
    except (HomeMissing, StoreError, ModelFilesError, OSError) as error:
        return _fail(console, str(error))
    for model in served:
        print(f"{args.output / model.name}.mar  version {model.version}  weights {model.weights_digest}")
    return 0


def _fail(console: Console, message: str) -> int:
    console.say(message)
    return 2
