# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embedded ROS 2 runtime: the part of rclpy's API that the nodes use, where there is no rclpy.

Import `sc2_ros.runtime.ros`; it gives the real rclpy wherever that can be imported. Nothing here
imports from another folder of this package: it could be published alone.

    ros                  the names that nodes import
    embedded             rclpy's module functions: init, spin, shutdown
    context, executor    process and participant; wait set and timers
    node, endpoints      Node; publishers, subscriptions, services, clients
    lifecycle            LifecycleNode
    parameters, parameter_services    values and ranges; `ros2 param`
    arguments, parameter_yaml    --ros-args; parameters as ROS 2 reads their YAML
    type_description     what a node's topics carry, for tools that do not know the messages
    messages, definitions    message classes, CDR and type hashes from rosbags' type store
    dds, qos             Cyclone DDS readers and writers; profiles and their overrides
    errors, choice       what a user can mend; which of the two runtimes is taken
    clock, logging       rclpy's Time, Duration, Clock; its loggers
"""
