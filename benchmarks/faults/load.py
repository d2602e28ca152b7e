"""Who calls while the server is hurt: the shipped client, unary calls and a stream, directly and through the proxy."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence

from benchmarks.faults.cases import Case
from benchmarks.faults.ledger import DEADLINE_S, Ledger
from wronglung.client import AlignItem, AlignmentClient, Retry
from wronglung.errors import WronglungError

_PAUSE_S = (0.05, 0.3)
_WINDOW = 2


class Load:
    """Callers that begin when the block is entered and end with it.

    Args:
        cases: what they ask, at random.
        ledger: where they note what becomes of it.
        targets: where they call: a unary caller for each.
        stream_target: where the stream goes.
        seed: of what they ask when.
    """

    def __init__(
        self, cases: Sequence[Case], ledger: Ledger, targets: Sequence[str], stream_target: str, seed: int
    ) -> None:
        self._cases = cases
        self._ledger = ledger
        self._over = threading.Event()
        callers: list[tuple[Callable[[str, random.Random], None], str]] = [(self._call, target) for target in targets]
        callers.append((self._stream, stream_target))
        self._threads = [
            threading.Thread(target=caller, args=(target, random.Random(f"{seed} {number}")), daemon=True)
            for number, (caller, target) in enumerate(callers)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
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
                under_way: dict[str, tuple[int, Case]] = {}
                try:
                    for request_id, answer in client.stream(self._items(under_way, rng), window=_WINDOW):
                        number, case = under_way.pop(request_id)
                        self._ledger.end(number, case, answer)
                except WronglungError as error:
                    for number, case in list(under_way.values()):
                        self._ledger.end(number, case, error)

    def _items(self, under_way: dict[str, tuple[int, Case]], rng: random.Random) -> Iterator[AlignItem]:
        while not self._over.wait(rng.uniform(*_PAUSE_S)):
            case = rng.choice(self._cases)
            number = self._ledger.begin()
            under_way[str(number)] = (number, case)
            yield AlignItem(str(number), case.image, case.sentences, case.model)


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
