"""The finished model's folder, and its card from measured numbers."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.dataset.phantom import GENERATOR_VERSION
from training.config import TrainingConfig
from training.evaluation import Outcomes
from training.trainer import LOG_FILE, Progress
from wronglung.model.checkpoint import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE

CARD_FILE = "CARD.md"
_TITLES = {
    "none": "the report's own sentences",
    "swap_left_right": "left and right exchanged",
    "random_sentences": "sentences of another patient",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured."""

    seconds: float
    """Of training alone, without rendering."""
    progress: Progress
    parameters: int
    training_studies: int
    test_studies: int
    outcomes: Outcomes
    """On test patients."""


def publish(work: Path, output: Path, config: TrainingConfig, recipe: str, measured: Measured) -> None:
    """Copy the best checkpoint, its log and its recipe into the model's folder and write the card.

    Files of the folder that training does not write (`model-config.yaml`, once it exists) stay as they are.

    Args:
        work: folder with the log and the checkpoint `best`.
        output: the model's folder.
        config: the recipe as read.
        recipe: path of the recipe relative to the repository, for the command on the card.
        measured: for the card.
    """
    best = work / "best"
    for source in sorted(path for path in best.rglob("*") if path.is_file()):
        target = output / source.relative_to(best)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.relative_to(best).as_posix() in (CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE) or not target.exists():
            shutil.copyfile(source, target)
    shutil.copyfile(work / LOG_FILE, output / "training-log.csv")
    (output / CARD_FILE).write_text(card(config, recipe, measured, (output / WEIGHTS_FILE).stat().st_size), "utf-8")


def card(config: TrainingConfig, recipe: str, measured: Measured, weights_bytes: int) -> str:
    """The model's card, in Markdown."""
    data, schedule = config.data, config.schedule
    kind = "with opt-out vector" if config.network.attention.opt_out else "without opt-out vector"
    mirrored = ", every study also mirrored with its words exchanged" if data.mirrored else ""
    return f"""# {config.name} {config.version}

{config.purpose}

| | |
|---|---|
| architecture | GLoRIA (ICCV 2021) {kind}; {measured.parameters:,} parameters, {weights_bytes / 1e6:.1f} MB |
| maps | one per sentence on a grid of {config.network.image.grid_side} × {config.network.image.grid_side} cells |
| trained on | {measured.training_studies:,} phantom radiographs of {data.patients:,} procedural patients \
(generator {GENERATOR_VERSION}, seed {data.seed}, split "train"){mirrored}; no picture of a real patient |
| first weights | {"random" if config.start_from is None else f"the result of `{config.start_from}`"} |
| loss | GLoRIA's local and global contrastive losses; pairs whose sentence is true for the image are no negatives |
| schedule | AdamW, {measured.progress.step:,} steps of {schedule.batch} pairs; the weights are those of step \
{measured.progress.best_step:,}, which had the lowest loss on {data.validation_patients} validation patients \
({measured.progress.best_loss:.3f}) |
| seed | {config.seed} |
| training time | {measured.seconds / 60:.0f} minutes on {config.threads} thread{"s" * (config.threads > 1)} of a CPU |

## Results

Mean AUROC of the maps against the sentences' boxes (areas over the grid, ties in expectation; 0.5 is chance), on
{measured.test_studies} studies of {data.test_patients} **test** patients (phantom, generator {GENERATOR_VERSION}, \
seed {data.seed}), which training has not
seen and by which no checkpoint was chosen. Δ: change against the same sentences unperturbed.

{_results(measured.outcomes)}

## Reproduce

    python -m training {recipe}

The recipe is that file; `training-log.csv` has every look at the validation patients. The same seed, thread count,
generator of phantoms and kind of CPU give the same weights.

## Intended use

Research on whether attention maps can be trusted, demonstrations and tests of the software. **Not a medical device**:
it has seen nothing but procedural pictures, and its maps on real radiographs mean nothing for a patient.
"""


def _results(outcomes: Outcomes) -> str:
    subsets = list(next(iter(outcomes.values())))
    lines = ["| text | " + " | ".join(subsets) + " |", "|---" * (len(subsets) + 1) + "|"]
    for perturbation, by_subset in outcomes.items():
        cells = [
            f"{o.auroc:.3f}" + f" (Δ {o.delta:+.3f})" * (perturbation != "none") + f", n={o.sentences}"
            for o in by_subset.values()
        ]
        lines.append(f"| {_TITLES[perturbation]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
