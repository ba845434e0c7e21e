# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one import of the nodes: rclpy and the messages, real where installed, else embedded.

`MIDDLEWARE` says which. Both give the same names with the same behaviour; `rclpy` is the module or
its embedded stand-in (`init`, `shutdown`, `try_shutdown`, `ok`, `spin`, `spin_once`).
"""
# ruff: noqa: F401
# mypy: ignore-errors

from importlib.util import find_spec

if find_spec("rclpy") is not None:
    import rclpy
    from builtin_interfaces.msg import Duration as DurationMsg
    from builtin_interfaces.msg import Time as TimeMsg
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
    from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion
    from rcl_interfaces.msg import (
        FloatingPointRange,
        IntegerRange,
        ParameterDescriptor,
        ParameterEvent,
        SetParametersResult,
    )
    from rclpy.clock import Clock, ClockType
    from rclpy.duration import Duration
    from rclpy.exceptions import (
        InvalidParameterTypeException,
        InvalidParameterValueException,
        ParameterAlreadyDeclaredException,
        ParameterNotDeclaredException,
    )
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
    from rclpy.node import Node
    from rclpy.parameter import Parameter
    from rclpy.qos import (
        DurabilityPolicy,
        HistoryPolicy,
        QoSPolicyKind,
        QoSProfile,
        ReliabilityPolicy,
        qos_profile_sensor_data,
        qos_profile_system_default,
    )
    from rclpy.qos_overriding_options import QoSOverridingOptions
    from rclpy.time import Time
    from rosgraph_msgs.msg import Clock as ClockMsg
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
    from std_msgs.msg import (
        Bool,
        ColorRGBA,
        Empty,
        Float32,
        Float64,
        Header,
        Int32,
        Int64,
        MultiArrayDimension,
        MultiArrayLayout,
        String,
        UInt8MultiArray,
    )
    from vision_msgs.msg import (
        BoundingBox2D,
        Detection2D,
        Detection2DArray,
        LabelInfo,
        ObjectHypothesis,
        ObjectHypothesisWithPose,
        Point2D,
        Pose2D,
        VisionClass,
    )

    MIDDLEWARE = "rclpy"
else:
    from sc2_ros.runtime import embedded as rclpy
    from sc2_ros.runtime.clock import Clock, ClockType, Duration, Time
    from sc2_ros.runtime.context import ExternalShutdownException
    from sc2_ros.runtime.executor import SingleThreadedExecutor
    from sc2_ros.runtime.messages import message_type
    from sc2_ros.runtime.node import Node
    from sc2_ros.runtime.parameters import (
        FloatingPointRange,
        IntegerRange,
        InvalidParameterTypeException,
        InvalidParameterValueException,
        Parameter,
        ParameterAlreadyDeclaredException,
        ParameterDescriptor,
        ParameterNotDeclaredException,
        SetParametersResult,
    )
    from sc2_ros.runtime.qos import (
        DurabilityPolicy,
        HistoryPolicy,
        QoSOverridingOptions,
        QoSPolicyKind,
        QoSProfile,
        ReliabilityPolicy,
        qos_profile_sensor_data,
        qos_profile_system_default,
    )

    DurationMsg = message_type("builtin_interfaces/msg/Duration")
    TimeMsg = message_type("builtin_interfaces/msg/Time")
    ClockMsg = message_type("rosgraph_msgs/msg/Clock")
    ParameterEvent = message_type("rcl_interfaces/msg/ParameterEvent")

    DiagnosticArray = message_type("diagnostic_msgs/msg/DiagnosticArray")
    DiagnosticStatus = message_type("diagnostic_msgs/msg/DiagnosticStatus")
    KeyValue = message_type("diagnostic_msgs/msg/KeyValue")

    Point = message_type("geometry_msgs/msg/Point")
    Pose = message_type("geometry_msgs/msg/Pose")
    PoseWithCovariance = message_type("geometry_msgs/msg/PoseWithCovariance")
    Quaternion = message_type("geometry_msgs/msg/Quaternion")

    CameraInfo = message_type("sensor_msgs/msg/CameraInfo")
    CompressedImage = message_type("sensor_msgs/msg/CompressedImage")
    Image = message_type("sensor_msgs/msg/Image")
    RegionOfInterest = message_type("sensor_msgs/msg/RegionOfInterest")

    Bool = message_type("std_msgs/msg/Bool")
    ColorRGBA = message_type("std_msgs/msg/ColorRGBA")
    Empty = message_type("std_msgs/msg/Empty")
    Float32 = message_type("std_msgs/msg/Float32")
    Float64 = message_type("std_msgs/msg/Float64")
    Header = message_type("std_msgs/msg/Header")
    Int32 = message_type("std_msgs/msg/Int32")
    Int64 = message_type("std_msgs/msg/Int64")
    MultiArrayDimension = message_type("std_msgs/msg/MultiArrayDimension")
    MultiArrayLayout = message_type("std_msgs/msg/MultiArrayLayout")
    String = message_type("std_msgs/msg/String")
    UInt8MultiArray = message_type("std_msgs/msg/UInt8MultiArray")

    BoundingBox2D = message_type("vision_msgs/msg/BoundingBox2D")
    Detection2D = message_type("vision_msgs/msg/Detection2D")
    Detection2DArray = message_type("vision_msgs/msg/Detection2DArray")
    LabelInfo = message_type("vision_msgs/msg/LabelInfo")
    ObjectHypothesis = message_type("vision_msgs/msg/ObjectHypothesis")
    ObjectHypothesisWithPose = message_type("vision_msgs/msg/ObjectHypothesisWithPose")
    Point2D = message_type("vision_msgs/msg/Point2D")
    Pose2D = message_type("vision_msgs/msg/Pose2D")
    VisionClass = message_type("vision_msgs/msg/VisionClass")

    MIDDLEWARE = "embedded cyclonedds"

init = rclpy.init
shutdown = rclpy.shutdown
try_shutdown = rclpy.try_shutdown
ok = rclpy.ok
spin = rclpy.spin
spin_once = rclpy.spin_once
