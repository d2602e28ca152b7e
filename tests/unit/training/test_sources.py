"""Any data set of the harness is learned from, divided by patient."""

from pathlib import Path

import pytest

from harness.dataset.config import ChestImagenomeSilverConfig, JsonlConfig
from harness.dataset.phantom import PhantomDataset
from harness.settings import ConfigError
from tests.harness_fakes import FakeDataset, record, write_jsonl
from tests.imagenome_copies import DICOM_ROOT, ROOT, write_copy
from training.dataconfig import FiledData, PhantomData
from training.sources import check_apart, first_patients, is_set_aside, open_sources, open_tested, patients


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("data"), 40)


def filed(path: Path, **changes: object) -> FiledData:
    return FiledData.model_validate({"dataset": JsonlConfig(kind="jsonl", path=path), **changes})


def test_phantoms_come_from_their_own_splits() -> None:
    sources = open_sources(PhantomData(patients=4, validation_patients=3, test_patients=2))
    assert [part.dataset.name for part in sources] == ["phantom:train", "phantom:validation"]
    tested = open_tested(PhantomData(test_seed=7, test_patients=2))
    assert isinstance(tested, PhantomDataset)
    assert (tested.seed, tested.split, tested.patients) == (7, "test", 2)


def test_the_ids_of_phantom_patients_are_those_of_their_records() -> None:
    dataset = PhantomDataset(0, "train", 5)
    assert patients(dataset) == {record.patient_id for record in dataset}


def test_a_share_of_the_patients_is_set_aside_and_nobody_is_lost(data: Path) -> None:
    sources = open_sources(filed(data, validation_share=0.3))
    parts = [patients(part.dataset) for part in sources]
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 20
    assert all(is_set_aside(patient, 0.3, 0) for patient in parts[1])
    assert [len(part.dataset) for part in sources] == [len(list(part.dataset)) for part in sources]
    assert sources.training.identity != sources.validation.identity


def test_who_is_set_aside_depends_on_the_id_the_share_and_the_seed_alone() -> None:
    ids = [f"p{i}" for i in range(2000)]
    aside = {seed: {p for p in ids if is_set_aside(p, 0.1, seed)} for seed in (0, 1)}
    assert len(aside[0]) == pytest.approx(200, abs=50)
    assert aside[0] != aside[1]
    assert aside[0] <= {p for p in ids if is_set_aside(p, 0.2, 0)}


def test_a_data_set_with_splits_of_its_own_is_divided_by_them() -> None:
    silver = ChestImagenomeSilverConfig(kind="chest_imagenome_silver", root=Path("r"), images=Path("i"), split="train")
    held_out = FiledData(dataset=silver).held_out()
    assert held_out == silver.model_copy(update={"split": "valid"})


def test_chest_imagenome_comes_with_its_splits(tmp_path: Path) -> None:
    write_copy(tmp_path)
    silver = {"kind": "chest_imagenome_silver", "root": tmp_path / ROOT, "images": tmp_path / DICOM_ROOT}
    sources = open_sources(FiledData(dataset=ChestImagenomeSilverConfig.model_validate({**silver, "split": "train"})))
    assert [part.dataset.name for part in sources] == [f"chest_imagenome_silver:{name}" for name in ("train", "valid")]
    check_apart(*(patients(part.dataset) for part in sources), "data.validation")


def test_patients_in_two_sets_are_counted_and_not_named() -> None:
    with pytest.raises(ConfigError, match=r"2 patients of data\.validation .*finetuned_patients") as told:
        check_apart({"ann", "bob", "cy"}, {"ann", "bob"}, "data.validation")
    assert "ann" not in str(told.value)
    check_apart({"ann"}, {"bob"}, "data.test")


def test_a_data_set_that_is_not_there_is_told_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data\.dataset: .*absent\.jsonl"):
        open_sources(filed(tmp_path / "absent.jsonl"))


def test_the_first_patients_come_with_all_their_studies() -> None:
    records = [record(i, patient=f"p{i % 3}") for i in range(9)]
    chosen = first_patients(FakeDataset(records), 2)
    assert sorted(r.image_id for r in chosen) == [f"image{i}" for i in (0, 1, 3, 4, 6, 7)]
