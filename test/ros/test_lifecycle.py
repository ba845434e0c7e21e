# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The life of a node, led by a client on real ROS 2."""

import pytest

pytestmark = pytest.mark.processes

CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4
CREATE = 0


@pytest.fixture
def life(node, spin_until):
    """`change(number)` and `state()` of the node of this name."""
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState, GetState

    def begin(name):
        asks = node.create_client(GetState, f"/{name}/get_state")
        changes = node.create_client(ChangeState, f"/{name}/change_state")
        spin_until(asks.service_is_ready, "get_state")
        spin_until(changes.service_is_ready, "change_state")

        def answer(client, request):
            future = client.call_async(request)
            spin_until(future.done, "an answer")
            return future.result()

        def change(number):
            request = ChangeState.Request(transition=Transition(id=number))
            return answer(changes, request).success

        def state():
            return answer(asks, GetState.Request()).current_state.label

        return change, state

    return begin


@pytest.mark.parametrize("runtime", ["rclpy", "embedded"])
def test_every_transition_and_one_that_is_not_possible(cyclone, start, model, life, runtime):
    process = start(runtime, "ground_node", "-p", f"model:={model}", "-p", "autostart:=false")
    change, state = life("ground_node")

    assert state() == "unconfigured"
    assert not change(ACTIVATE)
    assert (change(CONFIGURE), state()) == (True, "inactive")
    assert (change(ACTIVATE), state()) == (True, "active")
    assert not change(CONFIGURE)
    assert not change(CREATE)
    assert (change(DEACTIVATE), state()) == (True, "inactive")
    assert (change(CLEANUP), state()) == (True, "unconfigured")
    assert process.poll() is None


@pytest.mark.parametrize("runtime", ["rclpy", "embedded"])
def test_a_drone_rests_and_flies_on_while_images_come(
    cyclone, start, model, life, node, spin_until, runtime
):
    # Arrange
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image
    from std_msgs.msg import UInt8MultiArray

    start(runtime, "onboard_node", "-p", f"model:={model}", "-p", "rate.mode:=fixed")
    change, state = life("onboard_node")
    camera = node.create_publisher(Image, "image", 1)
    image = Image(height=96, width=128, step=128, encoding="mono8", data=bytes(96 * 128))
    node.create_timer(0.1, lambda: camera.publish(image))
    packets = []
    node.create_subscription(UInt8MultiArray, "features", packets.append, qos_profile_sensor_data)

    # Act and assert
    spin_until(lambda: packets, "packets of an active drone")
    assert (change(DEACTIVATE), state()) == (True, "inactive")
    spin_until(lambda: not camera.get_subscription_count(), "the end of the image's subscription")
    packets.clear()
    assert (change(ACTIVATE), state()) == (True, "active")
    spin_until(lambda: packets, "packets once more")
