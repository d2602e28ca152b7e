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
