"""The harness command: exit codes, messages, and that it ties the stages together."""

import json
import shlex
import subprocess
import sys
from xml.etree import ElementTree as Xml

import pytest

from harness import cli
from harness.commands import running
from tests.harness_fakes import FakeClient, fake_dataset, png
from tests.repository import ROOT
from wronglung.client import AlignmentClient
from wronglung.errors import ModelUnavailable


class Served(FakeClient):
    """A client to a server with one model."""

    names = ("m",)

    def __init__(self, target=None, retry=None, tls=None, token_file=None):
        super().__init__()
        self.target = target

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        return None

    def models(self):
        identity = type("Identity", (), {})
        return [type("Model", (), {"identity": type("Id", (identity,), {"name": name})}) for name in self.names]


@pytest.fixture
def run_file(tmp_path, monkeypatch):
    """A run file on the fake data set and server."""
    monkeypatch.setattr(running, "AlignmentClient", Served)
    monkeypatch.setattr(running, "open_dataset", lambda config: fake_dataset(4))
    path = tmp_path / "run.yaml"
    path.write_text(
        f"name: t\nmodels: [m]\nprofiles: [exact]\nresamples: 100\ndataset: {{kind: phantom}}\nout: {tmp_path}/out\n"
    )
    return path


def test_run_prints_the_table_and_writes_the_report(run_file, tmp_path, capsys):
    assert cli.main(["run", str(run_file)]) == 0
    printed = capsys.readouterr()
    assert "swap_left_right" in printed.out
    assert (tmp_path / "out" / "report.html").is_file()
    assert "summarise" in printed.err


def test_options_override_the_run_file(run_file, tmp_path):
    arguments = ["--limit", "2", "--out", str(tmp_path / "other"), "--set", "seed=5", "--set", "perturbations=[none]"]
    assert cli.main(["run", str(run_file), *arguments]) == 0
    summary = json.loads((tmp_path / "other" / "summary.json").read_bytes())
    assert (summary["dataset"]["images"], summary["seed"], list(summary["models"]["m"])) == (2, 5, ["none"])


def test_report_writes_the_report_again(run_file, tmp_path, capsys):
    cli.main(["run", str(run_file)])
    (tmp_path / "out" / "report.html").unlink()
    assert cli.main(["report", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "report.html").is_file()


def test_report_writes_the_tables_where_it_is_told(run_file, tmp_path, capsys):
    cli.main(["run", str(run_file)])
    capsys.readouterr()
    tables, page = tmp_path / "tables", tmp_path / "page.md"
    assert cli.main(["report", str(tmp_path / "out"), "--tables", str(tables), "--page", str(page)]) == 0
    assert f"{tables}: {len(list(tables.glob('*.md')))} tables" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").startswith("# Does the map follow the words?")


def gate_file(folder, at_least):
    """A gate that the fake model passes or not; it has two patients only."""
    path = folder / "gate.yaml"
    condition = f"{{value: models.m.none.all.exact.auroc, at_least: {at_least}}}"
    path.write_text(f"{{require: shown, fewest_patients: 2, conditions: [{condition}]}}")
    return str(path)


@pytest.mark.parametrize(("at_least", "status", "word"), [(0.0, 0, "gate holds"), (1.0, 1, "GATE BROKEN")])
def test_run_gate_and_compare_fail_when_the_gate_breaks(run_file, tmp_path, capsys, at_least, status, word):
    out, gate = str(tmp_path / "out"), gate_file(tmp_path, at_least)
    for command in (["run", str(run_file)], ["gate", out], ["compare", out, out]):
        junit = tmp_path / command[0] / "gate.xml"
        assert cli.main([*command, "--gate", gate, "--junit", str(junit)]) == status
        assert word in capsys.readouterr().out
        assert Xml.parse(junit).getroot().get("failures") == str(status)


def test_a_fault_in_a_gate_is_told_before_anything_is_evaluated(run_file, tmp_path, capsys):
    (tmp_path / "wrong.yaml").write_text("require: shown")
    changes = "{require: shown, conditions: [{change: laterality.m.lri, at_least: 0}]}"
    (tmp_path / "changes.yaml").write_text(changes)
    (tmp_path / "unpinned.yaml").write_text(changes.replace("{require", f"{{against: {tmp_path}/none, require"))
    for options, words in (
        (["--gate", str(tmp_path / "wrong.yaml")], "conditions: Field required"),
        (["--gate", str(tmp_path / "changes.yaml")], "as against: DIR"),
        (["--gate", str(tmp_path / "unpinned.yaml")], "lacks cases.parquet"),
        (["--junit", str(tmp_path / "gate.xml")], "give --gate FILE as well"),
        (["--gate", gate_file(tmp_path, 0), "--shard", "0/2"], "give --gate and --junit to `harness merge`"),
    ):
        assert cli.main(["run", str(run_file), *options]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_is_never_measured_against_itself(run_file, tmp_path, capsys):
    """Its changes since itself are all 0: a gate that cannot break."""
    cli.main(["run", str(run_file), "--set", "perturbations=[none]"])
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    gate = tmp_path / "gate.yaml"
    change = "{change: models.m.none.all.exact.auroc, at_least: -0.01}"
    gate.write_text(f"{{require: shown, against: {tmp_path}/out/../out, conditions: [{change}]}}")
    for command in (
        ["run", str(run_file)],
        ["gate", f"{tmp_path}/out"],
        ["merge", f"{tmp_path}/out", f"{tmp_path}/out"],
    ):
        assert cli.main([*command, "--gate", str(gate)]) == 2
        assert "a run never changed from itself" in capsys.readouterr().err
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before


def test_only_a_stopped_run_is_told_to_resume(run_file, tmp_path, monkeypatch, capsys):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", stop)
    monkeypatch.setattr("harness.report.render", stop)
    assert cli.main(["run", str(run_file)]) == 130
    assert capsys.readouterr().err.endswith("harness: stopped; run again with --resume to go on\n")
    assert cli.main(["report", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "harness: stopped\n"


def test_a_folder_that_cannot_be_written_does_not_look_like_a_broken_gate(run_file, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert cli.main(["run", str(run_file), "--out", str(tmp_path / "file" / "out")]) == 2
    assert f"harness: {tmp_path}/file/out" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cases.parquet", "summary.json", "manifest.json"])
def test_a_damaged_file_of_a_finished_run_is_named(run_file, tmp_path, capsys, name):
    cli.main(["run", str(run_file), "--set", "perturbations=[none]"])
    file = tmp_path / "out" / name
    file.write_bytes(file.read_bytes()[:40])
    assert cli.main(["compare", str(tmp_path / "out"), str(tmp_path / "out")]) == 2
    assert f"harness: {file} is damaged" in capsys.readouterr().err


def test_a_model_that_is_not_served_is_named_with_those_that_are(run_file, capsys):
    assert cli.main(["run", str(run_file), "--set", "models=[x]"]) == 2
    assert "model 'x' is not served; the server has: m" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_a_message_and_no_traceback(run_file, monkeypatch, capsys):
    def refuse(self):
        raise ModelUnavailable("no server answers: start one with `wronglung serve`")

    monkeypatch.setattr(Served, "models", refuse)
    assert cli.main(["run", str(run_file)]) == 2
    assert "start one with `wronglung serve`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "missing.yaml"], "cannot read the run file missing.yaml"),
        (["report", "nowhere"], "nowhere"),
        (["compare", "nowhere", "nowhere"], "lacks cases.parquet"),
        (["validate", "missing.jsonl"], "missing.jsonl"),
        (["validate", "phantom:exam"], "split: Input should be 'train', 'validation' or 'test'"),
    ],
)
def test_wrong_use_is_told_with_status_two(arguments, words, capsys):
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_validate_reads_the_data_set_of_a_run_file(tmp_path, capsys):
    path = tmp_path / "run.yaml"
    path.write_text("name: t\nmodels: [m]\ndataset: {kind: phantom, patients: 2}\nout: out\n")
    assert cli.main(["validate", str(path)]) == 0
    by_run_file = capsys.readouterr().out
    assert cli.main(["validate", "phantom:test,patients=2"]) == 0
    assert capsys.readouterr().out == by_run_file


def test_validate_says_what_a_file_holds_and_fails_when_something_is_left_out(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(png())
    good = {
        "image": "a.png",
        "image_id": "a",
        "patient_id": "p",
        "study_id": "s",
        "sentence_id": "1",
        "sentence": "Opacity.",
        "boxes": [],
    }
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(good) + "\n")
    assert cli.main(["validate", str(path)]) == 0
    assert "1 images, 1 patients, 1 sentences" in capsys.readouterr().out
    path.write_text(json.dumps(good) + "\n" + json.dumps(good) + "\n")
    assert cli.main(["validate", str(path)]) == 1
    assert "left out: 1 × sentence_id_repeated" in capsys.readouterr().out


def test_validate_says_why_nothing_of_a_file_can_be_used(tmp_path, capsys):
    path = tmp_path / "data.jsonl"
    path.write_text("{}\n")
    assert cli.main(["validate", str(path)]) == 1
    assert "left out: 1 × bad_line" in capsys.readouterr().out
    path.write_text("")
    assert cli.main(["validate", str(path)]) == 1
    assert "0 images" in capsys.readouterr().out


def test_validate_knows_the_phantoms(capsys):
    assert cli.main(["validate", "phantom:test"]) == 0
    assert "phantom" in capsys.readouterr().out


def test_a_reader_who_stops_reading_is_no_error(run_file, tmp_path):
    cli.main(["run", str(run_file)])
    out = shlex.quote(str(tmp_path / "out"))
    compare = f"from harness.cli import main; raise SystemExit(main(['compare', {out!r}, {out!r}]))"
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(compare)} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["run", "report", "compare", "gate", "validate"])
def test_help_shows_examples(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0
    assert f"examples:\n  harness {command} " in capsys.readouterr().out


def test_shards_are_run_one_by_one_and_merged(run_file, tmp_path, capsys):
    run_file.write_text(run_file.read_text().replace("out: ", "perturbations: [none]\nout: "))
    for index in range(2):
        assert cli.main(["run", str(run_file), "--shard", f"{index}/2"]) == 0
        assert f"shard {index}/2: {tmp_path}/out/shards/{index}-of-2" in capsys.readouterr().out
    assert not (tmp_path / "out" / "summary.json").exists()
    assert cli.main(["merge", str(tmp_path / "out" / "shards"), str(tmp_path / "out")]) == 0
    assert f"report: {tmp_path}/out/report.html" in capsys.readouterr().out
    assert cli.main(["run", str(run_file), "--out", str(tmp_path / "whole")]) == 0
    assert (tmp_path / "out" / "summary.json").read_bytes() == (tmp_path / "whole" / "summary.json").read_bytes()


def test_what_cannot_be_merged_is_a_message(tmp_path, capsys):
    assert cli.main(["merge", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "there is no shard in" in capsys.readouterr().err


def test_a_shard_that_there_is_not_is_wrong_use(run_file, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["run", str(run_file), "--shard", "4/4"])
    assert stopped.value.code == 2
    assert "the first is 0/n" in capsys.readouterr().err


def test_models_of_one_run_are_asked_of_their_own_servers(run_file, tmp_path, monkeypatch):
    opened = {}

    class Several(Served):
        def __init__(self, target=None, retry=None, tls=None, token_file=None):
            super().__init__(target)
            self.names = ("m",) if target is None else ("served",)
            opened[target] = self  # the last one: the first only asks what is served

    monkeypatch.setattr(running, "AlignmentClient", Several)
    settings = ["--set", "models=[m, mine]", "--set", "endpoints={mine: {target: 'a:1', served_as: served}}"]
    assert cli.main(["run", str(run_file), *settings]) == 0
    assert {item.model for item in opened[None].sent} == {"m"}
    assert {item.model for item in opened["a:1"].sent} == {"served"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert set(summary["models"]) == {"m", "mine"}
    assert summary["models"]["m"] != summary["models"]["mine"]


def test_a_server_that_lacks_a_model_is_named(run_file, capsys):
    settings = ["--set", "models=[m, mine]", "--set", "endpoints={mine: {target: 'a:1'}}"]
    assert cli.main(["run", str(run_file), *settings]) == 2
    assert "model 'mine' is not served; the server a:1 has: m" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["target=there.example:1", "token_file=my.token"], "in the clear"),
        (["target=there.example:1", "tls={root: nowhere.pem}"], "nowhere.pem"),
    ],
)
def test_a_server_that_cannot_be_reached_as_told_is_a_fault_of_the_run_file(
    run_file, capsys, monkeypatch, settings, words
):
    monkeypatch.setattr(running, "AlignmentClient", AlignmentClient)
    assert cli.main(["run", str(run_file), *(f"--set={each}" for each in settings)]) == 2
    said = capsys.readouterr().err
    assert "the server there.example:1: " in said
    assert words in said
