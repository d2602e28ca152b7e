"""What is read from a results directory, and what is said when it cannot be read."""

from pathlib import Path

import pytest

from harness.report.reader import ResultsError, parse_estimate, read_results
from tests.report_fixture import Plan, build_results


def test_an_estimate_keeps_its_numbers() -> None:
    node = {"mean": 0.7, "ci95": [0.6, 0.8], "n": 12, "patients": 5, "p": 0.01, "q": 0.02, "mde": 0.05}
    estimate = parse_estimate(node)
    assert estimate is not None
    assert (estimate.mean, estimate.low, estimate.high, estimate.n) == (0.7, 0.6, 0.8, 12)
    assert (estimate.p, estimate.q, estimate.mde) == (0.01, 0.02, 0.05)
    assert estimate.known
    assert estimate.few_patients


@pytest.mark.parametrize("node", [None, 3, [], {}, {"auroc": {"mean": 1}}])
def test_what_is_no_estimate_is_none(node: object) -> None:
    assert parse_estimate(node) is None


def test_a_null_mean_is_unknown_and_not_zero() -> None:
    estimate = parse_estimate({"mean": None, "ci95": [None, None], "n": 0})
    assert estimate is not None
    assert estimate.mean is None
    assert not estimate.known


def test_a_control_is_shared_or_a_models_own(tmp_path: Path) -> None:
    results = read_results(build_results(tmp_path))
    path = ("all", "exact", "auroc")
    oracle, blind = results.shared_control("oracle", *path), results.own_control("text_blind", "encoder", *path)
    assert oracle is not None
    assert oracle.mean == pytest.approx(0.96)
    assert blind is not None
    assert blind.mean == pytest.approx(0.66)
    assert results.shared_control("text_blind", *path) is None
    assert results.own_control("text_blind", "no such model", *path) is None


def test_names_are_listed_once_and_in_order(tmp_path: Path) -> None:
    results = read_results(build_results(tmp_path, Plan(models={"b": 0.1, "a": 0.2})))
    assert results.models == ("a", "b")
    assert set(results.subsets) == {"all", "abnormal", "one_lung"}
    assert "my_own_metric" in results.metrics


@pytest.mark.parametrize("name", ["manifest.json", "summary.json"])
def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    build_results(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ResultsError, match=rf"{name} is missing: give the directory that `harness run` wrote"):
        read_results(tmp_path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"3"])
def test_a_broken_file_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    build_results(tmp_path)
    (tmp_path / "summary.json").write_bytes(content)
    with pytest.raises(ResultsError, match=r"summary\.json.*--resume"):
        read_results(tmp_path)


def test_a_gallery_that_is_no_list_is_refused(tmp_path: Path) -> None:
    build_results(tmp_path)
    (tmp_path / "gallery" / "index.json").write_text("{}")
    with pytest.raises(ResultsError, match=r"index\.json holds no JSON list"):
        read_results(tmp_path)
