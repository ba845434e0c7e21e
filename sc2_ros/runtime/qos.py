# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""QoS profiles with rclpy's names, their DDS policies, and `qos_overrides` parameters."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from cyclonedds.qos import Policy, Qos
from cyclonedds.util import duration

from .errors import RosError
from .messages import message_type

MOST_DEPTH = 2**31


class HistoryPolicy(IntEnum):
    """Keep the newest `depth` samples, or all of them."""

    KEEP_LAST = 1
    KEEP_ALL = 2


class ReliabilityPolicy(IntEnum):
    """Resend what was lost, or not."""

    RELIABLE = 1
    BEST_EFFORT = 2


class DurabilityPolicy(IntEnum):
    """Whether a late subscriber gets what was published before."""

    TRANSIENT_LOCAL = 1
    VOLATILE = 2


class QoSProfile:
    """What a publisher offers or a subscription asks for."""

    def __init__(
        self,
        *,
        depth: int = 10,
        history: HistoryPolicy = HistoryPolicy.KEEP_LAST,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        durability: DurabilityPolicy = DurabilityPolicy.VOLATILE,
    ) -> None:
        self.depth = depth
        self.history = HistoryPolicy(history)
        self.reliability = ReliabilityPolicy(reliability)
        self.durability = DurabilityPolicy(durability)

    @classmethod
    def of(cls, profile_or_depth: "QoSProfile | int") -> "QoSProfile":
        """Copy of a profile, or the default profile with this depth."""
        if isinstance(profile_or_depth, QoSProfile):
            return copy(profile_or_depth)
        return cls(depth=profile_or_depth)

    def to_dds(self, user_data: str) -> Qos:
        """Policies as rmw_cyclonedds sets them, with `user_data` (type hash, service id)."""
        if self.history == HistoryPolicy.KEEP_ALL:
            history: Any = Policy.History.KeepAll
        else:
            history = Policy.History.KeepLast(max(1, self.depth))
        policies: list[Any] = [
            history,
            Policy.WriterDataLifecycle(autodispose=False),
            Policy.Userdata(user_data.encode()),
            Policy.DataRepresentation(use_cdrv0_representation=True),
        ]
        if self.reliability == ReliabilityPolicy.BEST_EFFORT:
            policies.append(Policy.Reliability.BestEffort)
        else:
            policies.append(Policy.Reliability.Reliable(duration(infinite=True)))
        if self.durability == DurabilityPolicy.TRANSIENT_LOCAL:
            policies.append(Policy.Durability.TransientLocal)
            policies.append(Policy.DurabilityService(0, history, -1, -1, -1))
        else:
            policies.append(Policy.Durability.Volatile)
        return Qos(*policies)


_POLICY_NAMES = {2: "DURABILITY", 4: "DEADLINE", 8: "LIVELINESS", 11: "RELIABILITY"}


def qos_policy_name_from_kind(policy_kind: int) -> str:
    """Name of a policy of `IncompatibleQos`, by its number in DDS."""
    return _POLICY_NAMES.get(policy_kind, "INVALID")


@dataclass(frozen=True)
class IncompatibleQos:
    """An endpoint at the other end of a topic that cannot be matched."""

    total_count: int
    last_policy_kind: int


@dataclass(frozen=True)
class SubscriptionEventCallbacks:
    """What a subscription calls, from a thread of the middleware."""

    incompatible_qos: Callable[[IncompatibleQos], Any] | None = None


@dataclass(frozen=True)
class PublisherEventCallbacks:
    """What a publisher calls, from a thread of the middleware."""

    incompatible_qos: Callable[[IncompatibleQos], Any] | None = None


class QoSOverridingOptions:
    """That an endpoint opens its policies as `qos_overrides.<topic>....` parameters."""

    policies = ("history", "depth", "reliability")

    @classmethod
    def with_default_policies(cls) -> "QoSOverridingOptions":
        return cls()


class InvalidQosOverridesError(RosError):
    """An override has no such value."""


def declare_qos_overrides(
    node: Any, kind: str, topic: str, qos: QoSProfile, options: QoSOverridingOptions
) -> None:
    """Declare the read-only override parameters of one endpoint and apply them to `qos`."""
    for field in options.policies:
        name = f"qos_overrides.{topic}.{kind}.{field}"
        current = getattr(qos, field)
        default = current.name.lower() if isinstance(current, IntEnum) else current
        if not node.has_parameter(name):
            descriptor = message_type("rcl_interfaces/msg/ParameterDescriptor")(
                description=f"{field} of the {kind} of {topic}", read_only=True
            )
            node.declare_parameter(name, default, descriptor)
        value = node.get_parameter(name).value
        if isinstance(current, IntEnum):
            known = {member.name.lower(): member for member in type(current)}
            if str(value).lower() not in known:
                raise InvalidQosOverridesError(
                    f"parameter {name} = {value!r} is unknown; use one of {', '.join(known)}"
                )
            value = known[str(value).lower()]
        elif value is None or not 0 <= value < MOST_DEPTH:
            raise InvalidQosOverridesError(
                f"parameter {name} = {value!r} is out of range; use 0 to {MOST_DEPTH - 1}"
            )
        setattr(qos, field, value)


qos_profile_services_default = QoSProfile()
qos_profile_parameters = QoSProfile(depth=1000)
qos_profile_parameter_events = QoSProfile(depth=1000)
qos_profile_rosout = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
qos_profile_clock = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
