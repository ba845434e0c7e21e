# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the onboard and the ground node share as managed nodes (ROS 2 lifecycle).

    unconfigured --configure: load--> inactive --activate: start--> active
         ^                              |  ^                          |
         +-----------cleanup------------+  +---------deactivate-------+
         +----- an error, with its reason in the log and on /diagnostics, from everywhere

With `autostart` (the default) a node configures and activates itself, and does so again some
seconds after a fault: a drone in the air has nobody to type `ros2 lifecycle set`.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from sc2_ros.errors import Sc2Error
from sc2_ros.nodes import qos
from sc2_ros.nodes.diagnostics import Level, Status, lifecycle_status, to_message
from sc2_ros.nodes.parameter_server import ParameterServer
from sc2_ros.nodes.parameters import Row
from sc2_ros.nodes.process import explain, sentence
from sc2_ros.runtime.ros import (
    MISUSE,
    Clock,
    ClockType,
    DiagnosticArray,
    LifecycleNode,
    LifecycleState,
    PublisherEventCallbacks,
    SubscriptionEventCallbacks,
    TransitionCallbackReturn,
    qos_policy_name_from_kind,
)

REPORT_S = 1.0
MISFIT_S = 60.0
"""How long an end of a topic whose QoS does not fit is reported: nobody says when it has gone."""
RETRY_S = 3.0
"""How long after a fault a node with `autostart` begins anew."""


class ManagedNode(LifecycleNode):
    """A node that loads when it is configured and works while it is active.

    A subclass gives `_load`, `_start`, `_check` and `_statuses`. What `_load` opens it puts on the
    stack `_loaded`, what `_start` opens on `_running`; both are closed for it, newest first.

    Args:
        name: the node's name.
        rows: its parameters.
        namespace: where no command line gives another.
    """

    def __init__(self, name: str, rows: tuple[Row, ...], namespace: str | None = None) -> None:
        self._loaded, self._running = ExitStack(), ExitStack()
        self._active = False
        self._stage = "unconfigured"
        self._quiet = False
        self._fault: Exception | None = None
        self._retry_at_s: float | None = None
        self._misfits: dict[str, tuple[str, float]] = {}
        """What does not fit, and since when, by topic; the middleware's threads enter it."""
        self._reported_s = 0.0
        super().__init__(name, namespace=namespace)
        self._settings = ParameterServer(self, rows)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.RESULTS)
        # The radio and the threads run in real time, whatever /clock says.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(REPORT_S, self._report, clock=self._steady)

    @abstractmethod
    def _load(self) -> None:
        """Load the networks and make the publishers."""

    @abstractmethod
    def _start(self) -> None:
        """Start the threads, then let the messages in."""

    @abstractmethod
    def _check(self) -> None:
        """Raise what stopped a thread, if anything did."""

    @abstractmethod
    def _statuses(self, now_s: float) -> dict[str, list[Status]]:
        """Lines for /diagnostics of an active node, by hardware id."""

    def autostart(self) -> None:
        """Configure and activate, if the parameter says so.

        Raises:
            Exception: what went wrong; it is not logged.
        """
        if not self._settings["autostart"]:
            return
        self._quiet = True
        self._begin()
        self._quiet = False
        if self._fault is not None:
            raise self._fault

    def _begin(self) -> None:
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    # What belongs to a stage

    def _publisher(self, kind: Any, topic: str, profile: Any, *, overrides: bool = False) -> Any:
        """A publisher that lasts until the node is unconfigured."""
        options = qos.overridable() if overrides else None
        publisher = self.create_publisher(
            kind,
            topic,
            qos.own(profile),
            qos_overriding_options=options,
            event_callbacks=PublisherEventCallbacks(
                incompatible_qos=partial(self._misfit, "publisher", topic)
            ),
        )
        self._loaded.callback(self.destroy_publisher, publisher)
        return publisher

    def _subscription(
        self, kind: Any, topic: str, callback: Any, profile: Any, *, raw: bool = False
    ) -> Any:
        """A subscription that lasts while the node is active; its QoS may be overridden."""
        subscription = self.create_subscription(
            kind,
            topic,
            callback,
            qos.own(profile),
            qos_overriding_options=qos.overridable(),
            event_callbacks=SubscriptionEventCallbacks(
                incompatible_qos=partial(self._misfit, "subscription", topic)
            ),
            raw=raw,
        )
        self._running.callback(self.destroy_subscription, subscription)
        return subscription

    def _misfit(self, kind: str, topic: str, event: Any) -> None:
        """Nothing flows between two ends of a topic; `_report` says it, outside DDS's thread."""
        name = self.resolve_topic_name(topic)
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._misfits[name] = (qos.misfit(kind, name, policy), time.monotonic())

    def _misfit_of(self, topic: str) -> str:
        """What is known of an end of this topic whose QoS does not fit; empty if there is none."""
        return self._misfits.get(topic, ("", 0.0))[0]

    def _timer_while_active(self, period_s: float, callback: Callable[[], None]) -> None:
        timer = self.create_timer(period_s, callback, clock=self._steady)
        self._running.callback(self.destroy_timer, timer)

    # Transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load."""
        return self._do(self._load, "inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start."""
        result = self._do(self._start, "active")
        self._active = result == TransitionCallbackReturn.SUCCESS
        if self._active:
            self._retry_at_s = None  # a fault before is over, whoever has mended it
            self._settings.warn_of_unused()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop, and leave the GPU to others; after a fault, by way of the error state."""
        if self._fault is not None:
            return TransitionCallbackReturn.ERROR
        return self._do(self._stop, "inactive", "deactivated: nothing is received or sent")

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the networks."""
        return self._do(self._loaded.close, "unconfigured", "cleaned up: the networks are unloaded")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good; the process lives until it is told to end."""
        return self._do(self._stop_all, "finalized", "shut down")

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured, from where everything can be tried again."""
        self._stage, self._active = "unconfigured", False
        for stack in (self._running, self._loaded):
            try:
                stack.close()
            except Exception as error:  # such as a GPU that is gone
                self.get_logger().error(f"while stopping: {reason(error)}")
        return TransitionCallbackReturn.SUCCESS

    def _do(self, step: Callable[[], Any], stage: str, done: str = "") -> TransitionCallbackReturn:
        """Carry out a transition's step; what it raises is kept, and said, as is `done`."""
        try:
            step()
        except Exception as error:
            self._fault = error
            if not self._quiet:
                self.get_logger().error(f"the node becomes unconfigured: {reason(error)}")
            return TransitionCallbackReturn.ERROR
        self._fault, self._stage = None, stage
        if done:
            self.get_logger().info(done)
        return TransitionCallbackReturn.SUCCESS

    def _stop(self) -> None:
        self._active = False
        self._running.close()

    def _stop_all(self) -> None:
        self._stop()
        self._loaded.close()

    # Once a second

    def _report(self) -> None:
        now_s = time.monotonic()
        if self._active:
            try:
                self._check()
            except Exception as error:
                self._break_down(error, now_s)
        elif self._retry_at_s is not None and now_s >= self._retry_at_s:
            self._retry_at_s = None
            if self._stage == "unconfigured":
                self._begin()
                if self._fault is not None:
                    self._retry_at_s = now_s + RETRY_S
        why = "" if self._fault is None else reason(self._fault)
        lines = {self.get_name(): [lifecycle_status(self._stage, why)]}
        for text, at_s in list(self._misfits.values()):
            if now_s - at_s < MISFIT_S:
                lines[self.get_name()].append(Status("qos", Level.WARN, text))
                if at_s > self._reported_s:
                    self.get_logger().warning(text)
        self._reported_s = now_s
        if self._active:
            for hardware, statuses in self._statuses(now_s).items():
                lines.setdefault(hardware, []).extend(statuses)
        stamp = self.get_clock().now().to_msg()
        for hardware, statuses in lines.items():
            self._diagnostics.publish(to_message(statuses, stamp, self.get_name(), hardware))

    def _break_down(self, error: Exception, now_s: float) -> None:
        """A thread has ended: through the error state to unconfigured."""
        explain(self.get_logger(), error)
        self._fault = error
        self.trigger_deactivate()
        if self._settings["autostart"]:
            self._retry_at_s = now_s + RETRY_S

    def destroy_node(self) -> None:
        """Stop the threads before their publishers go."""
        self._stop_all()
        super().destroy_node()


def reason(error: Exception) -> str:
    """What went wrong, in one line."""
    return (
        " ".join(str(error).split()) if isinstance(error, (Sc2Error, *MISUSE)) else sentence(error)
    )
