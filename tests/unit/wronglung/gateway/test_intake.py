"""How many bytes of messages the gateway holds."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from wronglung.errors import DeadlineExceeded, Overloaded, RequestInvalid
from wronglung.gateway.intake import Intake, Terms

TERMS = Terms(held_bytes=100, longest_bytes=40, patience_s=0.05, reading_s=0.05)


class Sender:
    """A caller who sends its message when told to."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.go = asyncio.Event()
        self.asked = False

    async def messages(self) -> AsyncIterator[bytes]:
        self.asked = True
        await self.go.wait()
        yield self.body


async def no_message() -> AsyncIterator[bytes]:
    return
    yield b""


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def sent(size: int) -> AsyncIterator[bytes]:
    sender = Sender(bytes(size))
    sender.go.set()
    return sender.messages()


async def test_no_more_is_read_at_once_than_the_longest_messages_would_fill() -> None:
    intake = Intake(Terms(held_bytes=100, longest_bytes=40, patience_s=5, reading_s=5))
    senders = [Sender(bytes(10)) for _ in range(3)]
    reading = [asyncio.create_task(intake.read(sender.messages())) for sender in senders]
    await settle()
    assert [sender.asked for sender in senders] == [True, True, False]
    senders[0].go.set()  # it was short: its room is enough for the third
    await settle()
    assert senders[2].asked
    for sender in senders:
        sender.go.set()
    messages = await asyncio.gather(*reading)
    assert intake.held == 30
    for message in messages:
        message.release()
        message.release()
    assert intake.held == 0


async def test_a_unary_call_is_refused_with_advice_when_there_is_no_room_in_time() -> None:
    intake = Intake(TERMS)
    held = [await intake.hold(bytes(35)), await intake.hold(bytes(35))]
    with pytest.raises(Overloaded) as caught:
        await intake.read(sent(1))
    assert caught.value.retry_after_ms > 0
    held[0].release()
    assert (await intake.read(sent(1))).body == bytes(1)


async def test_a_message_that_trickles_in_gives_up_its_room() -> None:
    intake = Intake(TERMS)
    with pytest.raises(DeadlineExceeded):
        await intake.read(Sender(b"").messages())
    assert intake.held == 0


async def test_a_call_without_message_is_said_to_have_none() -> None:
    intake = Intake(TERMS)
    with pytest.raises(RequestInvalid):
        await intake.read(no_message())
    assert intake.held == 0


async def test_streams_and_calls_wait_in_one_line() -> None:
    intake = Intake(Terms(held_bytes=100, longest_bytes=40, patience_s=5, reading_s=5))
    first = await intake.hold(bytes(90))
    order: list[str] = []

    async def note(name: str, waits: asyncio.Task[object]) -> None:
        await waits
        order.append(name)

    unary = asyncio.create_task(note("unary", asyncio.create_task(intake.read(sent(40)))))
    await settle()
    stream = asyncio.create_task(note("stream", asyncio.create_task(intake.hold(bytes(5)))))
    await settle()
    assert order == []  # the stream's message would fit, but it is not its turn
    first.release()
    await asyncio.gather(unary, stream)
    assert set(order) == {"unary", "stream"}


async def test_whoever_gives_up_in_line_holds_nobody_up() -> None:
    intake = Intake(TERMS)
    first = await intake.hold(bytes(90))
    impatient = asyncio.create_task(intake.hold(bytes(50)))
    await settle()
    patient = asyncio.create_task(intake.hold(bytes(10)))
    await settle()
    impatient.cancel()
    assert (await patient).body == bytes(10)
    first.release()
    assert intake.held == 10


CROWDED = Terms(held_bytes=100, longest_bytes=40, patience_s=5, reading_s=30, crowded_s=0.3, greedy_s=0.05)


async def test_who_sends_nothing_gives_way_to_another_caller_and_only_as_far_as_needed() -> None:
    intake = Intake(CROWDED)
    idle = [asyncio.create_task(intake.read(Sender(b"").messages(), "idle")) for _ in range(5)]
    await settle()
    started = asyncio.get_running_loop().time()
    assert (await intake.read(sent(40), "busy")).body == bytes(40)
    assert asyncio.get_running_loop().time() - started < 0.25
    done = [task for task in idle if task.done()]
    assert len(done) == 1
    error = done[0].exception()
    assert isinstance(error, Overloaded)
    assert error.retry_after_ms == 0  # no wait makes its line quicker
    for task in idle:
        task.cancel()


async def test_who_is_slow_but_not_greedy_is_given_more_time() -> None:
    """Two slow callers with one message each: the third waits for a while, not for ever."""
    intake = Intake(CROWDED)
    slow = [asyncio.create_task(intake.read(Sender(b"").messages(), party)) for party in "ab"]
    await settle()
    started = asyncio.get_running_loop().time()
    await intake.read(sent(40), "c")
    assert 0.25 < asyncio.get_running_loop().time() - started < 2
    assert sum(task.done() for task in slow) == 1
    for task in slow:
        task.cancel()


async def test_while_nobody_waits_a_message_may_take_its_time() -> None:
    intake = Intake(CROWDED)
    slow = Sender(bytes(40))
    reading = asyncio.create_task(intake.read(slow.messages(), "slow"))
    impatient = asyncio.create_task(intake.hold(bytes(90), "other"))
    await settle()
    impatient.cancel()  # nobody waits any more
    await asyncio.sleep(0.4)
    slow.go.set()
    assert (await reading).body == bytes(40)


async def test_who_holds_least_comes_first_in_line() -> None:
    intake = Intake(CROWDED)
    held = [await intake.hold(bytes(45), "much") for _ in range(2)]
    order = list[str]()

    async def wait(party: str) -> None:
        await intake.hold(bytes(40), party)
        order.append(party)

    waiting = [asyncio.create_task(wait(party)) for party in ("much", "little")]
    await settle()
    held[0].release()
    await settle()
    assert order == ["little"]
    held[1].release()
    await asyncio.gather(*waiting)
