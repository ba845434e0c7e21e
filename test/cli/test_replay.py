# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 replay` of every kind of input, with random weights."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from recordings import (
    COUNT,
    START_NS,
    BagMessage,
    make_bag,
    make_folder,
    make_video,
    picture,
    write_bag,
)
from rosbags.highlevel import AnyReader
from weights import write_untrained

from sc2_ros.cli.main import main
from sc2_ros.codec.wire import Header, PacketId, PacketType, PredictedPacket, build
from sc2_ros.codec.wire.predicted import PredictedHead, build_predicted
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.messages import packet_message
from sc2_ros.split import checkpoint as split_checkpoint

KEYS = {
    "frames", "seconds", "fps", "bytes_per_frame", "sent_kbps", "capacity_kbps", "loss",
    "latency_ms", "detections", "mean_ap50", "miou", "middleware", "processes", "checkpoint",
    "latency_breakdown_ms", "rate_index_mean", "payload_bytes_per_frame", "packets_per_frame",
    "on_air_bytes_per_frame",
}  # fmt: skip


BUDGET = ("--rate-mode", "budget")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_untrained(tmp_path_factory.mktemp("weights") / "untrained.safetensors"))


def replay(tmp_path: Path, checkpoint: str, source: str, *options: str) -> dict:
    out, report = tmp_path / "out", tmp_path / "report.json"
    argv = ["replay", source, "--checkpoint", checkpoint, "--out", str(out), "--json", str(report)]
    assert main([*argv, *options]) == 0
    summary = json.loads(report.read_text())
    assert summary == json.loads((out / "summary.json").read_text())
    assert set(summary) == KEYS
    return summary


def topics(bag: Path) -> dict[str, int]:
    with AnyReader([bag]) as reader:
        return {name: topic.msgcount for name, topic in reader.topics.items()}


@pytest.mark.parametrize("kind", ["video", "folder", "mcap raw", "sqlite3 compressed"])
def test_every_kind_of_recording(tmp_path: Path, checkpoint: str, kind: str) -> None:
    if kind == "video":
        source = make_video(tmp_path / "flight.mp4")
    elif kind == "folder":
        source = make_folder(tmp_path / "images")
    else:
        source = make_bag(tmp_path / "bag", *kind.split())
    summary = replay(tmp_path, checkpoint, str(source), *BUDGET, "--link", "1mbit,20ms")
    assert summary["frames"] == COUNT
    assert summary["seconds"] == pytest.approx(COUNT / 10, rel=0.02)
    assert summary["loss"] == 0
    assert summary["capacity_kbps"] == 1000
    assert 0 < summary["sent_kbps"] <= 800
    assert summary["latency_ms"]["p50"] > 20
    assert summary["mean_ap50"] is summary["miou"] is None
    with av.open(str(tmp_path / "out" / "annotated.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == COUNT
    assert (tmp_path / "out" / "figure.png").read_bytes()[:4] == b"\x89PNG"
    counts = topics(tmp_path / "out" / "results")
    for name in ("/image/compressed", "/detections", "/mask", "/preview/compressed"):
        assert counts[name] == COUNT


def test_synthetic_is_scored_and_the_link_repeats_itself(tmp_path: Path, checkpoint: str) -> None:
    options = (
        "--link", "300kbit,20ms,40%", "--seconds", "1", "--size", "160x128", "--fps", "15",
        "--rate-mode", "fixed", "--rate-index", "0.2",
    )  # fmt: skip
    first = replay(tmp_path, checkpoint, "synthetic:3", *options)
    again = replay(tmp_path, checkpoint, "synthetic:3", *options)
    for summary in (first, again):
        del summary["latency_ms"], summary["processes"]
    assert first == again
    assert first["loss"] > 0
    assert first["mean_ap50"] is not None
    assert first["miou"] is not None
    counts = topics(tmp_path / "out" / "results")
    assert counts["/features"] < counts["/drone/features"]


def test_the_result_can_be_replayed(tmp_path: Path, checkpoint: str) -> None:
    """The bag that comes out has the camera's images, so it is an input as well."""
    replay(tmp_path, checkpoint, str(make_folder(tmp_path / "images")), "--link", "unlimited")
    source = str(tmp_path / "out" / "results")
    summary = replay(tmp_path / "again", checkpoint, source, "--link", "unlimited")
    assert summary["frames"] == COUNT
    assert summary["capacity_kbps"] is None


def test_a_link_too_narrow_for_anything(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(make_folder(tmp_path / "images"))
    summary = replay(tmp_path, checkpoint, source, *BUDGET, "--link", "1kbit")
    assert summary["frames"] == 0
    assert "no frame came through" in capsys.readouterr().out
    assert summary["latency_ms"] == {"p50": None, "p95": None}


def test_a_replay_that_is_broken_off_leaves_no_report_of_an_earlier_one(
    tmp_path: Path, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = str(make_folder(tmp_path / "images")), tmp_path / "out"
    replay(tmp_path, checkpoint, source, "--link", "unlimited", "--seconds", "0.3")

    def interrupted(*_args: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("sc2_ros.evaluation.session.virtual.VirtualRun.run", interrupted)
    assert main(["replay", source, "--checkpoint", checkpoint, "--out", str(out)]) == 130
    assert [path.name for path in out.iterdir()] == ["results"]


@pytest.mark.parametrize("place", ["results", "annotated.mp4", "."])
def test_an_input_is_never_replaced_by_its_own_results(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    replay(tmp_path, checkpoint, str(make_folder(tmp_path / "images")), "--link", "unlimited")
    out = tmp_path / "out"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    for verb in (["replay"], ["demo", "--input"]):
        argv = [*verb, str(out / place), "--checkpoint", checkpoint, "--out", str(out)]
        assert main(argv) == 2
        assert "give another --out" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_recording_is_replayed_over_a_clock_that_was_set(tmp_path: Path, checkpoint: str) -> None:
    set_ns = START_NS - 5_000_000_000  # the drone began in 1970 and heard GPS later
    stamps = [START_NS + number * 100_000_000 for number in range(6)]
    stamps = [stamp - set_ns if number < 3 else stamp for number, stamp in enumerate(stamps)]
    bag = write_bag(tmp_path / "bag", [BagMessage("/cam", picture(1), at, at) for at in stamps])
    assert replay(tmp_path, checkpoint, str(bag), "--link", "unlimited")["frames"] == 6
    with av.open(str(tmp_path / "out" / "annotated.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 6

    # Its packets, too, whose figure would else be of 50 years.
    results = tmp_path / "out" / "results"
    features = tmp_path / "features"
    with AnyReader([results]) as reader, BagWriter(features) as writer:
        wanted = [c for c in reader.connections if c.topic == "/features"]
        for number, (connection, _, packet) in enumerate(reader.messages(wanted)):
            at_ns = 0 if number == 0 else START_NS + number * 100_000_000
            writer.write(connection.topic, connection.msgtype, bytes(packet), at_ns)
    again = replay(tmp_path / "again", checkpoint, str(features))
    assert again["frames"] == 6
    assert again["seconds"] < 120


@pytest.mark.parametrize("period", [1, 10])
def test_frames_whose_stamps_repeat_are_counted_and_shown_each(
    tmp_path: Path, checkpoint: str, period: int
) -> None:
    """A stamp that is stuck, and a recording that was looped."""
    step_ns, count = 100_000_000, 20
    bag = write_bag(
        tmp_path / "bag",
        [
            BagMessage(
                "/cam",
                picture(1),
                START_NS + number % period * step_ns,
                START_NS + number * step_ns,
            )
            for number in range(count)
        ],
    )
    summary = replay(tmp_path, checkpoint, str(bag), "--link", "2mbit,40ms")
    assert (summary["frames"], summary["fps"]) == (count, 10)
    assert summary["latency_ms"]["p50"] > 40
    counts = topics(tmp_path / "out" / "results")
    assert summary["packets_per_frame"] == pytest.approx(
        counts["/drone/features"] / count, abs=0.01
    )
    with av.open(str(tmp_path / "out" / "annotated.mp4")) as video:
        times = [frame.time for frame in video.decode(video=0)]
    assert np.diff(times) == pytest.approx([0.1] * (count - 1), abs=0.001)


@pytest.mark.parametrize("name", ["flight[day]", "what?", "*"])
def test_a_name_that_looks_like_a_pattern_is_replayed_and_printed_whole(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source, out = str(make_folder(tmp_path / name)), tmp_path / "out[1]"
    options = ("--checkpoint", checkpoint, "--seconds", "0.2", "--link", "unlimited")
    assert main(["replay", source, *options, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"s of {name} in" in printed
    assert f"written: {out}/summary.json" in printed


def test_many_bags_are_named_whole(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "flight[day].mcap").write_bytes(b"this is no bag")
    many = [str(tmp_path / "*.mcap"), "--cluster", "local:1"]
    assert main(["replay", *many, "--checkpoint", checkpoint, "--out", str(tmp_path / "out")]) == 1
    assert "flight[day].mcap: " in capsys.readouterr().out


def packet_bag(path: Path, card_id: int = 7) -> Path:
    """A bag of three frames' packets of a checkpoint that is not there."""
    with BagWriter(path) as bag:
        for frame in range(3):
            header = Header(
                type=PacketType.FEATURES, stream=0, checkpoint_id=card_id, frame=frame, slice=0,
                rows=1, capture_time_ns=START_NS + frame,
            )  # fmt: skip
            bag.write_message("features", packet_message(build(header, bytes(9))), START_NS + frame)
    return path


@pytest.mark.parametrize(
    ("source", "option", "value"),
    [
        ("packets", "--view", "0"),
        ("packets", "--fps", "5"),
        ("packets", "--size", "64x48"),
        ("*ckets", "--json", "a.json"),
        ("*ckets", "--view", "0"),
        ("images", "--key", "nothere.key"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    tmp_path: Path,
    checkpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    source: str,
    option: str,
    value: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    packet_bag(tmp_path / "packets")
    make_folder(tmp_path / "images")
    assert main(["replay", source, "--checkpoint", checkpoint, option, value]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {option} ")
    assert not (tmp_path / "out").exists()


def test_packets_of_another_checkpoint_are_named_as_that(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = packet_bag(tmp_path / "packets")
    with BagWriter(tmp_path / "more") as more, AnyReader([bag]) as reader:
        for connection, time_ns, packet in reader.messages():
            more.write(connection.topic, connection.msgtype, bytes(packet), time_ns)
        # The last word is of a packet that builds on what could not be read.
        header = PacketId(type=PacketType.FEATURES, stream=0, frame=4, slice=0)
        last = build_predicted(PredictedPacket(header, PredictedHead(1, 0), 3, bytes(8)))
        more.write_message("features", packet_message(last), START_NS + 10**7)
    argv = ["replay", str(tmp_path / "more"), "--checkpoint", checkpoint]
    assert main([*argv, "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "checkpoint 00000007" in line


def test_a_recording_whose_name_looks_endless_is_played_to_its_end(
    tmp_path: Path, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sc2_ros.cli.replay.ENDLESS_SECONDS", 0.25)
    make_video(tmp_path / "synthetic_test.mp4")
    make_folder(tmp_path / "2024")
    for source in ("synthetic_test.mp4", "2024"):
        summary = replay(tmp_path, checkpoint, source, "--fps", "10", "--link", "unlimited")
        assert summary["frames"] == COUNT


def write_split(path: Path, task: str) -> str:
    card = split_checkpoint.make_card(
        recipe="entropic_student",
        task=task,
        classes=("person", "car", "bicycle", "other_vehicle")
        if task == "detection"
        else ("vegetation", "road", "sky"),
        backbone="resnet:8-12-16:1-1-1",
        bottleneck={"name": "entropic_student", "options": {"channels": 4}},
    )
    network = split_checkpoint.build_network(card)
    network.bottleneck.prior.fit([])
    split_checkpoint.save(path, network, card)
    return str(path)


def test_a_papers_network_flies_over_the_same_link(tmp_path: Path) -> None:
    student = write_split(tmp_path / "student.safetensors", "detection")
    options = ("--size", "160x120", "--fps", "10", "--seconds", "3")
    whole = replay(tmp_path / "1", student, "synthetic:7", *options, "--link", "2mbit,40ms")
    assert whole["frames"] == 30
    assert whole["latency_ms"]["p50"] > 40
    assert whole["checkpoint"].startswith("student ")
    assert whole["mean_ap50"] is not None
    assert topics(tmp_path / "1" / "out" / "results")["/detections"] == 30
    lossy = replay(tmp_path / "2", student, "synthetic:7", *options, "--link", "2mbit,40ms,30%")
    assert lossy["loss"] > 0.1
    # What lost a packet gives nothing, and what comes later does.
    assert 0 < topics(tmp_path / "2" / "out" / "results")["/detections"] < 30


def test_masks_in_other_classes_are_compared_by_name(tmp_path: Path) -> None:
    student = write_split(tmp_path / "student.safetensors", "segmentation")
    options = ("--size", "160x120", "--fps", "5", "--seconds", "1", "--link", "2mbit")
    summary = replay(tmp_path, student, "synthetic:7", *options)
    assert summary["mean_ap50"] is None  # it has no boxes, so none is missing
    masks = {"/mask": [], "/truth/mask": []}
    with AnyReader([tmp_path / "out" / "results"]) as reader:
        for connection, _, raw in reader.messages():
            if connection.topic in masks:
                masks[connection.topic].append(reader.deserialize(raw, connection.msgtype).data)
    found, truth = (np.concatenate(parts) for parts in masks.values())
    road, vegetation = 0, 2  # of the flight; the student has them as 1 and 0
    counted = (truth == road) | (truth == vegetation)
    ious = []
    for ours, theirs in ((0, vegetation), (1, road)):
        said, is_so = (found == ours) & counted, truth == theirs
        ious.append((said & is_so).sum() / (said | is_so).sum())
    assert summary["miou"] == pytest.approx(np.mean(ious), abs=0.001)


def test_a_classifier_has_nothing_to_draw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = write_split(tmp_path / "student.safetensors", "classification")
    assert main(["replay", "synthetic", "--checkpoint", student, "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "sc2 evaluate measures it" in line


@pytest.mark.parametrize("verb", ["demo", "export"])
def test_what_only_streams_can_do_says_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    student = write_split(tmp_path / "student.safetensors", "detection")
    wanted = [student] if verb == "export" else ["--checkpoint", student]
    assert main([verb, *wanted, "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "comes from `sc2 train sc2_ros`" in line


def test_the_ground_computes_at_the_precision_asked_for(tmp_path: Path, checkpoint: str) -> None:
    options = ("--link", "unlimited", "--rate-mode", "fixed", "--seconds", "0.3")
    source = str(make_folder(tmp_path / "images"))
    full = replay(tmp_path / "fp32", checkpoint, source, *options, "--precision", "fp32")
    half = replay(tmp_path / "bf16", checkpoint, source, *options, "--precision", "bf16")
    # The same packets, other answers.
    assert half["bytes_per_frame"] == full["bytes_per_frame"]
    previews = []
    for name in ("fp32", "bf16"):
        with AnyReader([tmp_path / name / "out" / "results"]) as reader:
            wanted = [c for c in reader.connections if c.topic == "/preview/compressed"]
            previews.append([raw for _, _, raw in reader.messages(wanted)])
    assert len(previews[0]) == len(previews[1]) > 0
    assert previews[0] != previews[1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--device", "banana"),
        ("--device", "cuda:99"),
        ("--precision", "fp8"),
        ("--precision", "fp16"),
    ],
)
def test_a_device_or_precision_that_is_not_there_is_one_sentence(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    options = ["--checkpoint", checkpoint, option, value, "--out", str(tmp_path / "out")]
    for verb in ("replay", "demo"):
        source = ["synthetic"] if verb == "replay" else []
        assert main([verb, *source, *options]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert value in line
