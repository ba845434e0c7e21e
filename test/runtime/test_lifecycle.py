# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The managed node: which transition leads where, and what its services and topic tell."""

import pytest
from service_clients import Client

from sc2_ros.runtime.lifecycle import GRAPH, STATES, LifecycleNode, TransitionCallbackReturn
from sc2_ros.runtime.messages import message_type

SUCCESS, FAILURE, ERROR = TransitionCallbackReturn
PRIMARY = ("unconfigured", "inactive", "active", "finalized")
TO_ACTIVE = ("configure", "activate")


class Recording(LifecycleNode):
    """Keeps the callbacks' names; each ends as `ends` says, or raises."""

    def __init__(self, **ends):
        super().__init__("managed", namespace="/test")
        self.ends, self.called = ends, []

    def _end(self, name, state):
        self.called.append((name, state.label))
        end = self.ends.get(name, SUCCESS)
        if isinstance(end, Exception):
            raise end
        return end

    def on_configure(self, state):
        return self._end("configure", state)

    def on_cleanup(self, state):
        return self._end("cleanup", state)

    def on_activate(self, state):
        return self._end("activate", state)

    def on_deactivate(self, state):
        return self._end("deactivate", state)

    def on_shutdown(self, state):
        return self._end("shutdown", state)

    def on_error(self, state):
        return self._end("error", state)


def state_of(node):
    return STATES[node._state]


def run(node, *actions):
    return [getattr(node, f"trigger_{action}")() for action in actions]


@pytest.mark.parametrize(
    ("actions", "ends", "state", "called"),
    [
        (("configure",), {}, "inactive", [("configure", "unconfigured")]),
        (TO_ACTIVE, {}, "active", [("configure", "unconfigured"), ("activate", "inactive")]),
        ((*TO_ACTIVE, "deactivate"), {}, "inactive", [("deactivate", "active")]),
        (("configure", "cleanup"), {}, "unconfigured", [("cleanup", "inactive")]),
        (("shutdown",), {}, "finalized", [("shutdown", "unconfigured")]),
        (("configure", "shutdown"), {}, "finalized", [("shutdown", "inactive")]),
        ((*TO_ACTIVE, "shutdown"), {}, "finalized", [("shutdown", "active")]),
        (("configure",), {"configure": FAILURE}, "unconfigured", []),
        (TO_ACTIVE, {"activate": FAILURE}, "inactive", []),
        ((*TO_ACTIVE, "deactivate"), {"deactivate": FAILURE}, "active", []),
        (("configure",), {"configure": ERROR}, "unconfigured", [("error", "unconfigured")]),
        (TO_ACTIVE, {"activate": ValueError()}, "unconfigured", [("error", "inactive")]),
        (("configure",), {"configure": ERROR, "error": FAILURE}, "finalized", []),
        (("configure",), {"configure": ERROR, "error": ValueError()}, "finalized", []),
    ],
)
def test_where_transitions_lead(node, actions, ends, state, called):
    managed = Recording(**ends)

    run(managed, *actions)

    assert state_of(managed) == state
    assert managed.called[len(managed.called) - len(called) :] == called


def test_a_transition_that_does_not_begin_here_is_refused_and_calls_nothing(node, capsys):
    managed = Recording()

    assert run(managed, "activate", "cleanup", "deactivate") == [ERROR] * 3

    assert (state_of(managed), managed.called) == ("unconfigured", [])
    assert "Unable to start transition 3 from current state unconfigured" in capsys.readouterr().err
    run(managed, "shutdown")
    assert run(managed, "shutdown", "configure") == [ERROR] * 2


def test_the_graph_is_that_of_lifecycle_msgs():
    constants = message_type("lifecycle_msgs/msg/Transition")
    by_name = {
        name.removeprefix("TRANSITION_"): getattr(constants, name)
        for name in dir(constants)
        if name.startswith("TRANSITION_")
    }
    numbers = set(by_name.values()) - {
        by_name[name]
        for name in ("CREATE", "DESTROY", *(f"CALLBACK_{end.name}" for end in (SUCCESS, FAILURE)))
    } - {by_name["CALLBACK_ERROR"]}  # fmt: skip

    assert {edge.number for edge in GRAPH} == numbers
    assert len(GRAPH) == len(numbers)
    states = message_type("lifecycle_msgs/msg/State")
    for number, label in STATES.items():
        name = label.upper()
        prefix = "PRIMARY" if label in PRIMARY or not number else "TRANSITION"
        assert getattr(states, f"{prefix}_STATE_{name}") == number
    for edge in GRAPH:
        if edge.start >= 10:
            end = edge.label.removeprefix("transition_").upper()
            names = {"configuring": "CONFIGURE", "cleaningup": "CLEANUP", "activating": "ACTIVATE"}
            names |= {"deactivating": "DEACTIVATE", "shuttingdown": "SHUTDOWN"}
            names |= {"errorprocessing": "ERROR"}
            assert by_name[f"ON_{names[STATES[edge.start]]}_{end}"] == edge.number


@pytest.mark.processes
def test_services_change_and_tell_the_state_of_another_process(node, start_peer, spin_until):
    start_peer(script="managed_peer.py")
    events = []
    event_type = message_type("lifecycle_msgs/msg/TransitionEvent")
    topic = node.create_subscription(event_type, "/managed/transition_event", events.append, 10)
    clients = {}

    def ask(kind, name, **fields):
        if name not in clients:
            clients[name] = Client(node, f"lifecycle_msgs/srv/{kind}", f"/managed/{name}")
        return clients[name].call(120.0, **fields)

    def change(number=0, label=""):
        transition = message_type("lifecycle_msgs/msg/Transition")(id=number, label=label)
        return ask("ChangeState", "change_state", transition=transition).success

    def label():
        return ask("GetState", "get_state").current_state.label

    assert label() == "unconfigured"
    spin_until(topic.get_publisher_count)
    states = ask("GetAvailableStates", "get_available_states").available_states
    assert {(state.id, state.label) for state in states} == set(STATES.items())
    offered = ask("GetAvailableTransitions", "get_available_transitions").available_transitions
    assert [entry.transition.label for entry in offered] == ["configure", "shutdown"]
    graph = ask("GetAvailableTransitions", "get_transition_graph").available_transitions
    assert [
        (entry.transition.id, entry.start_state.id, entry.goal_state.id) for entry in graph
    ] == [(edge.number, edge.start, edge.goal) for edge in GRAPH]

    assert change(label="configure")
    assert (change(3), label()) == (True, "active")
    assert not change(1)
    assert not change(label="fly")
    assert (change(label="shutdown"), label()) == (True, "finalized")
    spin_until(lambda: len(events) >= 6)
    assert [event.goal_state.label for event in events] == [
        *("configuring", "inactive", "activating", "active", "shuttingdown", "finalized")
    ]
