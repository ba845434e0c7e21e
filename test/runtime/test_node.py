# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node does over real DDS, with a second process."""

import array
import signal

import numpy as np
import pytest
from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication
from cyclonedds.qos import Policy
from service_clients import count

from sc2_ros.runtime import embedded
from sc2_ros.runtime.arguments import RosArgumentError
from sc2_ros.runtime.context import NotInitializedException
from sc2_ros.runtime.dds import raw_type
from sc2_ros.runtime.endpoints import service_type
from sc2_ros.runtime.messages import from_cdr, message_type, to_cdr, type_hash
from sc2_ros.runtime.node import Node
from sc2_ros.runtime.parameters import Parameter
from sc2_ros.runtime.qos import DurabilityPolicy, QoSProfile
from sc2_ros.runtime.ros import (
    ClockMsg,
    Detection2D,
    Detection2DArray,
    DiagnosticArray,
    DiagnosticStatus,
    Image,
    Int64,
    KeyValue,
    LabelInfo,
    ObjectHypothesisWithPose,
)

pytestmark = pytest.mark.processes
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def image() -> Image:
    pixels = np.random.default_rng(0).integers(0, 256, 640 * 480 * 3, np.uint8)
    message = Image(height=480, width=640, encoding="rgb8", step=1920)
    message.data = array.array("B", pixels.tobytes())
    message.header.frame_id = "camera"
    return message


def detections() -> Detection2DArray:
    message = Detection2DArray()
    for number in range(50):
        detection = Detection2D(id=str(number))
        detection.bbox.center.position.x = float(number)
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = "car", 0.5
        detection.results.append(result)
        message.detections.append(detection)
    return message


def diagnostics() -> DiagnosticArray:
    values = [KeyValue(key="loss", value="0.1")]
    status = DiagnosticStatus(level=DiagnosticStatus.WARN, name="link", values=values)
    return DiagnosticArray(status=[status])


@pytest.mark.parametrize(
    ("topic", "make"), [("image", image), ("det", detections), ("diag", diagnostics)]
)
def test_a_message_goes_to_another_process_and_comes_back(
    node, start_peer, spin_until, topic, make
):
    sent, got = make(), []
    publisher = node.create_publisher(type(sent), f"/{topic}", 10)
    subscription = node.create_subscription(type(sent), f"/{topic}_back", got.append, 10)
    start_peer()
    spin_until(publisher.get_subscription_count)
    spin_until(subscription.get_publisher_count)

    publisher.publish(sent)
    spin_until(lambda: got)

    assert got[0] == sent


def test_a_late_joiner_gets_what_is_latched(node, start_peer, spin_until):
    start_peer()
    spin_until(lambda: count(node, "/label_info", publishers=True))
    got = []

    node.create_subscription(LabelInfo, "/label_info", got.append, LATCHED)
    spin_until(lambda: got)

    assert got[0].class_map[0].class_name == "car"


def test_remaps_and_namespace_of_the_command_line(node, start_peer, spin_until):
    start_peer("--ros-args", "-r", "__ns:=/drone", "-r", "__node:=eye", "-r", "image_back:=/out")

    spin_until(lambda: count(node, "/out", publishers=True))
    spin_until(lambda: count(node, "/drone/eye/now", publishers=True))
    spin_until(lambda: count(node, "/drone/image", publishers=False))


def test_discovery_tells_types_hashes_and_nodes_as_ros_does(node, start_peer, spin_until):
    graph_type = "rmw_dds_common/msg/ParticipantEntitiesInfo"
    graph = node.context.participant.reader(
        "ros_discovery_info", raw_type(graph_type), LATCHED.to_dds("")
    )
    start_peer("--ros-args", "-r", "__ns:=/drone")
    publications = BuiltinDataReader(node.context.participant.dds, BuiltinTopicDcpsPublication)
    found, entities = {}, {}

    def collected() -> object:
        found.update((p.topic_name, p) for p in publications.take(100) if hasattr(p, "topic_name"))
        while (sample := graph.take()) is not None:
            message = from_cdr(sample.cdr, message_type(graph_type))
            for entry in message.node_entities_info_seq:
                entities[entry.node_namespace, entry.node_name] = entry
        peer = entities.get(("/drone", "peer"))
        # 4 topics, 7 services
        return "rt/drone/label_info" in found and peer and len(peer.reader_gid_seq) == 11

    spin_until(collected)

    endpoint = found["rt/drone/label_info"]
    assert endpoint.type_name == "vision_msgs::msg::dds_::LabelInfo_"
    user_data = next(p for p in endpoint.qos if isinstance(p, Policy.Userdata)).data.decode()
    assert user_data == f"typehash={type_hash('vision_msgs/msg/LabelInfo')};"
    writers = [gid.data.tobytes() for gid in entities["/drone", "peer"].writer_gid_seq]
    assert endpoint.key.bytes in writers
    assert found["rr/drone/peer/set_parametersReply"].type_name == (
        "rcl_interfaces::srv::dds_::SetParameters_Response_"
    )


def test_simulated_time_comes_from_the_clock_topic(node, start_peer, spin_until):
    start_peer("--ros-args", "-p", "use_sim_time:=true")
    clock = node.create_publisher(ClockMsg, "/clock", 10)
    told = []
    node.create_subscription(Int64, "/peer/now", lambda message: told.append(message.data), 10)
    spin_until(clock.get_subscription_count)
    now_ns = 5_000_000_000

    def advance() -> bool:
        nonlocal now_ns
        now_ns += 30_000_000  # the peer's timer has a period of 20 ms
        message = ClockMsg()
        message.clock.sec, message.clock.nanosec = divmod(now_ns, 1_000_000_000)
        clock.publish(message)
        return bool(told)

    spin_until(advance)
    assert 5_000_000_000 < told[0] <= now_ns

    now_ns = 1_000_000_000  # a bag that starts again
    told.clear()
    spin_until(lambda: advance() and told[-1] < 5_000_000_000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_spinning_process(node, start_peer, spin_until, number):
    told = []
    node.create_subscription(Int64, "/peer/now", told.append, 10)
    peer = start_peer()
    spin_until(lambda: told)  # it spins

    peer.send_signal(number)
    out, err = peer.communicate(timeout=120)

    if number == signal.SIGTERM:
        assert (peer.returncode, out, err) == (0, "told to stop\n", "")
    else:
        assert err.rstrip().endswith("KeyboardInterrupt")
    spin_until(lambda: not count(node, "/label_info", publishers=True))


def test_what_is_destroyed_leaves_the_graph(node, spin_until):
    publisher = node.create_publisher(Int64, "number", 10)
    subscription = node.create_subscription(Int64, "number", lambda _: None, 10)

    def counts():
        return [count(node, "/test/number", publishers=kind) for kind in (True, False)]

    spin_until(lambda: counts() == [1, 1])

    assert node.destroy_publisher(publisher)
    assert node.destroy_subscription(subscription)

    assert not node.destroy_publisher(publisher)
    spin_until(lambda: counts() == [0, 0])


def test_a_message_that_does_not_parse_is_dropped_and_the_next_one_arrives(node, spin_until):
    String = message_type("std_msgs/msg/String")
    got = []
    node.create_subscription(String, "text", got.append, 10)
    writer = node.context.participant.writer(
        "rt/test/text", raw_type("std_msgs/msg/String"), QoSProfile().to_dds("")
    )
    spin_until(writer.matched)

    writer.write(b"\x00\x01\x00\x00\x02\x00\x00\x00\xff\x00\x00\x00")  # not UTF-8
    writer.write(to_cdr(String(data="good")))
    spin_until(lambda: got)

    assert [message.data for message in got] == ["good"]


def test_a_request_that_does_not_parse_is_dropped_and_the_next_one_is_answered(
    node, spin_until, capsys
):
    SetParameters = service_type("rcl_interfaces/srv/SetParameters")
    asked = []

    def answer(request, response):
        asked.append(request)
        return response

    node.create_service(SetParameters, "settings", answer)
    writer = node.context.participant.writer(
        "rq/test/settingsRequest",
        raw_type(f"{SetParameters.name}_Request", service=True),
        QoSProfile().to_dds(""),
    )
    spin_until(writer.matched)
    good = to_cdr(SetParameters.Request(parameters=[Parameter("@@", value=1).to_parameter_msg()]))

    writer.write(good[:4] + bytes(16) + good[4:].replace(b"@@", b"\xff\xff"))  # not UTF-8
    writer.write(good[:4] + bytes(16) + good[4:])
    spin_until(lambda: asked)

    assert len(asked) == 1
    assert "dropped a request to /test/settings" in capsys.readouterr().err


def test_a_callback_that_raises_ends_the_spinning(node):
    def fail() -> None:
        raise RuntimeError("broken")

    node.create_timer(0.001, fail)

    with pytest.raises(RuntimeError, match="broken"):
        embedded.spin(node)


def test_a_wrong_message_type_or_topic_name_is_refused(node):
    publisher = node.create_publisher(Int64, "number", 10)

    with pytest.raises(TypeError, match="Expected std_msgs/msg/Int64"):
        publisher.publish(Image())
    with pytest.raises(ValueError, match="is not a ROS topic"):
        node.create_publisher(Int64, "two words", 10)


def test_a_node_needs_init_and_init_needs_a_sound_environment(monkeypatch):
    with pytest.raises(NotInitializedException):
        Node("early")
    with pytest.raises(RuntimeError):
        embedded.shutdown()
    for variable, value in (
        ("ROS_DOMAIN_ID", "three"),
        ("CYCLONEDDS_URI", "<CycloneDDS><Domain><General><Nonsense/></CycloneDDS>"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            with pytest.raises(RosArgumentError, match=variable):
                embedded.init(args=[])
        assert not embedded.ok()


def test_a_process_may_leave_and_join_again(private_domain):
    for _ in range(2):
        embedded.init(args=[])
        node = Node("again")
        assert embedded.ok()
        embedded.shutdown()
        assert not embedded.ok()
        assert node.endpoints == []


def test_logs_go_to_standard_error_and_rosout(node, spin_until, capsys):
    got = []
    node.create_subscription(message_type("rcl_interfaces/msg/Log"), "/rosout", got.append, LATCHED)

    for _ in range(3):
        node.get_logger().warning("link is down", throttle_duration_sec=1000.0)
    node.get_logger().debug("not shown")
    spin_until(lambda: got)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("[WARN] [")
    assert lines[0].endswith("[test.tester]: link is down")
    assert (got[0].name, got[0].msg, got[0].level) == ("test.tester", "link is down", 30)


def test_a_raw_subscription_gets_the_bytes(node, spin_until):
    heard = []
    node.create_subscription(Int64, "number", heard.append, 5, raw=True)
    publisher = node.create_publisher(Int64, "number", 5)
    spin_until(lambda: publisher.get_subscription_count())

    publisher.publish(Int64(data=-7))
    spin_until(lambda: heard)

    assert from_cdr(heard[0], Int64) == Int64(data=-7)


def test_only_readers_with_something_to_take_are_asked(node, spin_until, monkeypatch):
    heard, asked = [], []
    quiet = node.create_subscription(Int64, "quiet", heard.append, 5)
    node.create_subscription(Int64, "number", heard.append, 5)
    publisher = node.create_publisher(Int64, "number", 5)
    spin_until(lambda: publisher.get_subscription_count())
    monkeypatch.setattr(quiet, "take", lambda: asked.append(True))

    for number in range(20):
        publisher.publish(Int64(data=number))
        spin_until(lambda count=number + 1: len(heard) == count)

    assert not asked


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, None),
        ({"ROS_DISTRO": "jazzy", "RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, None),
        ({"ROS_DISTRO": "jazzy"}, "rmw_fastrtps_cpp"),
        ({"RMW_IMPLEMENTATION": "rmw_zenoh_cpp"}, "rmw_zenoh_cpp"),
    ],
)
def test_a_ros_whose_services_are_not_ours_is_named_at_the_start(
    monkeypatch, capfd, environment, named
):
    for name in ("ROS_DISTRO", "RMW_IMPLEMENTATION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    embedded.init(args=[])
    embedded.try_shutdown()

    said = capfd.readouterr().err
    assert ("RMW_IMPLEMENTATION=rmw_cyclonedds_cpp" in said) == (named is not None)
    assert named is None or f"uses {named}:" in said
