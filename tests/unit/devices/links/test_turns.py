"""Who speaks next on a shared bus."""

import asyncio

from devices.links.turns import Turns, Urgency


async def line_up(turns: Turns, who: str, urgency: Urgency, heard: list[str]) -> None:
    await turns.take(urgency)
    heard.append(who)
    turns.give()


async def test_commands_go_before_lights_and_lights_before_polls() -> None:
    turns, heard = Turns(), list[str]()
    await turns.take(Urgency.POLL)
    waiting = [
        asyncio.create_task(line_up(turns, who, urgency, heard))
        for who, urgency in [
            ("poll", Urgency.POLL),
            ("light", Urgency.SIGNAL),
            ("raise", Urgency.COMMAND),
            ("second poll", Urgency.POLL),
        ]
    ]
    await asyncio.sleep(0)
    turns.give()
    await asyncio.gather(*waiting)
    assert heard == ["raise", "light", "poll", "second poll"]


async def test_a_waiter_that_gave_up_does_not_hold_the_bus() -> None:
    turns, heard = Turns(), list[str]()
    await turns.take(Urgency.POLL)
    gone = asyncio.create_task(turns.take(Urgency.COMMAND))
    stays = asyncio.create_task(line_up(turns, "stays", Urgency.POLL, heard))
    await asyncio.sleep(0)
    turns.give()
    gone.cancel()  # in the very moment that the turn was handed to it
    await asyncio.gather(stays, gone, return_exceptions=True)
    assert heard == ["stays"]
    await turns.take(Urgency.POLL)


async def test_a_line_kept_free_lets_no_poll_begin_before_the_command_that_is_to_come() -> None:
    turns, heard = Turns(), list[str]()
    turns.keep_free(60.0)
    poll = asyncio.create_task(line_up(turns, "poll", Urgency.POLL, heard))
    await asyncio.sleep(0.02)
    await line_up(turns, "light", Urgency.SIGNAL, heard)
    await line_up(turns, "raise", Urgency.COMMAND, heard)
    await asyncio.wait_for(poll, 15)
    assert heard == ["light", "raise", "poll"]


async def test_a_command_that_does_not_come_keeps_polls_waiting_no_longer_than_was_said() -> None:
    turns, heard = Turns(), list[str]()
    turns.keep_free(60.0)
    turns.keep_free(0.01)  # the newest word counts
    await asyncio.wait_for(line_up(turns, "poll", Urgency.POLL, heard), 15)
    assert heard == ["poll"]
