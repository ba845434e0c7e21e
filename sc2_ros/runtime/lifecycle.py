# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""The managed node: rclpy.lifecycle's `LifecycleNode`, with its state machine and services.

States, transitions and their numbers are lifecycle_msgs' (ROS 2 design, "Managed nodes"):

    unconfigured <--configure/cleanup--> inactive <--activate/deactivate--> active
    any of them --shutdown--> finalized; a callback's error --> errorprocessing --> unconfigured
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Final, NamedTuple

from .endpoints import service_type
from .messages import message_type
from .node import Node

_State = message_type("lifecycle_msgs/msg/State")
_Transition = message_type("lifecycle_msgs/msg/Transition")
_Description = message_type("lifecycle_msgs/msg/TransitionDescription")
_Event = message_type("lifecycle_msgs/msg/TransitionEvent")

STATES: Final = {
    0: "unknown", 1: "unconfigured", 2: "inactive", 3: "active", 4: "finalized",
    10: "configuring", 11: "cleaningup", 12: "shuttingdown", 13: "activating",
    14: "deactivating", 15: "errorprocessing",
}  # fmt: skip


class TransitionCallbackReturn(IntEnum):
    """How a transition's callback ended."""

    SUCCESS = 97
    FAILURE = 98
    ERROR = 99

    def to_label(self) -> str:
        return f"transition_{self.name.lower()}"


class LifecycleState(NamedTuple):
    """Where a node was before the transition that a callback carries out."""

    label: str
    state_id: int


class Edge(NamedTuple):
    """One transition of the graph, between the numbers of two states."""

    number: int
    label: str
    start: int
    goal: int


def _graph() -> Iterable[Edge]:
    """The transitions in the order in which rcl_lifecycle lists them."""
    asked = (
        *(("configure", 1, 1, 10), ("cleanup", 2, 2, 11), ("activate", 3, 2, 13)),
        *(("deactivate", 4, 3, 14), ("shutdown", 5, 1, 12), ("shutdown", 6, 2, 12)),
        ("shutdown", 7, 3, 12),
    )
    for label, number, start, goal in asked:
        yield Edge(number, label, start, goal)
    # (state, first number, goals after success, failure and error)
    ends = (
        *((10, 10, (2, 1, 15)), (11, 20, (1, 2, 15)), (13, 30, (3, 2, 15))),
        *((14, 40, (2, 3, 15)), (12, 50, (4, 4, 15)), (15, 60, (1, 4, 4))),
    )
    for start, first, goals in ends:
        for offset, (end, goal) in enumerate(zip(TransitionCallbackReturn, goals, strict=True)):
            yield Edge(first + offset, end.to_label(), start, goal)


GRAPH: Final = tuple(_graph())


class LifecycleNode(Node):
    """A node whose `on_…` callbacks are called by transitions; overridden by its subclasses.

    A callback that raises counts as `ERROR`: then `on_error` is called, and unless it succeeds the
    node is finalized.
    """

    def __init__(self, node_name: str, **options: Any) -> None:
        super().__init__(node_name, **options)
        self._state = 1
        self._transition_event = self.create_publisher(_Event, "~/transition_event", 10)
        self._offer_services()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return TransitionCallbackReturn.SUCCESS

    on_cleanup = on_activate = on_deactivate = on_shutdown = on_error = on_configure

    def trigger_configure(self) -> TransitionCallbackReturn:
        return self._change_state(1)

    def trigger_cleanup(self) -> TransitionCallbackReturn:
        return self._change_state(2)

    def trigger_activate(self) -> TransitionCallbackReturn:
        return self._change_state(3)

    def trigger_deactivate(self) -> TransitionCallbackReturn:
        return self._change_state(4)

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        return self._change_state(4 + self._state)

    def _available(self) -> list[Edge]:
        return [edge for edge in GRAPH if edge.start == self._state]

    def _change_state(self, number: int) -> TransitionCallbackReturn:
        """Begin a transition, call back, and end it as the callback did."""
        edge = next((edge for edge in self._available() if edge.number == number), None)
        if edge is None:
            self.get_logger().error(
                f"Unable to start transition {number} from current state {STATES[self._state]}"
            )
            return TransitionCallbackReturn.ERROR
        before = LifecycleState(STATES[edge.start], edge.start)
        self._move(edge)
        result = self._call_back(before)
        if result is TransitionCallbackReturn.ERROR:
            self._call_back(before)
        return result

    def _call_back(self, before: LifecycleState) -> TransitionCallbackReturn:
        """The callback of a state in transition, and where it leads."""
        callback = {
            10: self.on_configure,
            11: self.on_cleanup,
            12: self.on_shutdown,
            13: self.on_activate,
            14: self.on_deactivate,
            15: self.on_error,
        }[self._state]
        try:
            result = callback(before)
        except Exception:
            result = TransitionCallbackReturn.ERROR
        self._move(next(edge for edge in self._available() if edge.label == result.to_label()))
        return result

    def _move(self, edge: Edge) -> None:
        self._state = edge.goal
        described: Any = _described(edge)
        event = _Event(
            timestamp=self.get_clock().now().nanoseconds,
            transition=described.transition,
            start_state=described.start_state,
            goal_state=described.goal_state,
        )
        self._transition_event.publish(event)

    def _offer_services(self) -> None:
        for kind, name, answer in (
            ("ChangeState", "change_state", self._on_change_state),
            ("GetState", "get_state", self._on_get_state),
            ("GetAvailableStates", "get_available_states", self._on_get_states),
            ("GetAvailableTransitions", "get_available_transitions", self._on_get_available),
            ("GetAvailableTransitions", "get_transition_graph", self._on_get_graph),
        ):
            self.create_service(service_type(f"lifecycle_msgs/srv/{kind}"), f"~/{name}", answer)

    def _on_change_state(self, request: Any, response: Any) -> Any:
        number, label = request.transition.id, request.transition.label
        if label:
            found = [edge.number for edge in self._available() if edge.label == label]
            if not found:
                return response
            number = found[0]
        response.success = self._change_state(number) is TransitionCallbackReturn.SUCCESS
        return response

    def _on_get_state(self, request: Any, response: Any) -> Any:
        response.current_state = _state(self._state)
        return response

    def _on_get_states(self, request: Any, response: Any) -> Any:
        response.available_states = [_state(number) for number in STATES]
        return response

    def _on_get_available(self, request: Any, response: Any) -> Any:
        response.available_transitions = [_described(edge) for edge in self._available()]
        return response

    def _on_get_graph(self, request: Any, response: Any) -> Any:
        response.available_transitions = [_described(edge) for edge in GRAPH]
        return response


def _state(number: int) -> Any:
    return _State(id=number, label=STATES[number])


def _described(edge: Edge) -> Any:
    return _Description(
        transition=_Transition(id=edge.number, label=edge.label),
        start_state=_state(edge.start),
        goal_state=_state(edge.goal),
    )
