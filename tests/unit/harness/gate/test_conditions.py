"""A gate file is read strictly, and what is wrong with it is explained."""

import pytest
import yaml

from harness.gate.conditions import Condition, load_gate
from harness.settings import ConfigError
from tests import repository

AUROC = {"value": "models.m.none.all.exact.auroc"}


def written(tmp_path, *conditions, **keys):
    path = tmp_path / "gate.yaml"
    path.write_text(yaml.safe_dump({"require": "shown", "conditions": list(conditions)} | keys))
    return path


def test_a_gate_is_read_from_yaml(tmp_path):
    gate = load_gate(written(tmp_path, AUROC | {"at_least": 0.5}, AUROC | {"at_most": 1, "require": "not_refuted"}))
    assert gate.conditions[0] == Condition(value=AUROC["value"], at_least=0.5)
    assert [gate.required(condition) for condition in gate.conditions] == ["shown", "not_refuted"]
    assert gate.fewest_patients == 20
    assert not gate.asks_for_changes


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (AUROC, "needs at_least, at_most or both"),
        ({"at_least": 0.5}, "needs either value or change"),
        (AUROC | {"change": "laterality.m.lri", "at_least": 0}, "needs either value or change"),
        (AUROC | {"at_least": 0.6, "at_most": 0.5}, "both at_least and at_most"),
        ({"value": "model.m.none.all.exact.auroc", "at_least": 0}, "begins with 'model': choose from models"),
        ({"change": "advantage.m.text_blind.all.exact.auroc", "at_least": 0}, "begins with 'advantage': choose from"),
        (AUROC | {"at_leest": 0.5}, "at_leest: unknown key: did you mean 'at_least'?"),
        (AUROC | {"at_least": "0.5"}, "conditions.0.at_least"),
        (AUROC | {"at_least": 0.5, "require": "maybe"}, "conditions.0.require"),
    ],
)
def test_a_wrong_condition_is_explained(tmp_path, condition, words):
    with pytest.raises(ConfigError) as error:
        load_gate(written(tmp_path, condition))
    assert words in str(error.value)


def test_what_an_interval_must_say_is_the_users_choice_and_has_no_default(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text(yaml.safe_dump({"conditions": [AUROC | {"at_least": 0}]}))
    with pytest.raises(ConfigError, match="require: Field required"):
        load_gate(path)


@pytest.mark.parametrize(
    ("content", "words"), [("- [", "no YAML"), ("- 1", "is wrong"), ("{require: shown}", "conditions")]
)
def test_a_file_that_is_no_gate_is_told(tmp_path, content, words):
    path = tmp_path / "gate.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        load_gate(path)


def test_a_missing_gate_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the gate file .*none\.yaml"):
        load_gate(tmp_path / "none.yaml")


def test_the_shipped_gates_can_be_read():
    paths = sorted((repository.ROOT / "harness" / "gates").glob("*.yaml"))
    assert paths
    assert all(load_gate(path).conditions for path in paths)
