"""docs/results-format.md says of every file, key and column of a run what a real run writes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from harness.case import Sentence
from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests import repository
from tests.harness_fakes import LEFT_LUNG, RIGHT_LUNG, FakeClient, FakeDataset, record, sentence

PAGE = repository.read(Path("docs/results-format.md"))
NUMBERS = {"mean", "ci95", "n", "patients", "p", "q", "mde"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    config: dict[str, Any] = {
        "name": "page",
        "dataset": {"kind": "phantom"},
        "models": ["encoder", "encoder-optout"],
        "perturbations": ["none", "swap_left_right", "random_sentences", "mirror_both"],
        "resamples": 100,
        "save_maps": True,
        "ratings": {"path": str(tmp_path_factory.mktemp("ratings") / "ratings.csv"), "models": {"ckpt": "encoder"}},
        "out": str(out),
    }
    dataset = FakeDataset([record(i, *sentences(i)) for i in range(6)])
    write_ratings(Path(config["ratings"]["path"]), dataset)
    run(parse_run_config(config, "test"), dataset, FakeClient())
    return out


def write_ratings(path: Path, dataset: FakeDataset) -> None:
    """Two ratings for each image, and one that is out of range."""
    lines = ["dicom_sent_id,dicom_id,checkpoint_name,prompt,has_good_recall,has_good_precision,is_intuitive"]
    for i, image in enumerate(dataset):
        for k, rated in enumerate(image.sentences[:2]):
            stars = (i + k) % 5 + 1
            lines.append(f"{rated.sentence_id},{image.image_id},ckpt,{rated.text},{stars},{6 - stars},{stars}")
    path.write_text("\n".join([*lines, lines[-1][:-1] + "9"]), encoding="utf-8")


def sentences(i: int) -> tuple[Sentence, ...]:
    """One for each side, one for both, one that denies, one that fails."""
    return (
        sentence(f"s{i}-0", "Opacity in the right lung.", RIGHT_LUNG),
        sentence(f"s{i}-1", f"Nodule number {i} in the left lung.", LEFT_LUNG),
        sentence(f"s{i}-2", "The left and the right lung are opaque.", RIGHT_LUNG, LEFT_LUNG),
        sentence(f"s{i}-3", "The lungs are clear.", RIGHT_LUNG, LEFT_LUNG, context=False),
        sentence(f"s{i}-4", "Empty.", RIGHT_LUNG),
    )


def section(title: str) -> str:
    """The page from one heading to the next."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def listed(title: str) -> list[str]:
    """What stands in backticks in the first column of a section's table."""
    cells = re.findall(r"^\| (`[^|]+) \|", section(title), re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def leaves(node: Any, path: str = "") -> Iterator[str]:
    """The path of every value; estimates count as values."""
    if not isinstance(node, dict) or (path and not node):
        yield path
    elif "mean" in node and "n" in node:
        assert set(node) <= NUMBERS, path
        yield path
    else:
        for key, child in node.items():
            yield from leaves(child, f"{path}.{key}" if path else key)


def pattern(key: str) -> re.Pattern[str]:
    """A key of the page as a pattern for paths."""
    parts = (r"[^.]+" if part.startswith("<") else re.escape(part) for part in key.split("."))
    return re.compile(r"\.".join(parts))


def check_paths(title: str, paths: set[str], may_be_missing: frozenset[str] = frozenset()) -> None:
    """Every path is on the page, and what is on the page is found."""
    patterns = {key: pattern(key) for key in listed(title)}
    assert [path for path in sorted(paths) if not any(p.fullmatch(path) for p in patterns.values())] == []
    never = {key for key, p in patterns.items() if not any(p.fullmatch(path) for path in paths)}
    assert never <= may_be_missing


def test_every_file_is_on_the_page(results: Path) -> None:
    files = set(re.findall(r"^\| `([^`]+)` \|", PAGE.split("\n## ")[0], re.MULTILINE))
    assert {f"{p.name}/" if p.is_dir() else p.name for p in results.iterdir()} == files - {"parts/", "maps/", "shards/"}


def test_every_key_of_the_summary_is_on_the_page(results: Path) -> None:
    summary = json.loads((results / "summary.json").read_bytes())
    check_paths("summary.json", set(leaves(summary)))


def test_every_key_of_the_manifest_is_on_the_page(results: Path) -> None:
    manifest = json.loads((results / "manifest.json").read_bytes())
    sources = {"sources.<model>.<key>", "sources.<model>.<list>.<kind>", "config.maps_from.<model>.<key>"}
    sources |= {f"config.maps_from.<model>.{section}.<key>" for section in ("frame", "regions")}
    data = {"dataset.left_out.<kind>", "dataset.warnings.<kind>", "dataset.examples.<kind>"}
    check_paths(
        "manifest.json", set(leaves(manifest)), frozenset(data | sources | {"shards", "config.endpoints.<model>.<key>"})
    )


def test_every_column_of_the_cases_is_on_the_page(results: Path) -> None:
    columns = set(pq.read_schema(results / "cases.parquet").names)
    metrics = {name for name in columns if name.startswith(("exact_", "paper_"))}
    assert metrics
    assert columns - metrics == set(listed("cases.parquet"))


def test_every_key_of_the_gallery_is_on_the_page(results: Path) -> None:
    entries = json.loads((results / "gallery" / "index.json").read_bytes())
    assert entries
    for entry in entries:
        check_paths("gallery/index.json", set(leaves(entry)))
    arms = re.search(r"list of `\{(model[^}]*)\}`", section("gallery/index.json"))
    assert arms is not None
    assert {key for entry in entries for arm in entry["arms"] for key in arm} == set(arms[1].split(", "))


def test_the_configuration_in_the_manifest_is_a_run_file(results: Path) -> None:
    config = json.loads((results / "manifest.json").read_bytes())["config"]
    again = parse_run_config(yaml.safe_load(yaml.safe_dump(config)), "manifest.json")
    assert again.model_dump(mode="json") == config


def test_the_report_shows_every_entry_of_the_gallery(results: Path) -> None:
    text = (results / "report.html").read_text(encoding="utf-8")
    entries = json.loads((results / "gallery" / "index.json").read_bytes())
    assert text.count('<figure class="exhibit">') == len(entries)
