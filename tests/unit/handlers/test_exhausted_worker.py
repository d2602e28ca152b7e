"""A worker that gets no more memory from the system answers, is done, and makes room for another."""

import subprocess
import sys
import threading
import time

import pytest

from tests.handler_fakes import code, entry, handle, with_fake_model
from tests.repository import ROOT
from wronglung.errors import RequestInvalid

_WORKER = """
import resource, sys
import psutil
from tests.handler_fakes import code, entry, handle, with_fake_model

handler = with_fake_model(deterministic=sys.argv[1] == "deterministic")
batch, after = (entry("a"), entry("b")), entry("c")
assert [code(each) for each in handle(handler, entry("before"))] == ["OK"]  # it has all that one at a time needs
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + (2 << 20), hard))
print(*[f"{each.request_id}:{code(each)}" for each in handle(handler, *batch)], flush=True)
handle(handler, after)
print("still here")
"""


@pytest.mark.parametrize("mode", ["deterministic", "throughput"])
def test_a_batch_for_which_no_thread_can_be_started_is_answered_and_the_worker_ends_before_the_next(mode: str) -> None:
    """There is no memory for the stack of a decoding thread; one request at a time needs none, and was answered on."""
    done = subprocess.run([sys.executable, "-c", _WORKER, mode], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["a:MODEL_UNAVAILABLE", "b:MODEL_UNAVAILABLE"], done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("deterministic", [True, False])
def test_where_there_is_memory_such_a_batch_is_a_defect_that_is_answered(
    monkeypatch: pytest.MonkeyPatch, deterministic: bool
) -> None:
    handler, start, started = with_fake_model(deterministic=deterministic), threading.Thread.start, list[str]()

    def refuse_the_second(thread: threading.Thread) -> None:
        started.append(thread.name)
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    decoded = list[bytes]()

    def refuse_slowly(body: bytes) -> None:
        decoded.append(body)
        time.sleep(0.1)  # so that it is still at work when the batch has failed
        raise RequestInvalid("not in this test")

    monkeypatch.setattr(handler, "decode", refuse_slowly)
    assert [code(each) for each in handle(handler, entry("a"), entry("b"))] == ["INTERNAL"] * 2
    so_far = len(decoded)
    monkeypatch.undo()
    assert [code(each) for each in handle(handler, entry("c"), entry("d"))] == ["OK"] * 2
    assert len(decoded) == so_far  # nothing of the first batch went on into the second
    assert len(handler._decode_s) == 2
