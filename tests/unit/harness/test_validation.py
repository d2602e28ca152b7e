"""`harness validate RUN.yaml` looks at everything that the run will read."""

import numpy as np
import pytest

from harness import cli, validation
from tests.harness_fakes import fake_dataset
from tests.source_files import write_study


@pytest.fixture
def run_file(tmp_path, monkeypatch):
    """A run of maps made elsewhere with ratings."""
    monkeypatch.setattr(validation, "read_dataset", lambda config: fake_dataset(3))
    write_study(tmp_path / "maps", "m", fake_dataset(2).records)
    (tmp_path / "ratings.csv").write_text(
        "dicom_sent_id,dicom_id,checkpoint_name,prompt,is_intuitive\n"
        "s0-1,image0,m,There is a nodule in the left lung.,4\n"
    )
    path = tmp_path / "run.yaml"
    path.write_text(
        f"name: t\ndataset: {{kind: phantom}}\nmodels: [m]\nout: {tmp_path}/out\n"
        f"maps_from: {{m: {{kind: study, path: {tmp_path}/maps}}}}\nratings: {{path: {tmp_path}/ratings.csv}}\n"
    )
    return path


def test_it_says_how_many_sentences_have_a_map_and_how_many_maps_are_rated(run_file, tmp_path, capsys):
    assert cli.main(["validate", str(run_file)]) == 0
    printed = capsys.readouterr().out
    assert "6 maps, for 6 of 9 sentences as written" in printed
    assert "m: 1 maps rated by is_intuitive" in printed
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_of_any_of_them_is_told_and_fails(run_file, tmp_path, capsys):
    with (tmp_path / "ratings.csv").open("a") as file:
        file.write("s0-1,image0,m,There is a nodule in the left lung.,9\n")
    assert cli.main(["validate", str(run_file)]) == 1
    assert "left out: 1 × bad_rating" in capsys.readouterr().out


def test_a_map_counts_before_it_is_read(run_file, tmp_path, capsys):
    np.save(tmp_path / "maps" / "attn" / "dicom_s0-1.npy", np.zeros(3))
    assert cli.main(["validate", str(run_file)]) == 0
