"""What a metric declares, and how users add their own."""

import math
import sys
import textwrap
import types

import numpy as np
import pytest

from harness.case import Case
from harness.collect.exchange import Failure
from harness.collect.gather import AnsweredImage, rows_of
from harness.collect.plan import ImagePlan
from harness.collect.rowmetrics import metric_columns
from harness.metrics import Metric, MetricError, Protocol, load_metric, registered, registry, score
from tests.harness_fakes import record


def _first_cell(scene):
    return scene.maps[:, 0]


def own_metric(**changes):
    protocols = {"exact": Protocol("own/first-cell/1", _first_cell)}
    return Metric(**{"name": "first_cell", "description": "The first cell.", "protocols": protocols, **changes})


@pytest.fixture
def _unregistered_afterwards(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


def test_the_example_in_the_documentation_works():
    example = textwrap.dedent(registry.__doc__.split("::\n")[1].split("`register(")[0])
    names = {}
    exec(example, names)
    found = score(np.ones((1, 2, 2)), [[[0, 0, 112, 56]]], metrics=[names["label_share"]])
    assert found["label_share"].tolist() == [0.125]


EXPECTED = {
    "auroc",
    "avg_precision",
    "entropy",
    "opt_out_mass",
    *(f"{name}_at_{k}" for name in ("precision", "recall", "f1", "iou") for k in (5, 10, 20, 30)),
}
EXACT_ONLY = {"pointing", "mass_in_box", "soft_iou", "cnr", "cnr_abs", "mean_iou", "tied_area", "lost"}


def test_the_profiles_have_these_metrics():
    assert {metric.name for metric in registered("paper")} == EXPECTED
    assert {metric.name for metric in registered("exact")} == EXPECTED | EXACT_ONLY


@pytest.mark.parametrize("metric", registered(), ids=lambda metric: metric.name)
def test_every_metric_says_what_a_reader_must_know(metric):
    assert metric.description.endswith(".")
    assert metric.lowest < metric.highest
    for protocol in metric.protocols.values():
        assert protocol.name.rsplit("/", 1)[1].isdigit(), "a protocol name ends in its version"


def test_no_protocol_name_stands_for_two_computations():
    protocols = [protocol for metric in registered() for protocol in metric.protocols.values()]
    computations = {}
    for protocol in protocols:
        assert computations.setdefault(protocol.name, protocol.compute) is protocol.compute


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_a_registered_metric_is_scored_with_the_others_in_its_profile():
    registry.register(own_metric())
    maps = np.full((1, 2, 2), 0.25)
    assert score(maps, [[[0, 0, 9, 9]]])["first_cell"].tolist() == [0.25]
    assert "first_cell" not in score(maps, [[[0, 0, 9, 9]]], profile="paper")


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_two_metrics_cannot_share_a_name():
    registry.register(own_metric())
    registry.register(own_metric())
    with pytest.raises(ValueError, match="there is a metric 'first_cell' already"):
        registry.register(own_metric(description="Another."))


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_entry_points_of_installed_packages_are_found(monkeypatch):
    class Point:
        def load(self):
            return own_metric()

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()] if group == "wronglung.metrics" else [])
    registry._load_entry_points.cache_clear()
    try:
        assert "first_cell" in {metric.name for metric in registered()}
    finally:
        registry._load_entry_points.cache_clear()


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_an_entry_point_that_is_no_metric_is_refused(monkeypatch):
    class Point:
        def load(self):
            return _first_cell

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()])
    registry._load_entry_points.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"not a harness\.metrics\.Metric"):
            registered()
    finally:
        registry._load_entry_points.cache_clear()


def test_a_metric_follows_its_own_rule_for_empty_labels():
    maps = np.full((1, 2, 2), 0.25)
    null, defined = own_metric(), own_metric(empty_label="defined")
    assert np.isnan(score(maps, [[]], metrics=[null])["first_cell"][0])
    assert score(maps, [[]], metrics=[defined])["first_cell"][0] == 0.25


def test_a_metric_that_returns_the_wrong_shape_is_named():
    wrong = own_metric(protocols={"exact": Protocol("own/wrong/1", lambda scene: scene.maps)})
    with pytest.raises(ValueError, match=r"'first_cell' returned shape \(1, 4\)"):
        score(np.ones((1, 2, 2)), [[]], metrics=[wrong])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "first cell"}, "word of letters"),
        ({"name": "preference"}, "a column that compares rows"),
        ({"protocols": {}}, "needs a protocol"),
        ({"protocols": {"other": Protocol("own/1", _first_cell)}}, "needs a protocol"),
        ({"description": " "}, "needs a description"),
        ({"direction": "up"}, "needs a direction of higher, lower, none, not 'up'"),
        ({"empty_label": "zero"}, "needs a rule for empty labels of null, defined"),
        ({"lowest": 1.0}, "needs a range"),
        ({"highest": math.nan}, "needs a range"),
    ],
)
def test_a_metric_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        own_metric(**changes)


@pytest.mark.parametrize("name", ["own/first-cell", "own first/1", "1"])
def test_a_protocol_whose_name_has_no_version_is_refused(name):
    with pytest.raises(MetricError, match="ends in its version"):
        Protocol(name, _first_cell)


def test_a_protocol_without_a_function_is_refused():
    with pytest.raises(MetricError, match="needs a function"):
        Protocol("own/1", 0.5)


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda scene: scene.maps[:, 0] + 1, "'first_cell' returned 1.25, outside of what it declares"),
        (lambda scene: scene.maps[:, 0] - 1, "'first_cell' returned -0.75, outside of what it declares"),
        (lambda scene: scene.maps[:, 0] + np.inf, "returned inf"),
        (lambda scene: scene.maps[:, 99], "'first_cell' failed: IndexError"),
        (lambda scene: ["many"], "'first_cell' failed: ValueError"),
    ],
)
def test_a_metric_that_does_not_do_what_it_declares_is_named(compute, message):
    wrong = own_metric(protocols={"exact": Protocol("own/wrong/1", compute)})
    with pytest.raises(MetricError, match=message):
        score(np.full((1, 2, 2), 0.25), [[[0, 0, 9, 9]]], metrics=[wrong])


def test_a_metric_is_loaded_by_its_path(monkeypatch):
    module = types.ModuleType("own_module")
    module.INSTANCE, module.make, module.number = own_metric(), own_metric, 3
    monkeypatch.setitem(sys.modules, "own_module", module)
    assert load_metric("own_module:INSTANCE") == load_metric("own_module:make") == own_metric()
    for path, message in (
        ("own_module", "package.module:name"),
        ("own_module:number", "not a harness.metrics.Metric"),
        ("own_module:missing", "AttributeError"),
        ("no_module_of_this_name:x", "PYTHONPATH"),
    ):
        with pytest.raises(MetricError, match=message):
            load_metric(path)


def test_an_entry_point_that_cannot_be_imported_is_named(monkeypatch):
    class Point:
        def load(self):
            raise ImportError("no module named torch")

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()])
    registry._load_entry_points.cache_clear()
    try:
        with pytest.raises(MetricError, match="cannot be loaded: no module named torch"):
            registered()
    finally:
        registry._load_entry_points.cache_clear()


def test_the_columns_that_compare_rows_are_those_that_no_metric_may_be_called():
    cases = [Case(record(0), s, "none", s.text, s.boxes) for s in record(0).sentences]
    plan = ImagePlan(0, record(0), tuple(cases))
    rows = rows_of([AnsweredImage(plan, answers={("m", "image0", c.text): Failure("X", "") for c in cases})], ["m"])
    found = {name.removeprefix("exact_") for name in metric_columns(rows, ["exact"])}
    assert found - {metric.name for metric in registered("exact")} == set(registry.BETWEEN_ROWS)


def test_a_profile_that_a_metric_lacks_is_named():
    with pytest.raises(ValueError, match="'first_cell' has no protocol for profile 'paper'"):
        score(np.ones((1, 2, 2)), [[]], metrics=[own_metric()], profile="paper")
