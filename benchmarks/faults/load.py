"""Who calls while the server is hurt: the shipped client, unary calls and a stream, directly and through the proxy."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence

from benchmarks.faults.cases import Case
from benchmarks.faults.ledger import DEADLINE_S, Ledger
from wronglung.alignment import Alignment
from wronglung.client import AlignItem, AlignmentClient, Retry
from wronglung.errors import WronglungError

_PAUSE_S = (0.05, 0.3)
_WINDOW = 2


class _UnderWay:
    """The items of one stream that have no answer yet. Safe to share: the client reads items in a thread of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._items: dict[str, tuple[int, Case]] = {}
        self._over = False

    def begin(self, case: Case) -> AlignItem | None:
        """Note an item that is about to be sent; None when nothing more will be."""
        with self._lock:
            if self._over:
                return None
            number = self._ledger.begin()
            self._items[str(number)] = (number, case)
            return AlignItem(str(number), case.image, case.sentences, case.model)

    def end(self, request_id: str, answer: Alignment | WronglungError) -> None:
        """Note an answer."""
        with self._lock:
            number, case = self._items.pop(request_id)
            self._ledger.end(number, case, answer)

    def fail(self, error: Exception) -> bool:
        """Note that the stream ended thus, for everything that is open; whether anything was."""
        with self._lock:
            self._over = True
            for number, case in self._items.values():
                self._ledger.end(number, case, error)
            return bool(self._items)


class Load:
    """Callers that begin when the block is entered and end with it.

    Args:
        cases: what they ask, at random.
        ledger: where they note what becomes of it.
        targets: where they call: a unary caller for each.
        stream_target: where the stream goes.
        seed: of what they ask when.

    Attributes:
        dead: once the block has ended, the callers that had died before: what came after lacked their calls.
    """

    def __init__(
        self, cases: Sequence[Case], ledger: Ledger, targets: Sequence[str], stream_target: str, seed: int
    ) -> None:
        self._cases = cases
        self._ledger = ledger
        self._over = threading.Event()
        self.dead: list[str] = []
        callers: list[tuple[Callable[[str, random.Random], None], str]] = [(self._call, target) for target in targets]
        callers.append((self._stream, stream_target))
        self._threads = [
            threading.Thread(
                target=caller,
                args=(target, random.Random(f"{seed} {number}")),
                name=f"caller {number} ({caller.__name__.strip('_')}) of {target}",
                daemon=True,
            )
            for number, (caller, target) in enumerate(callers)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.dead = [thread.name for thread in self._threads if not thread.is_alive()]
        self._over.set()
        for thread in self._threads:
            thread.join(DEADLINE_S + 10)

    def _call(self, target: str, rng: random.Random) -> None:
        with AlignmentClient(target, timeout_s=DEADLINE_S) as client:
            while not self._over.wait(rng.uniform(*_PAUSE_S)):
                ask(client, rng.choice(self._cases), self._ledger)

    def _stream(self, target: str, rng: random.Random) -> None:
        """One stream after the other: each ends when the client has tried often enough to reach the server."""
        with AlignmentClient(target) as client:
            while not self._over.wait(rng.uniform(*_PAUSE_S)):
                under_way = _UnderWay(self._ledger)
                try:
                    for request_id, answer in client.stream(self._items(under_way, rng), window=_WINDOW):
                        under_way.end(request_id, answer)
                except Exception as error:  # judged with each open item; one that meets none ends this caller
                    if not under_way.fail(error) and not isinstance(error, WronglungError):
                        raise

    def _items(self, under_way: _UnderWay, rng: random.Random) -> Iterator[AlignItem]:
        while not self._over.wait(rng.uniform(*_PAUSE_S)):
            item = under_way.begin(rng.choice(self._cases))
            if item is None:
                return
            yield item


def ask(client: AlignmentClient, case: Case, ledger: Ledger) -> None:
    """One unary call, noted."""
    number = ledger.begin()
    try:
        ledger.end(number, case, client.align(case.image, case.sentences, model=case.model))
    except Exception as error:  # whatever it is, it is judged; one that is not ours counts as no answer
        ledger.end(number, case, error)


def flood(target: str, cases: Sequence[Case], ledger: Ledger, callers: int, seconds: float) -> None:
    """So many callers at once for so many seconds, none of which waits or tries again when it is refused."""
    over = threading.Event()

    def insist(number: int) -> None:
        while not over.is_set():
            ask(client, cases[number % len(cases)], ledger)

    with AlignmentClient(target, timeout_s=DEADLINE_S, retry=Retry(attempts=1)) as client:
        threads = [threading.Thread(target=insist, args=(number,), daemon=True) for number in range(callers)]
        for thread in threads:
            thread.start()
        over.wait(seconds)
        over.set()
        for thread in threads:
            thread.join(DEADLINE_S + 5)
