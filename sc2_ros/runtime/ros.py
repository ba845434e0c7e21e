# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one import of the nodes: rclpy and the messages, real where installed, else embedded.

`MIDDLEWARE` says which; the environment variable `SC2_RUNTIME` (`rclpy` or `embedded`) decides it
where both could be had. Both give the same names with the same behaviour; `rclpy` is the module or
its embedded stand-in (`init`, `shutdown`, `try_shutdown`, `ok`, `spin`, `spin_once`). The message
classes carry their own names, except `TimeMsg` and `ClockMsg`. `MISUSE` are the
errors that a wrong command line or a wrong value in a parameter file causes, `MiddlewareError` is
what an endpoint raises whose context is closed. `TELLS_ARRIVAL`: a subscription's callback may take
a message's info, with when it was received, as a second argument.
"""
# ruff: noqa: F401
# mypy: ignore-errors

from importlib import import_module
from importlib.util import find_spec

from .choice import rclpy_chosen

if rclpy_chosen():
    import rclpy
    from rclpy.clock import Clock, ClockType
    from rclpy.exceptions import (
        InvalidParameterTypeException,
        InvalidParameterValueException,
        ParameterException,
    )
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
    from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
    from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
    from rclpy.node import Node
    from rclpy.parameter import Parameter
    from rclpy.qos import (
        DurabilityPolicy,
        HistoryPolicy,
        QoSProfile,
        ReliabilityPolicy,
        qos_policy_name_from_kind,
    )
    from rclpy.qos_overriding_options import QoSOverridingOptions
    from rclpy.subscription import Subscription as _Subscription

    try:
        from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
    except ImportError:  # Humble
        from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

    from .rclpy_lifecycle import LifecycleNode

    MIDDLEWARE = "rclpy"
    TELLS_ARRIVAL = hasattr(_Subscription, "CallbackType")  # not in Humble
    MiddlewareError = _rclpy.RCLError
    MISUSE = (_rclpy.RCLInvalidROSArgsError, _rclpy.UnknownROSArgsError, ParameterException)

    def _message_type(package: str, name: str) -> type:
        return getattr(import_module(f"{package}.msg"), name)

else:
    from cyclonedds.core import DDSException

    from . import embedded as rclpy
    from .clock import Clock, ClockType
    from .context import ExternalShutdownException
    from .errors import RosError
    from .executor import SingleThreadedExecutor
    from .lifecycle import (
        LifecycleNode,
        LifecycleState,
        TransitionCallbackReturn,
    )
    from .messages import message_type
    from .node import Node
    from .parameters import (
        InvalidParameterTypeException,
        InvalidParameterValueException,
        Parameter,
        ParameterException,
    )
    from .qos import (
        DurabilityPolicy,
        HistoryPolicy,
        PublisherEventCallbacks,
        QoSOverridingOptions,
        QoSProfile,
        ReliabilityPolicy,
        SubscriptionEventCallbacks,
        qos_policy_name_from_kind,
    )

    MIDDLEWARE = "embedded cyclonedds"
    TELLS_ARRIVAL = False
    MiddlewareError = DDSException
    MISUSE = (RosError,)

    def _message_type(package: str, name: str) -> type:
        return message_type(f"{package}/msg/{name}")


def _optional_type(package: str, name: str) -> type | None:
    """A message of a package that a base install of ROS does not have."""
    try:
        return _message_type(package, name)
    except ImportError:
        return None


TimeMsg = _message_type("builtin_interfaces", "Time")
ClockMsg = _message_type("rosgraph_msgs", "Clock")

DiagnosticArray = _message_type("diagnostic_msgs", "DiagnosticArray")
DiagnosticStatus = _message_type("diagnostic_msgs", "DiagnosticStatus")
KeyValue = _message_type("diagnostic_msgs", "KeyValue")

RadioStatus = _optional_type("mavros_msgs", "RadioStatus")

FloatingPointRange = _message_type("rcl_interfaces", "FloatingPointRange")
IntegerRange = _message_type("rcl_interfaces", "IntegerRange")
ParameterDescriptor = _message_type("rcl_interfaces", "ParameterDescriptor")
SetParametersResult = _message_type("rcl_interfaces", "SetParametersResult")

CameraInfo = _message_type("sensor_msgs", "CameraInfo")
CompressedImage = _message_type("sensor_msgs", "CompressedImage")
Image = _message_type("sensor_msgs", "Image")

Float32 = _message_type("std_msgs", "Float32")
Float64 = _message_type("std_msgs", "Float64")
Header = _message_type("std_msgs", "Header")
Int64 = _message_type("std_msgs", "Int64")
UInt8MultiArray = _message_type("std_msgs", "UInt8MultiArray")

Detection2D = _message_type("vision_msgs", "Detection2D")
Detection2DArray = _message_type("vision_msgs", "Detection2DArray")
LabelInfo = _message_type("vision_msgs", "LabelInfo")
ObjectHypothesisWithPose = _message_type("vision_msgs", "ObjectHypothesisWithPose")
VisionClass = _message_type("vision_msgs", "VisionClass")

# foxglove_msgs is no part of a ROS base install; without it nodes do without annotations.
ANNOTATIONS = MIDDLEWARE != "rclpy" or find_spec("foxglove_msgs") is not None
if ANNOTATIONS:
    Color = _message_type("foxglove_msgs", "Color")
    ImageAnnotations = _message_type("foxglove_msgs", "ImageAnnotations")
    Point2 = _message_type("foxglove_msgs", "Point2")
    PointsAnnotation = _message_type("foxglove_msgs", "PointsAnnotation")
    TextAnnotation = _message_type("foxglove_msgs", "TextAnnotation")

init, shutdown, try_shutdown, ok = rclpy.init, rclpy.shutdown, rclpy.try_shutdown, rclpy.ok
spin, spin_once = rclpy.spin, rclpy.spin_once
