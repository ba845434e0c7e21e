# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""The node: rclpy's `Node` as far as this package's nodes use it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .arguments import expand_name
from .clock import NS_PER_S, Clock, ClockType
from .context import Context, get_default_context
from .endpoints import Publisher, Service, ServiceType, Subscription
from .logging import Logger, LoggingSeverity, get_logger
from .messages import Message, message_type
from .parameter_services import ParameterServices
from .parameters import Parameter, ParameterTable
from .qos import (
    PublisherEventCallbacks,
    QoSOverridingOptions,
    QoSProfile,
    SubscriptionEventCallbacks,
    declare_qos_overrides,
    qos_profile_clock,
    qos_profile_parameter_events,
    qos_profile_rosout,
    qos_profile_services_default,
)
from .timer import Timer
from .type_description import TypeDescriptionService

_ClockMsg = message_type("rosgraph_msgs/msg/Clock")
_Log = message_type("rcl_interfaces/msg/Log")
_ParameterEvent = message_type("rcl_interfaces/msg/ParameterEvent")

Endpoint = TypeVar("Endpoint", Publisher, Subscription, Service)


class Node:
    """Named set of endpoints, timers and parameters in the process's context."""

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        namespace: str | None = None,
        parameter_overrides: Sequence[Parameter] | None = None,
    ) -> None:
        self.context = context or get_default_context()
        self._participant = self.context.participant
        self._arguments = arguments = self.context.arguments
        self._name = arguments.node_name(node_name)
        # As in rcl: a rule for one node's namespace knows the node by its new name.
        self._namespace = arguments.node_namespace(self._name, namespace or "")
        expand_name(self._name, self._namespace, "/")  # refuses what is not a name
        self.endpoints: list[Any] = []
        self.takers: list[Subscription | Service] = []
        self.timers: list[Timer] = []
        self._clock = Clock(clock_type=ClockType.ROS_TIME)
        self._clock_subscription: Subscription | None = None
        self.context.nodes.append(self)

        self._rosout = self.create_publisher(_Log, "/rosout", qos_profile_rosout)
        full_name = self.get_fully_qualified_name()
        self._logger = Logger(full_name[1:].replace("/", "."), self._publish_log)
        self._logger.set_level(get_logger(self._logger.name).get_effective_level())
        self._events = self.create_publisher(
            _ParameterEvent, "/parameter_events", qos_profile_parameter_events
        )
        self._parameter_overrides = arguments.overrides(full_name)
        self._parameter_overrides |= {p.name: p.value for p in parameter_overrides or ()}
        self._parameters = ParameterTable(self._parameter_overrides, self._publish_parameter_event)
        self._parameters.post_set.append(self._follow_simulated_time)
        self.declare_parameter("use_sim_time", False)
        ParameterServices(self._parameters, self.create_service)
        TypeDescriptionService(self._parameters, self.create_service, self.endpoints)

    # Names

    def get_name(self) -> str:
        return self._name

    def get_namespace(self) -> str:
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        return f"{self._namespace.rstrip('/')}/{self._name}"

    def get_logger(self) -> Logger:
        return self._logger

    def get_clock(self) -> Clock:
        return self._clock

    def resolve_topic_name(self, topic: str) -> str:
        """Absolute topic name after the remaps of the command line."""
        full_name = self.get_fully_qualified_name()
        absolute = expand_name(topic, self._namespace, full_name)
        return self._arguments.remap(absolute, self._name, full_name)

    # Endpoints

    def create_publisher(
        self,
        msg_type: type[Message],
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        qos_overriding_options: QoSOverridingOptions | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
    ) -> Publisher:
        topic = self.resolve_topic_name(topic)
        qos = QoSProfile.of(qos_profile)
        if qos_overriding_options is not None:
            declare_qos_overrides(self, "publisher", topic, qos, qos_overriding_options)
        return self._add(Publisher(self._participant, msg_type, topic, qos, event_callbacks))

    def create_subscription(
        self,
        msg_type: type[Message],
        topic: str,
        callback: Callable[[Any], Any],
        qos_profile: QoSProfile | int,
        *,
        qos_overriding_options: QoSOverridingOptions | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        raw: bool = False,
    ) -> Subscription:
        topic = self.resolve_topic_name(topic)
        qos = QoSProfile.of(qos_profile)
        if qos_overriding_options is not None:
            declare_qos_overrides(self, "subscription", topic, qos, qos_overriding_options)
        return self._add(
            Subscription(self._participant, msg_type, topic, callback, qos, event_callbacks, raw)
        )

    def create_service(
        self,
        srv_type: ServiceType,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
    ) -> Service:
        name = self.resolve_topic_name(srv_name)
        return self._add(Service(self._participant, srv_type, name, callback, qos_profile))

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any],
        *,
        clock: Clock | None = None,
    ) -> Timer:
        timer = Timer(int(timer_period_sec * NS_PER_S), callback, clock or self._clock)
        self.timers.append(timer)
        return timer

    def _add(self, endpoint: Endpoint) -> Endpoint:
        self.endpoints.append(endpoint)
        if isinstance(endpoint, Subscription | Service):
            self.takers.append(endpoint)
        self.context.publish_graph()
        return endpoint

    def _remove(self, endpoint: Any) -> bool:
        if endpoint not in self.endpoints:
            return False
        self.endpoints.remove(endpoint)
        if endpoint in self.takers:
            self.takers.remove(endpoint)
        for entity in (*endpoint.readers, *endpoint.writers):
            entity.close()
        self.context.publish_graph()
        return True

    destroy_publisher = destroy_subscription = _remove

    def destroy_timer(self, timer: Timer) -> bool:
        timer.cancel()
        if timer in self.timers:
            self.timers.remove(timer)
            return True
        return False

    def destroy_node(self) -> None:
        self.timers.clear()
        for endpoint in list(self.endpoints):
            self._remove(endpoint)
        if self in self.context.nodes:
            self.context.nodes.remove(self)
            self.context.publish_graph()

    # Parameters

    def declare_parameter(
        self, name: str, value: Any = None, descriptor: Any = None, ignore_override: bool = False
    ) -> Parameter:
        return self._parameters.declare(name, value, descriptor, ignore_override)

    def has_parameter(self, name: str) -> bool:
        return name in self._parameters.values

    def get_parameter(self, name: str) -> Parameter:
        return self._parameters.get(name)

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]:
        """Those of `prefix.`, without it."""
        above = f"{prefix}."
        known = self._parameters.values.items()
        return {name[len(above) :]: found for name, found in known if name.startswith(above)}

    def set_parameters(self, parameter_list: Sequence[Parameter]) -> list[Any]:
        return [self._parameters.set([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: Sequence[Parameter]) -> Any:
        return self._parameters.set(list(parameter_list))

    def add_on_set_parameters_callback(self, callback: Callable[[list[Parameter]], Any]) -> None:
        """The newest callback is asked first; one that refuses ends the setting."""
        self._parameters.on_set.insert(0, callback)

    def add_post_set_parameters_callback(self, callback: Callable[[list[Parameter]], Any]) -> None:
        self._parameters.post_set.insert(0, callback)

    def _publish_parameter_event(self, kind: str, parameter: Parameter) -> None:
        event = _ParameterEvent(stamp=self._clock.now().to_msg())
        event.node = self.get_fully_qualified_name()
        getattr(event, f"{kind}_parameters").append(parameter.to_parameter_msg())
        self._events.publish(event)

    def _publish_log(self, severity: LoggingSeverity, text: str) -> None:
        if self._rosout in self.endpoints:
            log = _Log(stamp=self._clock.now().to_msg(), level=int(severity), msg=text)
            log.name = self._logger.name
            self._rosout.publish(log)

    # Simulated time

    def _follow_simulated_time(self, parameters: list[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name != "use_sim_time":
                continue
            if parameter.value and self._clock_subscription is None:
                self._clock.set_ros_time_override(0)  # as rclpy: zero until the first /clock
                self._clock_subscription = self.create_subscription(
                    _ClockMsg, "/clock", self._on_clock, qos_profile_clock
                )
            elif not parameter.value and self._clock_subscription is not None:
                self._remove(self._clock_subscription)
                self._clock_subscription = None
                self._clock.set_ros_time_override(None)

    def _on_clock(self, message: Any) -> None:
        self._clock.set_ros_time_override(message.clock.sec * NS_PER_S + message.clock.nanosec)
