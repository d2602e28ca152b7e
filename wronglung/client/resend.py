"""One stream of requests that outlives the connections it runs over: what was not answered is sent again."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Protocol

import grpc

from wronglung.alignment import Alignment
from wronglung.client.access import Metadata
from wronglung.client.transport import Retry, error_from_call
from wronglung.errors import ModelUnavailable, RequestInvalid, Unauthenticated, WronglungError
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import alignment_from_response, error_from_pb

Answer = tuple[str, Alignment | WronglungError]


class Item(Protocol):
    """What can be streamed."""

    @property
    def request_id(self) -> str:
        """Unique among the items in flight."""

    def to_pb(self) -> pb.AlignRequest:
        """The message; raises InvalidRequest where it would pass a limit."""


class Call(Protocol):
    """The part of a gRPC stream call that is used here."""

    def __iter__(self) -> Iterator[pb.AlignStreamResponse]: ...

    def cancel(self) -> object:
        """End the call."""


Open = Callable[[Iterator[pb.AlignRequest], Metadata], Call]


class Supply:
    """The items of a stream: what comes next, and what was sent and not answered yet.

    gRPC draws from it in threads of its own, and the thread of a broken connection may still be drawing when the next
    connection begins: one lock makes every item belong to exactly one place.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._source = iter(items)
        self._lock = threading.Lock()
        self._unanswered: dict[str, Item] = {}
        self._refused: SimpleQueue[Answer] = SimpleQueue()
        self.failure: Exception | None = None
        """What the source or one of its items raised; it ends the stream."""

    def take(self, closed: threading.Event) -> Item | None:
        """The next item, which from now on waits for its answer; None at the end, or when `closed` is set."""
        with self._lock:
            if closed.is_set() or self.failure is not None:
                return None
            try:
                item = next(self._source, None)
                if item is not None and item.request_id in self._unanswered:
                    raise RequestInvalid(f"the id {item.request_id!r} is in flight already: give each item its own")
            except Exception as error:  # carried to the caller's thread, where it is raised
                self.failure = error
                return None
            if item is not None:
                self._unanswered[item.request_id] = item
            return item

    def unanswered(self) -> list[Item]:
        """What was taken and has no answer yet, in the order in which it was taken."""
        with self._lock:
            return list(self._unanswered.values())

    def refuse(self, item: Item, error: WronglungError) -> None:
        """Note that an item passes a limit: it is not sent, and nothing of it is kept but its answer."""
        if self.settle(item.request_id):
            self._refused.put((item.request_id, error))

    def refusals(self) -> Iterator[Answer]:
        """The answers of the items that were refused since the last time."""
        while not self._refused.empty():
            yield self._refused.get()

    def settle(self, request_id: str) -> bool:
        """Note that an item has its answer; False if it was not waiting for one."""
        with self._lock:
            return self._unanswered.pop(request_id, None) is not None


class _Connection:
    """One call: sends what is unanswered from before, then what comes next, `window` items at a time."""

    def __init__(self, supply: Supply, window: int) -> None:
        self._supply = supply
        self._room = threading.Semaphore(window)
        self._again = deque(supply.unanswered())
        self.closed = threading.Event()

    def requests(self) -> Iterator[pb.AlignRequest]:
        """The messages to send; read by a thread of gRPC's."""
        while (item := self._next()) is not None:
            try:
                message = item.to_pb()
            except WronglungError as error:
                self._supply.refuse(item, error)
                self._room.release()
            except Exception as error:  # carried to the caller's thread: gRPC would tell it nothing of this
                self._supply.failure = error
                return
            else:
                yield message

    def _next(self) -> Item | None:
        self._room.acquire()
        if self._again and not self.closed.is_set():
            return self._again.popleft()
        return self._supply.take(self.closed)

    def answered(self) -> None:
        """Make room for one more item."""
        self._room.release()

    def close(self) -> None:
        """Let the sending thread end."""
        self.closed.set()
        self._room.release()


def stream(
    open_call: Open, metadata: Callable[[], Metadata], items: Iterable[Item], *, window: int, retry: Retry
) -> Iterator[Answer]:
    """Send every item and yield its answer as it comes, over as many connections as it takes.

    A stream keeps the token that it began with. When the server says that it is not good any more, and `metadata` gives
    another one by now, everything unanswered is sent again with that one.

    Raises:
        ValueError: `window` is below 1.
        WronglungError: the server could not be reached `retry.attempts` times in a row, or refuses the whole stream.
        Exception: whatever `items` raises, or an item that is no request, such as one whose image is no bytes.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    supply, failures = Supply(items), 0
    while True:
        try:
            for answer in _over_one_connection(open_call, metadata, supply, window):
                failures = 0
                yield answer
            if supply.failure is not None:
                raise supply.failure
            if not supply.unanswered():
                return
            # The server ended the stream, as it does when it drains or a connection has grown old.
            error: WronglungError = ModelUnavailable("the server ended the stream before it had answered everything")
        except grpc.RpcError as broken:
            if supply.failure is not None:
                raise supply.failure from broken
            error = error_from_call(broken)
        failures += 1
        if not retry.allows(failures, error):
            raise error
        time.sleep(retry.wait_s(failures, error))


def _over_one_connection(
    open_call: Open, metadata: Callable[[], Metadata], supply: Supply, window: int
) -> Iterator[Answer]:
    connection = _Connection(supply, window)
    shown = metadata()
    call = open_call(connection.requests(), shown)
    try:
        for message in call:
            connection.answered()
            yield from supply.refusals()
            answer = outcome(message)
            if isinstance(answer, Unauthenticated) and metadata() != shown:
                return  # with the item unanswered
            if supply.settle(message.request_id):
                yield message.request_id, answer
        yield from supply.refusals()
    finally:
        connection.close()
        call.cancel()


def outcome(message: pb.AlignStreamResponse) -> Alignment | WronglungError:
    """What a stream answers for one item; an answer that contradicts itself is an error of that item alone."""
    if message.WhichOneof("outcome") != "response":
        return error_from_pb(message.error)
    try:
        return alignment_from_response(message.response)
    except WronglungError as error:
        return error
