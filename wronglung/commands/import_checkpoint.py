"""``wronglung import-checkpoint``: a checkpoint from elsewhere becomes a model that can be served."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wronglung.console import Console

if TYPE_CHECKING:
    from wronglung.model.config import ModelConfig

_EXAMPLES = """\
examples:
  wronglung import-checkpoint chexpert_resnet50.ckpt --tokenizer Bio_ClinicalBERT/ --name gloria
  wronglung import-checkpoint noattn_epoch14.ckpt --tokenizer Bio_ClinicalBERT/ --name gloria-optout --version 2.0
  wronglung import-checkpoint state_dict.pt --tokenizer vocabulary/ --heads 12 --name mine --out models/mine
  wronglung import-checkpoint runs/my-encoder/best --name my-encoder

No code in the file is run. What the tensors' shapes cannot tell is taken from the config.json beside the tokenizer and
from the training's options in the file; where it came from is printed and written on the model's card.
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "import-checkpoint",
        help="import GLoRIA checkpoints, with or without opt-out vector",
        description="Import a checkpoint in the published GLoRIA layout (a Lightning file, a state_dict, or "
        "safetensors), or the directory of a model trained here.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the checkpoint, or a model's directory")
    add("--tokenizer", metavar="DIR_OR_NAME", help="folder with vocab.txt or tokenizer.json, or a name in HF_HOME")
    add("--name", type=_name, required=True, help="name to serve it under: that of its folder in the model store")
    add("--out", type=Path, metavar="DIR", help="the model's folder (default: model_store/NAME)")
    add("--version", metavar="V", help="version of the model (default: 1.0, or the directory's own)")
    add("--heads", type=int, metavar="N", help="attention heads of its BERT, where no config.json tells")
    stretch = "stretch each image's minimum … maximum to the full range first, as the published loader does"
    add("--stretch", action=argparse.BooleanOptionalAction, help=f"{stretch} (default: no)")
    empty = "a sentence of which cleaning leaves nothing is an error, or encoded as its markers alone as published"
    add("--empty-sentences", choices=("error", "encode_markers"), help=f"{empty} (default: error)")
    add("--force", action="store_true", help="replace the model that is there")
    parser.set_defaults(run=run)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} must begin with a letter or digit; then also . _ and -")
    return text


def run(args: argparse.Namespace) -> int:
    """Import; returns the exit status."""
    try:
        from wronglung.home import HomeMissing, project_home
        from wronglung.model.errors import ModelFilesError
    except ModuleNotFoundError as error:
        return _fail(f"{error}: install wronglung with the extra 'serve'")
    try:
        store = project_home() / "model_store"
        target = args.out or store / args.name
        _check_name(target, args.name)
        config = _import_own(args, target) if args.file.is_dir() else _import_published(args, target)
    except (HomeMissing, ModelFilesError, OSError) as error:
        return _fail(str(error))
    print(f"{target}  version {config.version}  weights {config.weights_sha256}")
    print(f"next: write {target / 'CARD.md'}, then: wronglung serve {_serve_flags(target.resolve(), store.resolve())}")
    return 0


def _check_name(target: Path, name: str) -> None:
    from wronglung.model.errors import ModelFilesError

    if (folder := target.resolve().name) != name:
        raise ModelFilesError(
            f"a model is served under the name of its folder: give --name {folder}, or --out {target / name}"
        )


def _serve_flags(target: Path, store: Path) -> str:
    """How to serve the model; the model store needs no mention where it is the project's own."""
    elsewhere = "" if target.parent == store else f"--model-store {target.parent} "
    return f"{elsewhere}--models {target.name}"


def _import_own(args: argparse.Namespace, target: Path) -> "ModelConfig":
    from wronglung.model.errors import ModelFilesError
    from wronglung.model.importing.own import import_own

    pointless = [flag for flag, value in _decided_by_a_directory(args) if value is not None]
    if pointless:
        raise ModelFilesError(
            f"{args.file} is a model's directory, which decides {', '.join(pointless)}: leave them out"
        )
    return import_own(args.file, target, version=args.version, replace=args.force, progress=_console().progress)


def _decided_by_a_directory(args: argparse.Namespace) -> list[tuple[str, Any]]:
    return [
        ("--tokenizer", args.tokenizer),
        ("--heads", args.heads),
        ("--stretch", args.stretch),
        ("--empty-sentences", args.empty_sentences),
    ]


def _import_published(args: argparse.Namespace, target: Path) -> "ModelConfig":
    from wronglung.model.errors import ModelFilesError
    from wronglung.model.importing.importer import Wishes, import_published

    if args.tokenizer is None:
        raise ModelFilesError(
            "a checkpoint has no tokenizer: give the one it was trained with, --tokenizer DIR_OR_NAME"
        )
    wishes = Wishes(
        name=args.name,
        version=args.version or "1.0",
        heads=args.heads,
        stretch=bool(args.stretch),
        empty=args.empty_sentences or "error",
        replace=args.force,
    )
    imported = import_published(args.file, args.tokenizer, target, wishes, _console().progress)
    for fact in imported.facts:
        print(f"{fact.subject:<22}{fact.value}  [{fact.source}]")
    print(f"{'left out':<22}{', '.join(imported.left_out) or 'nothing'}")
    return imported.config


def _console() -> Console:
    return Console("import-checkpoint")


def _fail(message: str) -> int:
    _console().say(message)
    return 2
