# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rclpy's managed node, made to survive a transition that is not possible in its present state."""
# mypy: ignore-errors

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode as RclpyLifecycleNode
from rclpy.lifecycle import TransitionCallbackReturn


class LifecycleNode(RclpyLifecycleNode):
    """As rclpy's, but `change_state` answers such a request with `success=False`.

    rclpy (Humble to Rolling) lets the error out of the service's callback, which ends the executor
    and with it the node. `ros2 lifecycle set` asks first what is possible; other clients need not.
    """

    # The mixin calls its own `__change_state`; this is the name that Python makes of it.
    def _LifecycleNodeMixin__change_state(self, transition_id: int) -> TransitionCallbackReturn:  # noqa: N802
        try:
            return super()._LifecycleNodeMixin__change_state(transition_id)
        except rclpy_implementation.RCLError as error:
            self.get_logger().error(" ".join(str(error).split()))
            return TransitionCallbackReturn.ERROR
