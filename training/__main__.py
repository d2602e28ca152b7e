"""`python -m training CONFIG`."""

import argparse
import os
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLES = """\
examples:
  python -m training training/configs/smallest.yaml --output trained/smallest
                                      a first look: under a minute, and good for nothing
  python -m training training/configs/encoder.yaml
                                      the shipped model again, into model_store/encoder
  python -m training training/configs/encoder.yaml --seed 1 --output trained/encoder-seed-1
                                      by the same recipe from other first weights, to see how much is chance
  python -m training mine.yaml --output model_store/mine --resume
                                      on your own data; goes on where it stopped, if it did
  accelerate launch --multi_gpu --num_processes 4 -m training mine.yaml --output model_store/mine
                                      on four GPUs, each with batches of its own
  tensorboard --logdir .cache/training
                                      curves, with logs: [csv, tensorboard] in the recipe

docs/training.md says how to write a recipe, docs/training-keys.md what every key means
"""


class _PrintKeys(argparse.Action):
    """Print the page of keys and leave."""

    def __call__(self, parser: argparse.ArgumentParser, *arguments: object, **options: object) -> None:
        from training.keys import page

        print(page(), end="")
        parser.exit()


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train a model by a recipe, on phantoms or your own data, and write its folder with a card of"
        " measured results. A recipe of the kind findings gives first weights for others and no model: its checkpoint"
        " stays in the work folder.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", type=Path, help="YAML file with the recipe")
    parser.add_argument(
        "--output", type=Path, help="folder for the finished model (default: model_store/<name of the config>)"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=REPOSITORY / ".cache" / "training",
        help="folder for pictures, logs, checkpoints and states (default: .cache/training of the checkout)",
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute (default: a GPU if there is one)",
    )
    parser.add_argument(
        "--seed",
        type=_seed,
        help="in place of the recipe's seed and of those of the recipes it starts from; the model is then called"
        " NAME-seed-SEED",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where a killed run of this recipe stopped, if there is one"
    )
    parser.add_argument("--keys", nargs=0, action=_PrintKeys, help="print every key of a recipe with its meaning")
    return parser.parse_args(argv)


def _seed(text: str) -> int:
    """What a recipe takes for a seed, too."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text} is no seed: name a whole number from 0 to 2^63 - 1")
    return int(text)


def main(argv: list[str] | None = None) -> int:
    """Train, evaluate on test patients, write the model's folder; 2 on a wrong config."""
    arguments = _arguments(argv)
    from harness.dataset.base import DatasetError
    from harness.settings import ConfigError
    from training.config import FindingsRecipe, load_recipe, reseeded
    from wronglung.model.errors import ModelFilesError

    try:
        recipe = reseeded(load_recipe(arguments.config), arguments.seed)
    except ModelFilesError as error:
        print(error, file=sys.stderr)
        return 2
    # Before PyTorch starts its pool: a thread count set later leaves parts of it behind.
    os.environ["OMP_NUM_THREADS"] = str(recipe.threads)
    from training.devices import Devices
    from training.run import Workplace, train, train_and_publish

    started = time.monotonic()
    try:
        with Devices(arguments.device) as devices:
            work = Workplace(arguments.work, devices, arguments.resume, arguments.seed)
            if isinstance(recipe, FindingsRecipe):
                written = train(recipe, work).folder / "best"
            else:
                written = arguments.output or REPOSITORY / "model_store" / recipe.name
                train_and_publish(recipe, _told(arguments), written, work)
    except (ConfigError, ModelFilesError, DatasetError) as error:
        print(error, file=sys.stderr)
        return 2
    if devices.is_first:
        print(f"wrote {written} after {(time.monotonic() - started) / 60:.1f} minutes")
    return 0


def _told(arguments: argparse.Namespace) -> str:
    """What follows `python -m training` on the card."""
    seed = "" if arguments.seed is None else f" --seed {arguments.seed}"
    return f"{_shown(arguments.config)}{seed}"


def _shown(path: Path) -> str:
    """A path as the card shows it: relative to the repository if it lies there, else its name alone."""
    resolved = path.resolve()
    return str(resolved.relative_to(REPOSITORY)) if resolved.is_relative_to(REPOSITORY) else path.name


def _run() -> None:
    status = main()
    from training.devices import leave

    leave(status)


if __name__ == "__main__":
    _run()
