"""The finished model's folder, and its card from measured numbers."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from training import cardtext
from training.carddata import has_seen, held_out, learned_from, tested_on
from training.config import ModelRecipe
from training.dataconfig import PhantomData
from training.devices import ONE_CPU
from training.evaluation import UNPERTURBED, Outcome, Outcomes
from training.logs import LOG_FILE
from training.trainer import Progress
from wronglung.model.checkpoint import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE
from wronglung.model.config import AnyNetworkConfig

CARD_FILE = "CARD.md"
_TITLES = {
    "none": "the report's own sentences",
    "swap_left_right": "left and right exchanged",
    "random_sentences": "sentences of another patient",
}
_METRICS = {
    "auroc": "Mean **AUROC** (areas over the grid, ties in expectation; 0.5 is chance):",
    "pointing": "Mean **pointing** (label coverage of the most attended cell; by chance the boxes' share of it all):",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured."""

    progress: Progress
    computed_on: str
    """What trained, e.g. "one CPU"."""
    parameters: int
    training_studies: int
    network: AnyNetworkConfig
    """What was trained: a few-shot recipe does not say."""
    shots: tuple[str, ...]
    """Ids of the sentences of few-shot finetuning; empty for other recipes."""
    start_digest: str | None
    """SHA-256 of the first weights, where a model's folder gave them."""
    phantoms_alone: bool
    """Whether it is known that no picture of a patient was learned from, in this run or before."""
    test_studies: int
    outcomes: Outcomes | None
    """On test patients; None: the recipe names none."""


def publish(work: Path, output: Path, recipe: ModelRecipe, source: str, measured: Measured) -> None:
    """Copy the best checkpoint and its log into the model's folder and write the card.

    Files of the folder that training does not write (`model-config.yaml`, once it exists) stay as they are.

    Args:
        work: folder with the log and the checkpoint `best`.
        output: the model's folder.
        recipe: as read.
        source: the recipe's path relative to the repository, for the command on the card.
        measured: for the card.
    """
    best = work / "best"
    for path in sorted(path for path in best.rglob("*") if path.is_file()):
        target = output / path.relative_to(best)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.relative_to(best).as_posix() in (CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE) or not target.exists():
            shutil.copyfile(path, target)
    if (work / LOG_FILE).exists():
        shutil.copyfile(work / LOG_FILE, output / "training-log.csv")
    (output / CARD_FILE).write_text(card(recipe, source, measured, (output / WEIGHTS_FILE).stat().st_size), "utf-8")


def card(recipe: ModelRecipe, source: str, measured: Measured, weights_bytes: int) -> str:
    """The model's card, in Markdown."""
    data, schedule, phantoms_alone = recipe.data, recipe.schedule, measured.phantoms_alone
    return f"""# {recipe.name} {recipe.version}

{recipe.purpose}

| | |
|---|---|
| architecture | {cardtext.architecture(measured.network)}; {measured.parameters:,} parameters, \
{weights_bytes / 1e6:.1f} MB |
| maps | one per sentence on a grid of {measured.network.grid_side} × {measured.network.grid_side} cells |
| trained on | {cardtext.few_of(recipe)}{learned_from(data, measured.training_studies, phantoms_alone=phantoms_alone)} |
| sentences | {cardtext.sentences(recipe)} |
| first weights | {cardtext.first_weights(recipe, measured.start_digest)} |
| loss | {cardtext.loss(recipe)} |
| schedule | AdamW, {measured.progress.step:,} steps of {schedule.batch} {cardtext.unit(recipe)}; the weights are \
those of step {measured.progress.best_step:,}, which had the lowest loss on {held_out(data)} \
({measured.progress.best_loss:.3f}) |
| seed | {recipe.seed} |
| training time | {_time(recipe, measured)} |

## Results

{_results(recipe, measured)}
{cardtext.notes(recipe)}
## Reproduce

    python -m training {source}

The recipe is that file; `training-log.csv` has every look at the validation patients. The same seed, thread count,
{"generator of phantoms" if isinstance(data, PhantomData) else "data"} and kind of CPU give the same weights.
{cardtext.shots(measured.shots)}
## Intended use

Research on whether attention maps can be trusted, demonstrations and tests of the software. **Not a medical device**:
{has_seen(phantoms_alone=phantoms_alone)}.
"""


def _time(recipe: ModelRecipe, measured: Measured) -> str:
    threads = f"{recipe.threads} thread{'s' * (recipe.threads > 1)} of a CPU"
    where = threads if measured.computed_on == ONE_CPU else f"{measured.computed_on}, {threads} each"
    return f"{measured.progress.seconds / 60:.0f} minutes on {where}{cardtext.beside(recipe, measured.start_digest)}"


def _results(recipe: ModelRecipe, measured: Measured) -> str:
    if measured.outcomes is None:
        return "None: the recipe names no test data (`data.test`)."
    intro = (
        f"The maps against the sentences' boxes, on {tested_on(recipe.data, measured.test_studies)}, which training has"
        " not seen and by which no\ncheckpoint was chosen. Δ: change against the same sentences unperturbed. "
        "In brackets: 95 % intervals over patients."
    )
    tables = [f"{_METRICS[metric]}\n\n{_table(found)}" for metric, found in measured.outcomes.items()]
    return "\n\n".join([intro, *tables])


def _table(outcomes: dict[str, dict[str, Outcome]]) -> str:
    subsets = list(next(iter(outcomes.values())))
    lines = ["| text | " + " | ".join(subsets) + " |", "|---" * (len(subsets) + 1) + "|"]
    for perturbation, by_subset in outcomes.items():
        cells = [_cell(outcome, perturbed=perturbation != UNPERTURBED) for outcome in by_subset.values()]
        lines.append(f"| {_TITLES[perturbation]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(outcome: Outcome, *, perturbed: bool) -> str:
    """A mean and, if words were changed, by how much it changed: that is given the interval then."""
    mean, delta = outcome
    if not mean.n:
        return "none"
    if perturbed:
        found = f"{mean.mean:.3f}, Δ {delta.mean:+.3f} [{delta.lo:+.3f}, {delta.hi:+.3f}]"
    else:
        found = f"{mean.mean:.3f} [{mean.lo:.3f}, {mean.hi:.3f}]"
    return f"{found}, n={mean.n}{f', of {mean.patients} patients only' * mean.few_patients}"
