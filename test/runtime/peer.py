# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The second process of the tests: a node that sends back what it gets."""

import sys

from sc2_ros.runtime.ros import (
    Detection2DArray,
    DiagnosticArray,
    DurabilityPolicy,
    ExternalShutdownException,
    FloatingPointRange,
    Image,
    Int64,
    IntegerRange,
    LabelInfo,
    Node,
    ParameterDescriptor,
    QoSOverridingOptions,
    QoSProfile,
    ReliabilityPolicy,
    SetParametersResult,
    VisionClass,
    rclpy,
)


class Peer(Node):
    """Echoes messages, keeps a latched LabelInfo, has parameters with limits, tells its time."""

    def __init__(self) -> None:
        super().__init__("peer")
        for kind, topic in ((Image, "image"), (Detection2DArray, "det"), (DiagnosticArray, "diag")):
            back = self.create_publisher(kind, f"{topic}_back", 10)
            self.create_subscription(kind, topic, back.publish, 10)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.labels = self.create_publisher(LabelInfo, "label_info", latched)
        self.labels.publish(LabelInfo(class_map=[VisionClass(class_id=1, class_name="car")]))
        self.now = self.create_publisher(Int64, "~/now", 10)
        self.create_timer(0.02, self.tell_time)
        self.create_subscription(
            Int64,
            "reliable",
            lambda _: None,
            QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        limits = FloatingPointRange(from_value=0.0, to_value=1.0)
        self.declare_parameter("rate", 0.5, ParameterDescriptor(floating_point_range=[limits]))
        steps = IntegerRange(from_value=0, to_value=64, step=16)
        self.declare_parameter("size", 32, ParameterDescriptor(integer_range=[steps]))
        self.declare_parameter("model", "default", ParameterDescriptor(read_only=True))
        self.declare_parameter("classes", ["car", "person"])
        self.add_on_set_parameters_callback(self.check)

    def tell_time(self) -> None:
        self.now.publish(Int64(data=self.get_clock().now().nanoseconds))

    def check(self, parameters: list) -> SetParametersResult:
        refused = [p.name for p in parameters if p.name == "classes" and "dog" in p.value]
        return SetParametersResult(successful=not refused, reason="no dogs" if refused else "")


def main() -> None:
    rclpy.init(args=sys.argv)
    node = Peer()
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        print("told to stop")
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


main()
