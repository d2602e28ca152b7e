"""The study's single-stream baseline can be computed: weights of detected boxes, on its data set, without a server."""

import numpy as np
import pytest

from harness.dataset.catalogue import open_dataset
from harness.dataset.export.catalogue import export
from harness.metrics.label import paper_boxes
from harness.pipeline import run
from harness.runconfig import parse_run_config
from harness.sources.catalogue import open_sources
from tests.source_files import write_table
from wronglung.geometry import letterbox

HEADS = ("dicom_sent_id", "patient_id", "dicom_id", "sent_id", "sentence", "bboxes", "attn_bboxes", "global_sims")


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Maps of a detector that knows: the boxes of a sentence's regions weigh more than those of all others."""
    folder = tmp_path_factory.mktemp("uniter")
    export("chest_imagenome", folder / "data", patients=2, seed=0)
    tree = {
        "name": "uniter",
        "dataset": {
            "kind": "chest_imagenome_gold",
            "root": folder / "data" / "chest-imagenome",
            "images": folder / "data" / "mimic-cxr-jpg",
        },
        "models": ["uniter"],
        "maps_from": {"uniter": {"kind": "study", "path": folder / "maps"}},
        "perturbations": ["none", "random_bboxes"],
        "profiles": ["paper"],
        "subsets": ["all"],
        "resamples": 100,
        "ratings": {"path": folder / "ratings.csv", "models": {"uniter.ckpt": "uniter"}},
        "gallery": {"best": 1, "worst": 0, "ignores_swap": 0, "random": 0},
        "out": folder / "out",
    }
    config = parse_run_config(tree, "test")
    dataset = open_dataset(config.dataset)
    write_maps(folder, dataset)
    found = run(config, dataset, None, sources=open_sources(config.maps_from))
    return found, sum(len(record.sentences) for record in dataset)


def write_maps(folder, dataset):
    rows, rated = [], ["dicom_sent_id,dicom_id,sent_id,checkpoint_name,prompt,is_intuitive,is_custom_prompt"]
    for record in dataset:
        frame = letterbox(record.width, record.height)
        boxes = [(paper_boxes([region], frame) or [[-1, -1, -1, -1]])[0] for region in record.regions]
        for number, sentence in enumerate(record.sentences):
            name = f"dicom_{record.image_id.removesuffix('.dcm')}_sent_{number}"
            named = {box.name for box in sentence.boxes}
            weights = np.array([1.0 if region.name in named else 0.1 for region in record.regions])
            rows.append((name, record.patient_id, record.image_id, number, sentence.text, "[]", str(boxes), number))
            rated.append(f'{name},{record.image_id},{number},uniter.ckpt,"{sentence.text}",{number % 5 + 1},False')
            (folder / "maps" / "attn").mkdir(parents=True, exist_ok=True)
            np.save(folder / "maps" / "attn" / f"{name}.npy", 0.9 * weights / weights.sum())
    write_table(folder / "maps", rows, HEADS)
    (folder / "ratings.csv").write_text("\n".join(rated), encoding="utf-8")


def test_maps_of_the_right_boxes_are_perfect_by_the_published_procedure(summary):
    found, sentences = summary
    auroc = found["models"]["uniter"]["none"]["all"]["paper"]["auroc"]
    assert (auroc["mean"], auroc["n"]) == (1.0, sentences)
    assert found["failures"] == {}
    assert found["models"]["uniter"]["none"]["all"]["paper"]["opt_out_mass"]["mean"] == pytest.approx(0.1, abs=1e-6)


def test_boxes_of_other_patients_cost_it_much(summary):
    assert summary[0]["deltas"]["uniter"]["random_bboxes"]["all"]["paper"]["auroc"]["mean"] < -0.1


def test_ratings_of_the_study_find_their_sentences(summary):
    found, sentences = summary
    assert found["ratings"]["uniter"]["is_intuitive"]["rating"]["mean"]["n"] == sentences
