"""What keys are called."""

from harness.metrics import registered
from harness.perturbation import registered as perturbations
from harness.report import wording
from harness.subsets import SUBSETS


def test_every_perturbation_and_subset_that_ships_has_a_name_and_a_meaning() -> None:
    for terms, keys in ((wording.PERTURBATIONS, perturbations()), (wording.SUBSETS, SUBSETS)):
        assert set(keys) <= set(terms)
        assert all(terms[key].label and terms[key].meaning for key in keys)


def test_every_metric_that_ships_has_a_label_of_its_own_and_a_meaning() -> None:
    metrics = [wording.metric(metric.name) for metric in registered()]
    assert len({metric.label for metric in metrics}) == len(metrics)
    assert all(metric.meaning for metric in metrics)
    assert not [metric.label for metric in metrics if "_" in metric.label]


def test_the_main_metrics_exist() -> None:
    assert set(wording.MAIN_METRICS) <= {metric.name for metric in registered()}


def test_labels_are_short_and_meanings_say_the_direction() -> None:
    assert wording.metric("precision_at_10").label == "Prec. 10 %"
    assert wording.metric("auroc").meaning.endswith("Higher is better.")
    assert wording.metric("opt_out_mass").digits == 4


def test_an_unknown_key_is_shown_as_words() -> None:
    assert wording.metric("my_own_metric").label == "my own metric"
    assert wording.term(wording.SUBSETS, "template=held_out").label == "template=held out"


def test_order_is_that_of_the_terms_and_then_by_name() -> None:
    assert wording.in_order(wording.SUBSETS, ["z", "one_lung", "all", "a"]) == ("all", "one_lung", "a", "z")


def test_a_perturbation_is_read_where_the_study_reads_it_if_the_run_has_that() -> None:
    assert wording.favoured_subset("swap_left_right", ["all", "one_lung"]) == "one_lung"
    assert wording.favoured_subset("random_sentences", ["all", "abnormal"]) == "abnormal"
    assert wording.favoured_subset("swap_left_right", ["all", "abnormal"]) == "all"


def test_only_ranking_metrics_have_the_oracle_as_ceiling() -> None:
    keys = ("auroc", "avg_precision", "iou_at_10", "pointing", "mass_in_box", "entropy")
    assert [key for key in keys if wording.has_ceiling(key)] == ["auroc", "avg_precision", "iou_at_10"]
