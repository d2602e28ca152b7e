"""The workers of one model: each a process of its own, replaced when it dies."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from wronglung.plain import worker
from wronglung.plain.settings import PlainModel, PlainSettings, worker_log
from wronglung.plain.worker import Answer

P = ParamSpec("P")
T = TypeVar("T")


class WorkerDied(Exception):
    """The worker that had the request is gone; another takes its place."""


class Worker:
    """One process, which is started again when it is gone, and ended when it takes too long for a request.

    Args:
        handler: the handler's file.
        model: the model.
        log: where the process writes what it says.
    """

    def __init__(self, handler: Path, model: PlainModel, log: Path) -> None:
        self._arguments = (handler, model, log, os.getpid())
        self._longest_s = model.longest_s
        self._process = self._new()

    async def start(self) -> int:
        """Wait until the model is loaded; returns the process's id.

        Raises:
            WorkerDied: it cannot be; the log says why.
        """
        return await self._run(worker.process_id)

    async def answer(self, entries: Mapping[str, bytes]) -> Answer:
        """Have a request answered.

        Raises:
            WorkerDied: nobody will.
        """
        process_id = await self._ready()
        try:
            async with asyncio.timeout(self._longest_s):
                return await self._run(worker.answer, entries)
        except TimeoutError as error:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
            self._replace(self._process)
            raise WorkerDied from error

    async def _ready(self) -> int:
        """As `start`. One that died while it had nothing to do has cost nobody an answer."""
        try:
            return await self.start()
        except WorkerDied:
            return await self.start()

    async def _run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        process = self._process
        try:
            return await asyncio.wrap_future(process.submit(function, *arguments, **named))
        except BrokenProcessPool as error:
            self._replace(process)
            raise WorkerDied from error

    def _replace(self, process: ProcessPoolExecutor) -> None:
        """The first to notice has it replaced."""
        if self._process is process:
            process.shutdown(wait=False, cancel_futures=True)
            self._process = self._new()

    def stop(self) -> None:
        """Let the process finish what it has, and end."""
        self._process.shutdown()

    def _new(self) -> ProcessPoolExecutor:
        """A pool of one. "spawn", because this process has threads of gRPC, and a fork of it would hang."""
        return ProcessPoolExecutor(1, get_context("spawn"), worker.start, self._arguments)


class Workers:
    """All workers of one model; a request goes to the next that is free."""

    def __init__(self, settings: PlainSettings, model: PlainModel) -> None:
        logs = (worker_log(settings.logs, model.label, number) for number in range(model.workers))
        self._all = [Worker(settings.handler, model, log) for log in logs]
        self._free: asyncio.Queue[Worker] = asyncio.Queue()

    async def start(self) -> None:
        """Load the model in each.

        Raises:
            WorkerDied: one of them cannot.
        """
        await asyncio.gather(*(each.start() for each in self._all))
        for each in self._all:
            self._free.put_nowait(each)

    async def answer(self, entries: Mapping[str, bytes]) -> Answer:
        """Have a request answered when its turn has come.

        Raises:
            WorkerDied: nobody will.
        """
        worker = await self._free.get()
        try:
            return await worker.answer(entries)
        finally:
            self._free.put_nowait(worker)

    def stop(self) -> None:
        """Let all of them end."""
        for each in self._all:
            each.stop()
