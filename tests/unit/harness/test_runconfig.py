"""The run file: strict, and every fault named with its fix."""

from pathlib import Path

import pytest

from harness.dataset.config import JsonlConfig, PhantomConfig
from harness.runconfig import load_run_config, parse_run_config
from harness.servers import Server
from harness.settings import ConfigError
from wronglung.client import Tls

GOOD = {"name": "t", "dataset": {"kind": "phantom", "patients": 5}, "models": ["encoder"], "out": "results/t"}
RUNS = Path(__file__).resolve().parents[3] / "harness" / "runs"


def test_a_short_file_is_enough():
    config = parse_run_config(GOOD, "run.yaml")
    assert config.dataset == PhantomConfig(kind="phantom", patients=5)
    assert config.perturbations == ("none", "swap_left_right", "random_sentences")
    assert config.profiles == ("exact", "paper")
    assert (config.out, config.target, config.limit) == (Path("results/t"), "", None)


def test_a_fault_between_two_keys_is_told_without_the_whole_file():
    with pytest.raises(ConfigError) as fault:
        parse_run_config(GOOD | {"maps_from": {"other": {"kind": "study", "path": "m"}}}, "run.yaml")
    assert str(fault.value).splitlines() == [
        "run.yaml has 1 fault(s):",
        "  maps_from names 'other', which is none of models: choose from encoder",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pertubations": ["none"]}, "pertubations: unknown key: did you mean 'perturbations'?"),
        ({"dataset": {"kind": "phantom", "patient": 5}}, "patient: unknown key: did you mean 'patients'?"),
        ({"dataset": {"kind": "phantom", "patients": "many"}}, "  dataset.patients: "),
        ({"dataset": {"kind": "fantom"}}, "'phantom', 'jsonl'"),
        ({"perturbations": ["none", "swap_left_rigth"]}, "did you mean 'swap_left_right'?"),
        ({"perturbations": ["swap_left_right"]}, "must include 'none'"),
        ({"perturbations": []}, "perturbations"),
        ({"perturbations": ["none", "synthetic_swapped_conditions"]}, "must include 'synthetic_sentences'"),
        ({"subsets": ["one_lungs"]}, "unknown subset 'one_lungs'"),
        ({"subsets": {"mine": "sidee == 'left'"}}, "subset 'mine': column 1"),
        ({"subsets": {"mine": 3}}, "subsets"),
        ({"strata": ["side", "side"]}, "names 'side' twice"),
        ({"profiles": ["exactly"]}, "profiles.0"),
        ({"metrics": ["no_such_module:X"]}, "metrics: no_such_module:X cannot be loaded"),
        ({"ratings": {"path": "r.csv", "model": {}}}, "ratings.model: unknown key: did you mean 'models'?"),
        ({"maps_from": {"other": {"kind": "study", "path": "m"}}}, "maps_from names 'other', which is none of models"),
        (
            {"maps_from": {"encoder": {"kind": "saved", "path": "results/t/../t/maps"}}},
            "the maps of 'encoder' lie in results/t/../t/maps, where the results go: choose another out",
        ),
        ({"maps_from": {"encoder": {"kind": "studies", "path": "m"}}}, "'study', 'saved'"),
        ({"maps_from": {"encoder": {"kind": "study"}}}, "  maps_from.encoder.path: "),
        ({"maps_from": {"encoder": {"kind": "study", "path": "m", "optout": "none"}}}, "did you mean 'opt_out'?"),
        (
            {"maps_from": {"encoder": {"kind": "study", "path": "m", "regions": {"celss": 9}}}},
            "  maps_from.encoder.regions.celss: unknown key: did you mean 'cells'?",
        ),
        (
            {"maps_from": {"encoder": {"kind": "study", "path": "m", "frame": {"fit": "letterbox", "crop": 300}}}},
            "crop 300 is larger than longer_side 256",
        ),
        ({"models": []}, "models"),
        ({"models": ["encoder", "encoder"]}, "names 'encoder' twice"),
        ({"window": 0}, "window"),
        ({"save_maps": "yes"}, "save_maps"),
        (
            {"endpoints": {"encoder": {"targets": "a:1"}}},
            "endpoints.encoder.targets: unknown key: did you mean 'target'?",
        ),
        ({"endpoints": {"encodr": {"target": "a:1"}}}, "endpoints names 'encodr', which is none of models"),
        ({"gallery": {"bests": 3}}, "gallery.bests: unknown key: did you mean 'best'?"),
    ],
)
def test_a_fault_is_named_with_its_key(change, words):
    with pytest.raises(ConfigError) as caught:
        parse_run_config(GOOD | change, "run.yaml")
    assert words in str(caught.value)
    assert "run.yaml" in str(caught.value)


def test_every_fault_is_told_at_once():
    with pytest.raises(ConfigError, match=r"2 fault\(s\)"):
        parse_run_config(GOOD | {"window": 0, "seed": -1}, "run.yaml")


def test_subsets_are_names_and_expressions_listed_or_as_a_mapping():
    listed = parse_run_config(GOOD | {"subsets": ["all", {"mine": "negated"}]}, "run.yaml")
    mapped = parse_run_config(GOOD | {"subsets": {"all": None, "mine": "negated"}}, "run.yaml")
    assert listed == mapped
    assert listed.model_dump(mode="json")["subsets"] == ["all", {"mine": "negated"}]


@pytest.fixture
def run_file(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("name: t\ndataset: {kind: phantom}\nmodels: [encoder]\nout: results/t\n")
    return path


def test_overrides_reach_into_the_tree(run_file):
    config = load_run_config(run_file, ["dataset.patients=7", "models=[a, b]", "gallery.best=0", "limit=3"])
    assert (config.dataset.patients, config.models, config.gallery.best, config.limit) == (7, ("a", "b"), 0, 3)


def test_an_override_can_replace_the_data_set(run_file):
    config = load_run_config(run_file, ["dataset={kind: jsonl, path: my.jsonl}"])
    assert config.dataset == JsonlConfig(kind="jsonl", path=Path("my.jsonl"))


@pytest.mark.parametrize("override", ["patients", "=3", "name.x=3", "models=[a"])
def test_an_override_that_cannot_be_read_is_named(run_file, override):
    with pytest.raises(ConfigError, match="--set"):
        load_run_config(run_file, [override])


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"a: [", b"\xff\xfe\x00"])
def test_a_file_that_is_no_run_file_is_named(tmp_path, content):
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_run_config(tmp_path / "bad.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the run file"):
        load_run_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_run_files_are_valid(path):
    assert load_run_config(path).name == path.stem


def test_the_shipped_run_files_are_there():
    assert {path.stem for path in RUNS.glob("*.yaml")} >= {"demo", "nightly", "real_cxr"}


def test_a_model_may_have_a_server_and_a_name_of_its_own():
    tree = GOOD | {"models": ["old", "new", "other"], "target": "here:1"}
    endpoints = {"new": {"target": "staging:8500", "served_as": "old"}, "other": {"served_as": "old"}}
    config = parse_run_config(tree | {"endpoints": endpoints}, "run.yaml")
    targets = {model: server.target for model, server in config.servers.items()}
    assert targets == {"old": "here:1", "new": "staging:8500", "other": "here:1"}
    assert config.served_as == {"old": "old", "new": "old", "other": "old"}


def test_a_server_may_want_tls_and_a_token():
    tls = {"root": "ca.pem", "certificate": "me.pem", "key": "me-key.pem", "server_name": "gateway.example"}
    config = parse_run_config(GOOD | {"target": "here:1", "tls": tls, "token_file": "me.token"}, "run.yaml")
    server = Server("here:1", Tls("ca.pem", Path("me.pem"), Path("me-key.pem"), "gateway.example"), Path("me.token"))
    assert set(config.servers.values()) == {server}


def test_a_runs_token_is_not_shown_to_another_server():
    endpoints = {"new": {"target": "there:1"}, "other": {"target": "far:1", "tls": {}, "token_file": "far.token"}}
    tree = {"models": ["old", "new", "other"], "target": "here:1", "tls": {"root": "ca.pem"}, "token_file": "me.token"}
    servers = parse_run_config(GOOD | tree | {"endpoints": endpoints}, "run.yaml").servers
    assert servers["old"].token_file == Path("me.token")
    assert servers["new"] == Server("there:1", None, None)
    assert servers["other"] == Server("far:1", Tls(), Path("far.token"))


def test_no_manifest_tells_how_to_get_in():
    tree = {"models": ["a", "b"], "tls": {"root": "ca.pem"}, "token_file": "me.token"}
    endpoints = {"b": {"target": "far:1", "tls": {"root": "far.pem"}, "token_file": "far.token"}}
    dumped = str(parse_run_config(GOOD | tree | {"endpoints": endpoints}, "run.yaml").model_dump(mode="json"))
    assert not any(path in dumped for path in ("ca.pem", "me.token", "far.pem", "far.token"))


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        ({"tls": {"roots": "ca.pem"}}, "tls.roots: unknown key: did you mean 'root'?"),
        ({"tls": {"certificate": "me.pem"}}, "tls: a client's certificate and its key belong together"),
        ({"endpoints": {"encoder": {"tls": {"ruut": "a"}}}}, "endpoints.encoder.tls.ruut: unknown key"),
        ({"endpoints": {"encoder": {"token_file": "a"}}}, "endpoints.encoder has tls or token_file but no target"),
    ],
)
def test_faults_in_how_to_get_in_are_named(tree, fault):
    with pytest.raises(ConfigError) as caught:
        parse_run_config(GOOD | tree, "run.yaml")
    assert fault in str(caught.value)
