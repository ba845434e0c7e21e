# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The qualities of service of the topics, each open to `qos_overrides.…` parameters.

| topics | reliability | durability | depth |
|---|---|---|---|
| images in | best effort | volatile | 1: only the newest image counts |
| features, feedback | best effort | volatile | 200 packets: several frames of packets in a burst |
| results | reliable | volatile | 5: a reliable writer also serves best-effort readers |
| label_info | reliable | transient local | 1: latched |
"""

from __future__ import annotations

from copy import copy

from sc2_ros.runtime.ros import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSOverridingOptions,
    QoSProfile,
    ReliabilityPolicy,
)

NEWEST_IMAGE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
)
SENSOR = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.BEST_EFFORT
)
PACKETS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.BEST_EFFORT
)
RESULTS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.RELIABLE
)
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


def overridable() -> QoSOverridingOptions:
    """Lets `qos_overrides.<topic>.<publisher|subscription>.<policy>` change a topic's profile."""
    return QoSOverridingOptions.with_default_policies()


def misfit(kind: str, topic: str, policy: str) -> str:
    """What to do where two ends of a topic are not matched.

    Args:
        kind: publisher or subscription, what this node has.
        topic: its name.
        policy: the policy that does not fit, such as RELIABILITY.
    """
    other, does = ("subscriber", "asks for") if kind == "publisher" else ("publisher", "offers")
    mine, verb = ("offers", "gets nothing") if kind == "publisher" else ("asks for", "is not heard")
    remedy = "change the other node's QoS"
    if policy in ("RELIABILITY", "HISTORY", "DEPTH"):
        remedy += f", or here qos_overrides.{topic}.{kind}.{policy.lower()}"
    return (
        f"a {other} of {topic} {does} another {policy} than this node {mine} and {verb}: {remedy}"
    )


def own(profile: QoSProfile) -> QoSProfile:
    """A topic's own profile: rclpy writes the overrides into the object that it is given."""
    return copy(profile)
