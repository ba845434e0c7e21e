# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is written can be read back by somebody else's reader."""

from pathlib import Path

import av
import numpy as np
import pytest
from recordings import picture
from rosbags.highlevel import AnyReader

from sc2_ros.errors import InputError
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.result_bag import MOST_WAITING, ResultBag
from sc2_ros.media.video_writer import VideoWriter
from sc2_ros.runtime.messages import message_type, to_cdr


def test_video_is_h264_yuv420p_with_the_frames_and_times(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.mp4"
    times = [0.0, 0.1, 0.2, 0.7, 0.8, 0.9]
    with VideoWriter(path, fps=10, quality=5) as writer:
        for number, time_s in enumerate(times):
            writer.write(picture(number), 100 + time_s)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        frames = list(container.decode(stream))
    assert [round(frame.time - frames[0].time, 2) for frame in frames] == times
    for number, frame in enumerate(frames):
        error = np.abs(frame.to_ndarray(format="rgb24").astype(int) - picture(number))
        assert error.mean() < 6


@pytest.mark.parametrize("jump_s", [1.7e9, -1.7e9])
def test_video_goes_on_where_the_clock_was_set(tmp_path: Path, jump_s: float) -> None:
    path = tmp_path / "a.mp4"
    times = [5.0, 5.1, 5.2, 5.3 + jump_s, 5.4 + jump_s, 5.5 + jump_s]
    with VideoWriter(path) as writer:
        for number, time_s in enumerate(times):
            writer.write(picture(number), time_s)
    with av.open(str(path)) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    gaps = np.diff(shown)
    assert len(shown) == len(times)
    assert gaps[[0, 1, 3, 4]] == pytest.approx(0.1, abs=0.01)
    assert gaps[2] == pytest.approx(60.0 if jump_s > 0 else 0.0, abs=0.01)


def test_video_of_odd_size_and_grey_picture_times(tmp_path: Path) -> None:
    path = tmp_path / "odd.mp4"
    with VideoWriter(path) as writer:
        for _ in range(3):
            writer.write(np.full((33, 51, 3), 128, np.uint8), 5.0)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [(50, 32)] * 3


def test_video_refuses_another_size(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as writer:
        writer.write(np.zeros((32, 32, 3), np.uint8), 0)
        with pytest.raises(InputError, match="32x32"):
            writer.write(np.zeros((64, 32, 3), np.uint8), 1)


def test_video_without_frames_leaves_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "none.mp4"):
        pass
    assert not (tmp_path / "none.mp4").exists()


def string(text: str) -> bytes:
    return to_cdr(message_type("std_msgs/msg/String")(data=text))


def test_bag_is_mcap_with_definitions(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results"
    with BagWriter(path) as bag:
        bag.write("chatter", "std_msgs/msg/String", string("one"), 10)
        bag.write("/chatter", "std_msgs/msg/String", string("two"), 20)
        detections = to_cdr(message_type("vision_msgs/msg/Detection2DArray")())
        bag.write("/detections", "vision_msgs/msg/Detection2DArray", detections, 30)
    assert bag.file.read_bytes()[:5] == b"\x89MCAP"
    with AnyReader([path]) as reader:
        rows = [
            (connection.topic, time_ns, reader.deserialize(data, connection.msgtype))
            for connection, time_ns, data in reader.messages()
        ]
    assert [(topic, time_ns) for topic, time_ns, _ in rows] == [
        ("/chatter", 10), ("/chatter", 20), ("/detections", 30),
    ]  # fmt: skip
    assert [rows[0][2].data, rows[1][2].data] == ["one", "two"]


def test_bag_replaces_a_bag_but_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "results"
    for text in ("old", "new"):
        with BagWriter(path) as bag:
            bag.write("/chatter", "std_msgs/msg/String", string(text), 1)
    with AnyReader([path]) as reader:
        (row,) = reader.messages()
        assert reader.deserialize(row[2], "std_msgs/msg/String").data == "new"
    (path / "notes.txt").write_text("beside the bag")
    with pytest.raises(InputError, match="not a bag"):
        BagWriter(path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not a bag"):
        BagWriter(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


def detections(stamp_ns: int, name: str) -> bytes:
    message = message_type("vision_msgs/msg/Detection2DArray")()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    found = message_type("vision_msgs/msg/Detection2D")()
    hypothesis = message_type("vision_msgs/msg/ObjectHypothesisWithPose")()
    hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = name, 0.75
    found.results = [hypothesis]
    found.bbox.center.position.x, found.bbox.center.position.y = 50.0, 40.0
    found.bbox.size_x, found.bbox.size_y = 20.0, 10.0
    message.detections = [found]
    return to_cdr(message)


def mask(stamp_ns: int, value: int) -> bytes:
    message = message_type("sensor_msgs/msg/Image")()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    message.height, message.width, message.step, message.encoding = 8, 8, 8, "mono8"
    message.data = bytes([value]) * 64
    return to_cdr(message)


@pytest.mark.parametrize("period", [1, 3, 10])
def test_result_bag_keeps_frames_apart_whose_stamps_repeat(tmp_path: Path, period: int) -> None:
    kind, count = "vision_msgs/msg/Detection2DArray", 20
    with BagWriter(tmp_path / "results") as bag:
        for number in range(count):
            stamp_ns = number % period
            bag.write("/truth/detections", kind, detections(stamp_ns, f"true {number}"), number)
            if number:  # the one before, whose mask is late
                late = number - 1
                bag.write("/detections", kind, detections(late % period, f"{late}"), number)
                bag.write("/mask", "sensor_msgs/msg/Image", mask(late % period, late), number)

    moments = list(ResultBag(tmp_path / "results"))

    assert len(moments) == count - 1
    for number, moment in enumerate(moments):
        assert moment.found is not None
        assert moment.truth is not None
        assert moment.mask is not None
        assert (moment.stamp_ns, moment.recorded_ns) == (number % period, number)
        assert (moment.found.names, moment.truth.names) == ((f"{number}",), (f"true {number}",))
        assert (moment.mask == number).all()


def test_results_of_one_stamp_survive_many_images_without_any(tmp_path: Path) -> None:
    kind = "vision_msgs/msg/Detection2DArray"
    with BagWriter(tmp_path / "results") as bag:
        for number in range(2 * MOST_WAITING):
            bag.write("/truth/detections", kind, detections(0, "car"), number)
            if number % 10 == 0:
                bag.write("/detections", kind, detections(0, "car"), number)
    assert len(list(ResultBag(tmp_path / "results"))) == 2 * MOST_WAITING // 10


def test_result_bag_joins_by_stamp_and_skips_frames_without_result(tmp_path: Path) -> None:
    path = tmp_path / "results"
    kind = "vision_msgs/msg/Detection2DArray"
    count = 20
    with BagWriter(path) as bag:
        for number in range(count):
            time_ns = 1000 + number * 100
            bag.write("/truth/detections", kind, detections(number, "person"), time_ns)
            if number % 2 == 0:
                bag.write("/detections", kind, detections(number, "car"), time_ns + 10)
                # The mask comes after the result, and after the next frame's truth.
                bag.write("/mask", "sensor_msgs/msg/Image", mask(number, number), time_ns + 150)
    moments = list(ResultBag(path))
    assert [moment.stamp_ns for moment in moments] == list(range(0, count, 2))
    for moment in moments:
        assert moment.found is not None
        assert moment.truth is not None
        assert moment.mask is not None
        assert (moment.found.names, moment.truth.names) == (("car",), ("person",))
        assert moment.found.boxes.tolist() == [[40, 35, 60, 45]]
        assert moment.found.scores.tolist() == [0.75]
        assert (moment.mask == moment.stamp_ns).all()
        assert moment.image is None
