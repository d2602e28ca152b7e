"""What each model is at while a server starts, from lines as TorchServe logs them."""

from handlers import alignment_handler
from wronglung.supervisor.stages import STAGE, stages


def line(worker: str, text: str) -> str:
    return f"2026-01-01T00:00:00,000 W-9000-{worker}-stdout - {text}\n"


def test_a_model_of_which_no_worker_has_said_a_word_is_being_unpacked() -> None:
    assert stages("", ["a", "b"]) == {"a": "waits for a worker", "b": "waits for a worker"}


def test_each_model_is_at_the_last_step_that_its_worker_named() -> None:
    log = line("a_1.0", "Torch worker started.") + line("b_1.0", f"{STAGE}: reads its weights")
    assert stages(log, ["a", "b"]) == {"a": "starts a worker", "b": "reads its weights"}
    log += line("b_1.0", f"{STAGE}: warms up") + line("b_1.0", "a warning of some library")
    assert stages(log, ["a", "b"])["b"] == "warms up"


def test_a_name_that_begins_like_another_is_another() -> None:
    log = line("gloria_optout_1.0", f"{STAGE}: warms up")
    assert stages(log, ["gloria", "gloria_optout"]) == {
        "gloria": "waits for a worker",
        "gloria_optout": "warms up",
    }


def test_other_lines_are_passed_over() -> None:
    assert stages("no line of a worker\n" + line("other_1.0", f"{STAGE}: x"), ["a"]) == {"a": "waits for a worker"}


def test_handler_and_supervisor_agree_on_the_mark() -> None:
    assert alignment_handler.STAGE == STAGE
