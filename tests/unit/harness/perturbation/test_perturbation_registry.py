"""What a perturbation declares, and how users add their own."""

import dataclasses
import textwrap

import pytest

from harness.perturbation import Declaration, registered, registry
from harness.perturbation.base import Unperturbed
from harness.perturbation.catalogue import BUILTIN, make_perturbations
from harness.perturbation.registry import baseline_of
from harness.report import wording
from harness.runconfig import parse_run_config
from tests.harness_fakes import LEFT_LUNG, record, sentence

RUN = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m"], "out": "o", "perturbations": ["none", "shout"]}


def shout():
    """The declaration that the documentation shows."""
    names = {}
    exec(textwrap.dedent(registry.__doc__.split("::\n")[1].split("`register(")[0]), names)
    return names["shout"]


def own(**changes):
    return dataclasses.replace(BUILTIN[0], **{"name": "mine", **changes})


@pytest.fixture
def _unregistered_afterwards(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


@pytest.fixture
def _fresh_entry_points():
    registry._load_entry_points.cache_clear()
    yield
    registry._load_entry_points.cache_clear()


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_the_example_in_the_documentation_works_in_run_files_and_reports():
    registry.register(shout())
    study = record(0, sentence("a", "Nodule.", LEFT_LUNG), sentence("b", "NODULE.", LEFT_LUNG))
    (perturbation,) = make_perturbations(["shout"], [study], seed=0)
    assert [(case.text, case.reason) for case in perturbation.cases(study)] == [
        ("NODULE.", ""),
        ("NODULE.", "is in capitals already"),
    ]
    assert parse_run_config(RUN, "run.yaml").perturbations == ("none", "shout")
    assert wording.term(wording.PERTURBATIONS, "shout").label == "in capitals"


@pytest.mark.parametrize("declared", BUILTIN, ids=lambda declared: declared.name)
def test_every_perturbation_says_what_a_reader_must_know(declared):
    assert declared.label
    assert declared.description.endswith(".")
    assert declared.baseline in registered()
    assert make_perturbations([declared.name], [record(0)], seed=0)[0].name == declared.name


def test_deltas_are_against_none_and_other_conditions_against_the_synthetic_sentence():
    """As in arXiv 2210.06565."""
    others = {name: baseline_of(name) for name in registered() if baseline_of(name) != "none"}
    assert others == {"synthetic_swapped_conditions": "synthetic_sentences"}
    assert baseline_of("unheard of") == "none"


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_two_perturbations_cannot_share_a_name():
    registry.register(own())
    registry.register(own())
    with pytest.raises(ValueError, match="there is a perturbation 'mine' already"):
        registry.register(own(label="other"))


@pytest.mark.usefixtures("_unregistered_afterwards", "_fresh_entry_points")
def test_entry_points_of_installed_packages_are_found(monkeypatch):
    class Point:
        def load(self):
            return shout()

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()] if group == "wronglung.perturbations" else [])
    assert list(registered())[-1] == "shout"


@pytest.mark.usefixtures("_unregistered_afterwards", "_fresh_entry_points")
def test_an_entry_point_that_declares_nothing_is_refused(monkeypatch):
    class Point:
        def load(self):
            return Unperturbed()

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()])
    with pytest.raises(ValueError, match=r"is not a harness\.perturbation\.Declaration"):
        registered()


@pytest.mark.usefixtures("_unregistered_afterwards", "_fresh_entry_points")
def test_an_entry_point_that_cannot_be_loaded_is_named_with_the_reason(monkeypatch):
    class Point:
        def load(self):
            raise ImportError("no module named absent")

        def __repr__(self):
            return "EntryPoint('mine')"

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()])
    with pytest.raises(ValueError, match=r"EntryPoint\('mine'\) cannot be loaded: no module named absent"):
        registered()


@pytest.mark.usefixtures("_unregistered_afterwards")
def test_a_perturbation_goes_by_the_name_that_it_was_declared_with():
    registry.register(own())
    with pytest.raises(ValueError, match="'mine' makes cases of 'none'"):
        make_perturbations(["mine"], [], seed=0)


def test_a_name_is_a_word():
    with pytest.raises(ValueError, match="word of letters"):
        Declaration("my own", "label", "Description.", lambda pools, seed: Unperturbed())
