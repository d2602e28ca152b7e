"""Callers for Locust: each aligns one phantom report after another with the shipped client, round about the models.

`python -m harness.load` runs this file with the right flags; Locust's own flags, its page and its distributed mode work
as always. Importing it patches the standard library for gevent, as importing Locust does.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import psutil
from grpc.experimental.gevent import init_gevent
from locust import LoadTestShape, User, constant, events, task
from locust.env import Environment

from harness.dataset.phantom import PhantomDataset
from harness.load.page import LoadResult
from harness.load.steps import Ended, Outcome, Plan, measure
from wronglung.client import AlignmentClient, Retry
from wronglung.errors import Overloaded, WronglungError

PATIENTS = 8
TIMEOUT_S = 30.0
ONCE = Retry(attempts=1)
"""A refusal is counted, not hidden in the latency of a later try."""

Report = tuple[bytes, list[str]]


class Session:
    """One load test in this process: its plan, where its result goes, what is sent, what came back."""

    def __init__(self, plan: Plan, target: str | None, out: Path) -> None:
        self.plan, self.out = plan, out
        self.reports = draw_reports()
        with AlignmentClient(target, timeout_s=TIMEOUT_S) as client:
            self.models = [model.identity.name for model in client.models()]
        self.ended: list[Ended] = []
        self._process = psutil.Process()
        self._started_s, self._cpu_s = self._clocks()

    def start(self) -> None:
        """The load begins now."""
        self._started_s, self._cpu_s = self._clocks()

    def elapsed_s(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self._started_s

    def result(self) -> LoadResult:
        """What was measured so far."""
        now_s, cpu_s = self._clocks()
        return LoadResult(measure(self.plan, self.ended), (cpu_s - self._cpu_s) / (now_s - self._started_s))

    def _clocks(self) -> tuple[float, float]:
        used = self._process.cpu_times()
        return time.perf_counter(), used.user + used.system


def draw_reports() -> list[Report]:
    """Some phantom studies, drawn before the load begins: the encoded image and the sentences of its report."""
    data = PhantomDataset(split="test", patients=PATIENTS)
    return [(record.load(), [sentence.text for sentence in record.sentences]) for record in data]


class Caller(User):
    """Sends a report, waits for its answer, sends the next."""

    wait_time = constant(0)
    session: ClassVar[Session]
    numbers: ClassVar[Iterator[int]] = itertools.count()

    def on_start(self) -> None:
        """Every caller has a connection of its own and begins with another model and report."""
        self.client = AlignmentClient(self.host, timeout_s=TIMEOUT_S, retry=ONCE)
        number = next(self.numbers)
        self.reports = itertools.islice(itertools.cycle(self.session.reports), number, None)
        self.models = itertools.islice(itertools.cycle(self.session.models), number, None)

    def on_stop(self) -> None:
        """Close the connection."""
        self.client.close()

    @task
    def align(self) -> None:
        """One report, timed as its caller sees it. A refused caller waits as long as it was told to."""
        (image, sentences), model = next(self.reports), next(self.models)
        began_s = time.perf_counter()
        outcome, failure, pause_s = self._call(image, sentences, model)
        latency_ms = (time.perf_counter() - began_s) * 1000
        self.session.ended.append(Ended(self.session.elapsed_s(), latency_ms, len(sentences), outcome))
        self.environment.events.request.fire(
            request_type=outcome, name=model, response_time=latency_ms, response_length=0, exception=failure
        )
        time.sleep(pause_s)

    def _call(self, image: bytes, sentences: list[str], model: str) -> tuple[Outcome, WronglungError | None, float]:
        try:
            self.client.align(image, sentences, model=model)
        except Overloaded as error:
            return "refused", None, error.retry_after_ms / 1000
        except WronglungError as error:
            return "failed", error, 0.0
        return "answered", None, 0.0


class Steps(LoadTestShape):
    """As many callers as the plan says for this moment."""

    def tick(self) -> tuple[int, float] | None:
        """Callers and how fast to add them; None ends the test."""
        session = Caller.session
        index = session.plan.step_at(session.elapsed_s())
        if index is None:
            return None
        callers = session.plan.callers[index]
        return callers, callers


@events.init_command_line_parser.add_listener
def add_flags(parser: argparse.ArgumentParser) -> None:
    """The plan and where the result goes."""
    parser.add_argument("--callers", default="1,2,4,8,16,32", help="callers in each step (default: %(default)s)")
    parser.add_argument("--step-seconds", type=float, default=10.0, help="length of a step (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("results/load"), help="folder of load.json")


@events.init.add_listener
def prepare(environment: Environment, **_: Any) -> None:
    """Make grpc yield to other callers while it waits, draw the reports and ask which models there are."""
    init_gevent()
    options = _options(environment)
    plan = Plan(tuple(int(number) for number in options.callers.split(",")), options.step_seconds)
    Caller.session = Session(plan, environment.host, options.out)


@events.test_start.add_listener
def start(**_: Any) -> None:
    """The clock of the steps begins with the load."""
    Caller.session.start()


@events.quit.add_listener
def finish(**_: Any) -> None:
    """Print the steps and the knee, below Locust's own tables, and write them down."""
    result = Caller.session.result()
    sys.stdout.write("\n".join(result.lines()) + "\n")
    result.write(Caller.session.out / "load.json")


def _options(environment: Environment) -> argparse.Namespace:
    options: argparse.Namespace | None = environment.parsed_options
    assert options is not None
    return options
