# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Links and company on which the controller is measured.

RFC 8867 (test cases for media congestion control) and RFC 8868 (the grid of delay and loss), with
a reference rate of 1 Mbit/s; outages; recorded uplinks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sc2_ros.errors import LinkSpecError
from sc2_ros.link.control.auto import RateState
from sc2_ros.link.rate import RateController
from sc2_ros.link.sim.content import Content
from sc2_ros.link.sim.emulator import LinkModel
from sc2_ros.link.sim.simulator import GROUND_S, Drone, FlowLog, Simulation, TcpFlow
from sc2_ros.link.sim.spec import LinkSpec, parse_link

TRACE_DELAY = "20ms"
"""Propagation delay that a recorded uplink is given where the scenario does not say."""
DEFAULT_TRACE_KBPS = 1000.0
SEED_S = 37.0
"""By how much further into a recorded uplink each seed begins."""


@dataclass(frozen=True)
class Scenario:
    """A link, who uses it, and for how long.

    Attributes:
        name: as on the command line.
        about: one line.
        up: the link from the drone, in `parse_link`'s words.
        down: the link back.
        seconds: how long.
        starts_s: when each drone starts; its number of drones.
        tcp_up_s: (start, stop) of a TCP flow on the way up.
        tcp_down_s: (start, stop) of one on the way back.
    """

    name: str
    about: str
    up: str
    down: str = "unlimited,50ms"
    seconds: float = 60.0
    starts_s: tuple[float, ...] = (0.0,)
    tcp_up_s: tuple[float, float] | None = None
    tcp_down_s: tuple[float, float] | None = None


_PATH = "50ms,jitter=30ms"
_STEPS_1 = "1mbit>2.5mbit@40s>600kbit@60s>1mbit@80s"
_STEPS_2 = "2mbit>1mbit@25s>1.75mbit@50s>500kbit@75s>1mbit@100s"

_FIXED = (
    Scenario("steady", "1 Mbit/s, nothing changes", "1mbit,40ms", "unlimited,40ms"),
    Scenario("halved", "2 Mbit/s, 1 Mbit/s from 30 s", "2mbit>1mbit@30s,40ms", "unlimited,40ms"),
    Scenario("doubled", "1 Mbit/s, 2 Mbit/s from 30 s", "1mbit>2mbit@30s,40ms", "unlimited,40ms"),
    Scenario(
        "rfc8867-5.1", "one stream, capacity 1.0, 2.5, 0.6, 1.0", f"{_STEPS_1},{_PATH}", seconds=100
    ),
    Scenario(
        "rfc8867-5.2",
        "two streams, capacity 2.0, 1.0, 1.75, 0.5, 1.0",
        f"{_STEPS_2},{_PATH}",
        seconds=125,
        starts_s=(0.0, 0.01),
    ),
    Scenario(
        "feedback-congested",
        "the way back has capacity steps and a TCP flow (RFC 8867, 5.3)",
        f"2mbit>1mbit@20s>500kbit@40s>2mbit@60s,{_PATH}",
        f"2mbit>800kbit@35s>1.5mbit@70s,{_PATH}",
        seconds=100,
        tcp_down_s=(5.0, 95.0),
    ),
    Scenario(
        "tcp",
        "a long TCP flow from 20 to 80 s (RFC 8867, 5.6)",
        f"2mbit,{_PATH}",
        seconds=100,
        tcp_up_s=(20.0, 80.0),
    ),
    Scenario(
        "fairness",
        "two drones on one link, the second from 20 s (RFC 8867, 5.4)",
        f"2mbit,{_PATH}",
        seconds=120,
        starts_s=(0.0, 20.0),
    ),
    Scenario("outage-3s", "no link from 20 to 23 s", "1mbit,40ms,outage=3s@20s", "unlimited,40ms"),
    Scenario(
        "outage-30s", "no link from 20 to 50 s", "1mbit,40ms,outage=30s@20s", "unlimited,40ms", 80
    ),
    Scenario("short-queue", "queue of 30 ms", "1mbit,40ms,queue=30ms", "unlimited,40ms"),
    Scenario("bursts", "5 % loss in bursts of 8", "1mbit,40ms,burst=5%x8", "unlimited,40ms"),
    Scenario(
        "disorder",
        "5 % of the packets late by 20 ms, 5 % double",
        "1mbit,40ms,reorder=5%x20ms,duplicate=5%",
        "unlimited,40ms,reorder=5%x20ms,duplicate=5%",
    ),
)
_GRID = tuple(
    Scenario(
        f"rfc8868-{delay_ms}ms-{loss}%",
        f"one-way delay {delay_ms} ms, loss {loss} % both ways",
        f"1mbit,{delay_ms}ms,{loss}%",
        f"unlimited,{delay_ms}ms,{loss}%",
    )
    for delay_ms in (0, 50, 150, 300)
    for loss in (0, 1, 5, 10, 20)
)
SCENARIOS = {scenario.name: scenario for scenario in (*_FIXED, *_GRID)}


def find_scenario(name: str, mean_kbps: float | None = None) -> Scenario:
    """A scenario by name, or one that a trace file or a link description makes.

    Raises:
        LinkSpecError: it is none of them.
    """
    if name in SCENARIOS:
        return SCENARIOS[name]
    if Path(name).is_file():
        kbps = DEFAULT_TRACE_KBPS if mean_kbps is None else mean_kbps
        return Scenario(
            Path(name).name,
            f"recorded uplink scaled to {kbps:g} kbit/s",
            f"{name},mean={kbps}kbit,{TRACE_DELAY}",
            f"unlimited,{TRACE_DELAY}",
            120,
        )
    try:
        spec = parse_link(name)
    except LinkSpecError as error:
        raise LinkSpecError(
            f"{name!r} is no trace, no scenario (benchmarks/link.py --list has them) and no link: "
            f"{error}"
        ) from error
    return Scenario(name, "as described", name, f"unlimited,{spec.delay_s}s,{spec.loss:%}")


def specs(scenario: Scenario, mean_kbps: float | None = None) -> tuple[LinkSpec, LinkSpec]:
    """Both directions of the link, the way up scaled to a mean capacity where one is given."""
    up, down = parse_link(scenario.up), parse_link(scenario.down)
    if mean_kbps is None or up.trace is not None or math.isinf(up.mean_bps):
        return up, down
    factor = mean_kbps * 1e3 / up.mean_bps
    steps = tuple((time_s, rate_bps * factor) for time_s, rate_bps in up.steps)
    rate_bps = None if up.rate_bps is None else up.rate_bps * factor
    queue_bytes = round(up.queue_bytes * factor)
    return replace(up, rate_bps=rate_bps, steps=steps, queue_bytes=queue_bytes), down


def uplink(spec: LinkSpec, seed: int) -> LinkModel:
    """The way up with a seed's luck; a recorded one begins elsewhere for each seed."""
    return LinkModel(spec, seed, -SEED_S * seed if spec.trace is not None else 0.0)


def _observer(controller: RateController) -> Callable[[float], tuple[float, float] | None]:
    """Looks at (target, queueing delay) of a controller that tells them."""

    def look(now_s: float) -> tuple[float, float] | None:
        state = getattr(controller, "state", None)
        if not isinstance(state, RateState):
            return None
        return state.target_bps, state.queue_delay_s or 0.0

    return look


@dataclass(frozen=True)
class Run:
    """A scenario that was played."""

    logs: list[FlowLog]
    tcp: list[TcpFlow]
    link: LinkModel
    seconds: float
    content: Content
    fps: float


def play(
    scenario: Scenario,
    controllers: Sequence[RateController],
    *,
    seconds: float | None = None,
    seed: int = 0,
    mean_kbps: float | None = None,
    content: Content | None = None,
    fps: float = 30.0,
    ground_s: float = GROUND_S,
) -> Run:
    """Play a scenario with one controller per drone.

    The seed is that of the link's luck; a recorded uplink begins `SEED_S` later for each. The
    ground's network takes ``ground_s`` for a frame.
    """
    up, down = specs(scenario, mean_kbps)
    seconds = scenario.seconds if seconds is None else seconds
    content = content or Content()
    simulation = Simulation(uplink(up, seed), LinkModel(down, seed + 1))
    drones = [
        Drone(
            simulation,
            controller,
            content,
            fps=fps,
            start_s=start_s,
            ground_s=ground_s,
            on_feedback=_observer(controller),
        )
        for controller, start_s in zip(controllers, scenario.starts_s, strict=True)
    ]
    tcp = []
    if scenario.tcp_up_s is not None:
        start_s, stop_s = scenario.tcp_up_s
        tcp.append(TcpFlow(simulation, start_s=start_s, stop_s=stop_s))
    if scenario.tcp_down_s is not None:
        start_s, stop_s = scenario.tcp_down_s
        tcp.append(TcpFlow(simulation, start_s=start_s, stop_s=stop_s, uplink=False))
    simulation.run(seconds)
    return Run([drone.log for drone in drones], tcp, simulation.up, seconds, content, fps)
