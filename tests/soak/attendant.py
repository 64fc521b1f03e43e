"""A person at the desk during a soak: looks at the lane and out of the window, and does what is to be done."""

from __future__ import annotations

from tests.fakes.site import SUPERVISOR, Site, Truck


def gone(site: Site, truck: Truck) -> str | None:
    """How the truck left the yard, or None while it is there."""
    kinds = {event["event"] for event in site.events if event.get("truck") == truck.id}
    return next((kind for kind in ("left", "backed_out") if kind in kinds), None)


async def act(site: Site, truck: Truck, lane: str) -> str | None:
    """What a person does about a lane and its truck; None: nothing to do."""
    shown = await site.lane(lane)
    passage, offered = shown["passage"], shown["commands"]
    if passage is None:
        if (
            shown["state"] == "fault"
            and "clear_fault" in offered
            and any(place != "down" for place in shown["booms"].values())
        ):
            await site.ask(lane, "clear_fault")
            return "clear_fault"
        return None
    if shown["state"] != "review":
        return None
    has_left = gone(site, truck)
    if has_left is not None:
        await site.ask(lane, "resolve", crossed=has_left == "left")
        return f"resolve {has_left}"
    vehicles = (await site.in_lane(lane))["vehicles"]
    if any(vehicle["speed"] != 0 for vehicle in vehicles):
        return None
    command = "clear_fault" if "clear_fault" in offered else "turn_back"
    if any(vehicle["phase"] == "inside" for vehicle in vehicles):
        command = "release" if passage["verdict"] is not None else "reweigh"
    answer = await site.ask(lane, command, by=SUPERVISOR)
    return command if answer.is_success else f"{command}: {answer.json()['code']}"
