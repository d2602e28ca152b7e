"""The workers of one model: each a process of its own, replaced when it dies."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from wronglung.plain import worker
from wronglung.plain.settings import PlainModel, PlainSettings, worker_log
from wronglung.plain.worker import Answer

P = ParamSpec("P")
T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
"""Between two tries to load a model that cannot be loaded; each pause is twice the one before."""


class WorkerDied(Exception):
    """The worker that had the request is gone, or there is none that could have it; another takes its place."""


class Worker:
    """One process, which is ended when it takes too long for a request. When it is gone, `start` starts another.

    Args:
        handler: the handler's file.
        model: the model.
        log: where the process writes what it says.
    """

    def __init__(self, handler: Path, model: PlainModel, log: Path) -> None:
        self._arguments = (handler, model, log, os.getpid())
        self._longest_s = model.longest_s
        self._process = self._new()
        self._process_id: int | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether its model is loaded, as far as is known: it may have died since it was used last."""
        return self._process_id is not None

    async def start(self) -> None:
        """Wait until the model is loaded, however long it takes: who waits for the backend gives up on one that hangs.

        Raises:
            WorkerDied: it cannot be; the log says why.
        """
        try:
            self._process_id = await self._run(worker.process_id)
        except OSError as error:  # the system has no room for another process
            self._replace()
            raise WorkerDied from error

    async def is_there(self) -> bool:
        """Whether it can have a request now. If not, it has to be started again."""
        try:
            await self._in_time(worker.process_id)
        except WorkerDied:
            return False
        return True

    async def answer(self, entries: Mapping[str, bytes]) -> Answer:
        """Have a request answered.

        Raises:
            WorkerDied: nobody will; it has to be started again.
        """
        return await self._in_time(worker.answer, entries)

    async def _in_time(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        try:
            async with asyncio.timeout(self._longest_s):
                return await self._run(function, *arguments, **named)
        except TimeoutError as error:
            if self._process_id is not None:
                with suppress(ProcessLookupError):
                    os.kill(self._process_id, signal.SIGKILL)
            self._replace()
            raise WorkerDied from error

    async def _run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await asyncio.wrap_future(self._process.submit(function, *arguments, **named))
        except BrokenProcessPool as error:
            self._replace()
            raise WorkerDied from error

    def _replace(self) -> None:
        self._process.shutdown(wait=False, cancel_futures=True)
        self._process = self._new()
        self._process_id = None

    def stop(self) -> None:
        """Let the process finish what it has, and end."""
        self._process.shutdown()

    def _new(self) -> ProcessPoolExecutor:
        """A pool of one. "spawn", because this process has threads of gRPC, and a fork of it would hang."""
        return ProcessPoolExecutor(1, get_context("spawn"), worker.start, self._arguments)


class Workers:
    """All workers of one model; a request goes to the next that is free, and one that died loads its model first."""

    def __init__(self, settings: PlainSettings, model: PlainModel) -> None:
        logs = (worker_log(settings.logs, model.label, number) for number in range(model.workers))
        self._all = [Worker(settings.handler, model, log) for log in logs]
        self._free: deque[Worker] = deque()
        self._failing: set[Worker] = set()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Load the model in each.

        Raises:
            WorkerDied: one of them cannot.
        """
        await asyncio.gather(*(each.start() for each in self._all))
        self._free.extend(self._all)

    async def answer(self, entries: Mapping[str, bytes]) -> Answer:
        """Have a request answered when its turn has come.

        A caller that goes away does not free the worker: it computes until it is done, or has taken too long.

        Raises:
            WorkerDied: nobody will.
        """
        while True:
            worker = await self._take()
            answer = await asyncio.shield(self._begun(self._use(worker, entries)))
            if answer is not None:
                return answer

    async def _take(self) -> Worker:
        async with self._changed:
            await self._changed.wait_for(lambda: self._free or len(self._failing) == len(self._all))
            if not self._free:
                raise WorkerDied
            return self._free.popleft()

    async def _use(self, worker: Worker, entries: Mapping[str, bytes]) -> Answer | None:
        """None: it had died while it had nothing to do, which costs nobody an answer."""
        try:
            return await worker.answer(entries) if await worker.is_there() else None
        finally:
            self._begun(self._give_back(worker))

    async def _give_back(self, worker: Worker) -> None:
        """Make it free, once its model is loaded."""
        pause_s = _FIRST_PAUSE_S
        while not worker.is_loaded:
            try:
                await worker.start()
            except WorkerDied:
                async with self._changed:
                    self._failing.add(worker)
                    self._changed.notify_all()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        async with self._changed:
            self._failing.discard(worker)
            self._free.append(worker)
            self._changed.notify_all()

    def _begun(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin it, to go on whatever becomes of its caller. The loop alone would let go of it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self) -> None:
        """Let all of them end."""
        for task in self._tasks:
            task.cancel()
        for each in self._all:
            each.stop()
