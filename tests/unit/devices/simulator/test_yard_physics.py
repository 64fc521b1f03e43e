"""The yard by hand: trucks, booms, platform and detectors, stepped without a wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from devices.simulator.boom import Boom
from devices.simulator.places import APPROACH
from devices.simulator.specs import LaneSpec, PlanError, TruckSpec, plan_from
from devices.simulator.vehicle import Vehicle
from devices.simulator.yard import Yard, YardEvent

SEMI = TruckSpec("semi", "a", length_m=16.0, gap_m=(4.6, 5.6), mass_kg=40_000, plate="浙B00001")


class Stage:
    """One lane and somebody who works its outputs, as a service would, and tells the judge what the wire told."""

    def __init__(self, *trucks: TruckSpec, lane: LaneSpec | None = None, seed: int = 0) -> None:
        self.yard = Yard([lane or LaneSpec("a")], trucks, seed=seed)
        self.lane = self.yard.lanes["a"]
        self.events: list[YardEvent] = []
        self.inputs: list[dict[str, bool]] = []
        self.yard.listen(self.events.append)
        self.yard.open()

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events if event.truck is not None]

    def run(self, seconds: float, dt_s: float = 0.05) -> None:
        for _ in range(round(seconds / dt_s)):
            self.yard.step(dt_s)
            self.inputs.append(self.lane.inputs())

    def run_until(self, kind: str, limit_s: float = 60.0) -> float:
        seen = len(self.events)
        for _ in range(round(limit_s / 0.05)):
            self.run(0.05)
            if any(event.kind == kind for event in self.events[seen:]):
                return self.yard.now_s
        raise AssertionError(f"no {kind!r} within {limit_s} s, only {self.kinds()}; {self.yard.state()}")

    def set(self, *outputs: str, on: bool = True) -> None:
        for output in outputs:
            side, _, way = output.partition("_")
            if self.yard.write_output("a", output, on=on) and way in ("raise", "lower"):
                self.yard.judge.edge_seen("a", side, way, self.yard.now_s)

    def pulse(self, output: str) -> None:
        self.set(output)
        self.run(0.5)
        self.set(output, on=False)

    def shown(self, name: str) -> list[bool]:
        """What an input showed, without repeats."""
        values: list[bool] = []
        for look in self.inputs:
            if not values or values[-1] != look[name]:
                values.append(look[name])
        return values

    def bring_to_platform(self) -> None:
        self.run_until("at_post")
        self.set("entry_green")
        self.pulse("entry_raise")
        self.run_until("on_platform")
        self.set("entry_green", on=False)
        self.pulse("entry_lower")
        self.run(5.0)


def test_a_truck_goes_through_in_order_when_the_lamps_let_it() -> None:
    stage = Stage(SEMI)
    stage.bring_to_platform()
    stage.set("exit_green")
    stage.pulse("exit_raise")
    stage.run_until("left")
    assert stage.kinds() == ["arrived", "at_post", "entering", "on_platform", "leaving", "crossed", "left"]
    assert stage.yard.judge.report()["violations"] == 0
    assert stage.yard.judge.report()["crossings"] == 1


def test_a_truck_waits_at_the_post_for_as_long_as_nobody_lets_it_in() -> None:
    stage = Stage(SEMI)
    stage.run_until("at_post")
    stage.pulse("entry_raise")  # a raised boom alone is no invitation
    stage.run(60.0)
    assert stage.kinds() == ["arrived", "at_post"]
    assert stage.lane.inputs()["approach"]
    stage.set("entry_green")
    stage.pulse("entry_lower")  # nor is green with the boom down
    stage.run(30.0)
    assert stage.kinds() == ["arrived", "at_post"]


def test_no_truck_comes_before_the_yard_is_open() -> None:
    yard = Yard([LaneSpec("a")], [SEMI])
    yard.step(100.0)
    assert yard.state()["lanes"]["a"]["vehicles"] == []


def test_the_platform_rocks_and_settles_on_the_mass() -> None:
    stage = Stage(SEMI)
    stage.run_until("at_post")
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run_until("on_platform")
    rocking = []
    for _ in range(40):
        stage.run(0.05)
        rocking.append(stage.lane.deck.shown_kg)
    assert max(rocking) > SEMI.mass_kg + 20 > SEMI.mass_kg - 20 > min(rocking)
    stage.run(20.0)
    assert stage.lane.deck.shown_kg == SEMI.mass_kg


def test_a_truck_comes_on_to_the_platform_axle_by_axle() -> None:
    vehicle = Vehicle(SEMI, 8.0)
    loads = []
    for _ in range(180):
        vehicle.x_m += 0.1
        loads.append(round(vehicle.load_on((8.0, 26.0))))
    steps = sorted(set(loads))
    assert loads == sorted(loads)
    assert steps[0] == 0
    assert steps[-1] == SEMI.mass_kg
    assert len(steps) == 6


def test_loops_drop_out_over_the_coupling_and_beams_do_not() -> None:
    stage = Stage(SEMI)
    stage.bring_to_platform()
    stage.set("exit_green")
    stage.pulse("exit_raise")
    stage.run_until("left")
    assert stage.shown("exit_loop") == [False, True, False, True, False]
    assert stage.shown("exit_beam") == [False, True, False]
    assert stage.shown("entry_beam") == [False, True, False]


def test_a_rigid_truck_does_not_drop_out_of_the_loops() -> None:
    stage = Stage(TruckSpec("rigid", "a", length_m=8.0, mass_kg=16_000))
    stage.bring_to_platform()
    assert stage.shown("entry_loop") == [False, True, False]


@pytest.mark.parametrize("length_m", [7.0, 11.0, 16.0, 17.0])
def test_the_whole_vehicle_stands_clear_of_both_beams(length_m: float) -> None:
    stage = Stage(TruckSpec("t", "a", length_m=length_m, mass_kg=20_000))
    stage.bring_to_platform()
    inputs = stage.lane.inputs()
    assert not any(inputs[name] for name in ("approach", "entry_loop", "entry_beam", "exit_beam", "exit_loop"))
    assert abs(stage.lane.deck.shown_kg - 20_000) < 10


def test_a_vehicle_longer_than_the_platform_leaves_a_beam_blocked() -> None:
    stage = Stage(TruckSpec("long", "a", length_m=20.0, mass_kg=20_000))
    stage.run_until("at_post")
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run_until("on_platform")
    assert stage.lane.inputs()["entry_beam"]


def test_who_gives_up_backs_out_of_the_approach_by_himself() -> None:
    stage = Stage(TruckSpec("t", "a", behaviour="gives_up", patience_s=10.0))
    came_s = stage.run_until("at_post")
    gone_s = stage.run_until("backed_out")
    assert gone_s - came_s > 10.0
    assert stage.events[-1].detail == {"by_himself": True}
    assert not stage.lane.inputs()["approach"]
    assert stage.yard.gone == 1


def test_a_refused_truck_backs_out_when_lamp_and_boom_say_so() -> None:
    stage = Stage(SEMI)
    stage.bring_to_platform()
    stage.set("back_out")
    stage.run(5.0)
    assert stage.kinds()[-1] == "on_platform"  # the boom behind it is down
    stage.pulse("entry_raise")
    stage.run_until("backed_out")
    assert stage.yard.judge.report()["violations"] == 0
    assert stage.lane.deck.shown_kg == 0
    assert stage.shown("entry_beam")[-2:] == [True, False]


def test_who_backs_out_keeps_his_distance_to_the_truck_behind_him() -> None:
    stage = Stage(SEMI, TruckSpec("second", "a", length_m=8.0, after="approach"))
    stage.bring_to_platform()
    stage.run(30.0)
    assert stage.kinds()[-1] == "at_post"
    stage.set("back_out")  # both drivers see the lamp; the one behind has to go first
    stage.pulse("entry_raise")
    gaps = []
    for _ in range(1200):
        stage.run(0.05)
        if len(stage.lane.drivers) == 2:
            first, second = (driver.vehicle for driver in stage.lane.drivers)
            gaps.append(first.rear_m - second.x_m)
    assert min(gaps) > 1.5
    assert stage.kinds().count("backed_out") == 2


def test_the_next_truck_comes_when_the_lane_is_cleared() -> None:
    stage = Stage(SEMI, TruckSpec("next", "a", arrive_after_s=3.0))
    stage.bring_to_platform()
    stage.run(30.0)
    assert stage.kinds().count("arrived") == 1
    stage.set("exit_green")
    stage.pulse("exit_raise")
    crossed_s = stage.run_until("crossed")
    assert stage.run_until("arrived") - crossed_s >= 3.0


def test_a_tailgater_follows_through_the_boom_that_is_still_up() -> None:
    stage = Stage(
        TruckSpec("first", "a", length_m=7.0),
        TruckSpec("second", "a", length_m=7.0, arrive_after_s=0.0, after="approach", behaviour="tailgates"),
    )
    stage.run_until("at_post")
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run_until("on_platform")
    stage.run(40.0)
    first, second = stage.lane.drivers
    assert second.vehicle.x_m > 5.0
    assert second.vehicle.x_m <= first.vehicle.rear_m - 1.5


def test_bumper_to_bumper_two_go_in_on_one_raise_with_hardly_a_gap_and_back_out_again() -> None:
    stage = Stage(
        TruckSpec("first", "a", length_m=7.0),
        TruckSpec("second", "a", length_m=6.0, behaviour="creeps_behind", after="bumper", arrive_after_s=0.0),
    )
    stage.run_until("at_post")
    stage.run(8.0)
    assert len(stage.lane.drivers) == 2  # the second stands behind, not yet on the loop
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run_until("on_platform")
    stage.run(8.0)
    assert stage.kinds().count("entering") == 2
    assert stage.lane.drivers[1].vehicle.x_m == pytest.approx(7.0, abs=0.1)  # under the boom
    stage.run(20.0)
    looks = [look["approach"] for look in stage.inputs]
    between = looks[looks.index(True) : len(looks) - looks[::-1].index(True)]
    assert between.count(False) * 0.05 < 2.5  # at ten times the speed a quarter of a second: no gap that counts
    assert stage.shown("entry_beam") == [False, True, False, True]
    stage.set("back_out")  # the second stands half on the platform and cannot go on: both drive back
    for _ in range(2):
        stage.run_until("backed_out")
    assert stage.yard.judge.report()["violations"] == 0


def test_a_reversible_lane_is_driven_from_its_far_end_with_its_booms_and_lights_the_other_way_round() -> None:
    comer = TruckSpec("far", "a", length_m=11.0, mass_kg=15_000, comes_from="far")
    stage = Stage(comer, lane=LaneSpec("a", reversible=True))
    stage.run_until("at_post")
    assert stage.lane.inputs()["far_approach"]
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run(10.0)
    assert stage.kinds() == ["arrived", "at_post"]  # that was the other end's
    stage.pulse("entry_lower")
    stage.run(5.0)
    stage.set("entry_green", on=False)
    stage.set("exit_green")
    stage.pulse("exit_raise")
    stage.run_until("on_platform")
    stage.run(20.0)
    assert stage.lane.deck.shown_kg == comer.mass_kg
    state = stage.yard.state()["lanes"]["a"]["vehicles"][0]
    assert not {"entry_beam", "exit_beam", "exit_loop", "entry_loop"} & {
        k for k, on in stage.lane.inputs().items() if on
    }
    assert state["phase"] == "inside"
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run_until("left")
    edges = [name for name in ("far_approach", "exit_beam", "entry_beam", "approach") if True in stage.shown(name)]
    assert edges == ["far_approach", "exit_beam", "entry_beam", "approach"]
    assert stage.kinds()[-3:] == ["leaving", "crossed", "left"]
    assert stage.yard.judge.report()["violations"] == 0


def test_a_truck_that_stops_under_the_boom_stands_there_for_its_pause() -> None:
    stage = Stage(TruckSpec("t", "a", length_m=10.0, behaviour="stops_under_boom", pause_s=12.0))
    stage.bring_to_platform()
    stage.set("exit_green")
    stage.pulse("exit_raise")
    left_s = stage.run_until("leaving")
    assert stage.run_until("crossed") - left_s > 12.0


def test_a_driver_brakes_for_a_boom_that_comes_down_before_him() -> None:
    stage = Stage(SEMI)
    stage.run_until("at_post")
    stage.set("entry_green")
    stage.pulse("entry_raise")
    stage.run_until("entering")
    stage.run(0.3)
    stage.set("entry_lower")
    stage.run(10.0)
    assert stage.yard.judge.report()["violations"] == 0
    assert stage.lane.drivers[0].vehicle.x_m < 5.0


def test_a_lane_with_one_boom_and_no_platform_is_crossed_from_the_stop_line() -> None:
    stage = Stage(TruckSpec("t", "a", length_m=8.0), lane=LaneSpec("a", weighbridge=None, entry_barrier=False))
    stage.run_until("at_post")
    stage.set("exit_green")
    stage.pulse("exit_raise")
    stage.run_until("left")
    assert stage.shown("exit_loop") == [False, True, False]
    looks = [(look["approach"], look["exit_loop"]) for look in stage.inputs]
    first, last = looks.index((True, False)), len(looks) - 1 - looks[::-1].index((False, True))
    assert (False, False) not in looks[first:last]  # never lost from sight on the way
    assert stage.yard.judge.report()["crossings"] == 1


def test_a_platform_without_entry_boom_is_driven_on_to_at_once_but_not_at_red() -> None:
    stage = Stage(SEMI, lane=LaneSpec("a", entry_barrier=False))
    stage.set("entry_red")
    stage.run_until("at_post")
    stage.run(20.0)
    stage.set("entry_red", on=False)
    stage.run_until("on_platform")


def test_a_lane_between_two_booms_without_platform_is_crossed() -> None:
    stage = Stage(SEMI, lane=LaneSpec("a", weighbridge=None))
    stage.bring_to_platform()
    stage.set("exit_green")
    stage.pulse("exit_raise")
    stage.run_until("left")
    assert stage.yard.judge.report()["violations"] == 0


def test_a_lane_without_exit_barrier_is_left_on_green() -> None:
    stage = Stage(SEMI, lane=LaneSpec("a", exit_barrier=False))
    stage.bring_to_platform()
    stage.set("exit_green")
    stage.run_until("crossed")
    assert True in stage.shown("exit_loop")


def test_a_boom_takes_three_seconds_and_shows_its_limits() -> None:
    boom = Boom()
    assert (boom.is_down, boom.is_up) == (True, False)
    boom.start_raising()
    boom.step(1.5)
    assert (boom.is_down, boom.is_up) == (False, False)
    boom.step(1.5)
    assert (boom.is_down, boom.is_up, boom.is_moving) == (False, True, False)


def test_a_raise_turns_a_falling_boom_and_only_edges_count() -> None:
    stage = Stage()
    stage.set("exit_raise")
    stage.run(4.0)
    stage.set("exit_lower")  # the raise output still stands at 1: a raise wins
    stage.run(1.0)
    assert stage.lane.booms["exit"].is_up
    stage.set("exit_raise", "exit_lower", on=False)
    stage.set("exit_lower")
    stage.run(1.5)
    assert not stage.lane.booms["exit"].is_up
    stage.set("exit_raise")
    stage.run(3.0)
    assert stage.lane.booms["exit"].is_up


def test_a_stuck_boom_stays_and_does_not_move_by_itself_when_it_comes_free() -> None:
    stage = Stage()
    stage.set("exit_raise")
    stage.run(1.0)
    stage.yard.switch("a", "exit_boom", "stuck", on=True)
    stage.run(5.0)
    angle = stage.lane.booms["exit"].angle_deg
    stage.yard.switch("a", "exit_boom", "stuck", on=False)
    stage.run(5.0)
    assert stage.lane.booms["exit"].angle_deg == angle
    assert stage.yard.judge.report()["violations"] == 0


def test_without_power_every_input_is_zero_the_known_on_one_too() -> None:
    stage = Stage()
    assert stage.lane.inputs()["power_ok"]
    stage.yard.switch("a", "", "no_power", on=True)
    assert not any(stage.lane.inputs().values())


def test_yard_faults_go_on_and_off() -> None:
    stage = Stage()
    stage.yard.switch("a", "", "fire", on=True)
    stage.yard.switch("a", "exit_loop", "stays_on", on=True)
    stage.yard.switch("a", "platform", "snow", on=True, amount=140.0)
    assert stage.lane.inputs()["fire"]
    assert stage.lane.inputs()["exit_loop"]
    assert stage.lane.deck.shown_kg == 140.0
    stage.yard.switch("a", "exit_loop", "stays_on", on=False)
    stage.yard.switch("a", "", "fire", on=False)
    assert not stage.lane.inputs()["exit_loop"]
    assert not stage.lane.inputs()["fire"]
    with pytest.raises(ValueError, match="no fault 'melts'"):
        stage.yard.switch("a", "exit_boom", "melts", on=True)


def test_the_approach_loop_sees_a_truck_at_the_stop_line() -> None:
    assert Vehicle(SEMI, 2.5).is_over(APPROACH)
    assert not Vehicle(SEMI, -0.5).is_over(APPROACH)


def _play(seed: int, steps: Iterable[float]) -> list[dict[str, Any]]:
    trucks = [TruckSpec(str(n), "a", length_m=7.0 + n, mass_kg=9_000 + n, plate=f"P{n}") for n in range(3)]
    stage = Stage(*trucks, seed=seed)
    shown = []
    for number, dt_s in enumerate(steps):
        if number % 100 == 0:
            stage.set("entry_raise", "entry_green", "exit_raise", "exit_green", on=number % 200 == 0)
        stage.yard.step(dt_s)
        shown.append(stage.yard.state())
    return [*shown, {"dwell": [stage.yard.dwell_s(truck) for truck in trucks]}]


def test_the_same_seed_and_the_same_commands_give_the_same_positions() -> None:
    steps = [0.02 + 0.01 * (n % 7) for n in range(3000)]
    first, second, other = _play(1, steps), _play(1, steps), _play(2, steps)
    assert first == second
    assert len({str(look) for look in first}) > 500
    assert first[-1] != other[-1]


def test_a_long_step_is_cut_into_short_ones() -> None:
    one, many = Stage(SEMI), Stage(SEMI)
    one.yard.step(30.0)
    for _ in range(600):
        many.yard.step(0.05)
    assert one.yard.state() == many.yard.state()


def test_a_plan_names_the_place_of_its_mistake() -> None:
    with pytest.raises(PlanError, match="found 'b'"):
        plan_from({"lanes": [{"id": "a"}], "trucks": [{"id": "t", "lane": "b"}]})
    with pytest.raises(PlanError, match="behaviour must be one of"):
        plan_from({"lanes": [{"id": "a"}], "trucks": [{"id": "t", "lane": "a", "behaviour": "flies"}]})
    with pytest.raises(PlanError, match="speed must be"):
        plan_from({"lanes": [{"id": "a"}], "speed": 0})
    plan = plan_from({"lanes": [{"id": "a", "weighbridge": None}], "trucks": [{"id": "t", "lane": "a", "more": 1}]})
    assert plan.lanes[0].weighbridge is None
    assert plan.trucks[0].plate_read is None
