# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of a run, from a run whose figures are known."""

import json
from pathlib import Path

import pytest

from sc2_ros.codec.wire import (
    Header,
    PacketId,
    PacketType,
    PredictedPacket,
    build,
    build_stream_info,
)
from sc2_ros.codec.wire.predicted import PredictedHead, build_predicted
from sc2_ros.evaluation.session.figure import save_figure
from sc2_ros.evaluation.session.log import SessionLog, Summary
from sc2_ros.evaluation.session.video import status


def packet(
    frame: int, number: int = 0, payload: int = 76, stamp_ns: int | None = None, stream: int = 0
) -> bytes:
    """A features packet of 24 + payload bytes of a frame in two slices."""
    stamp_ns = frame * 100_000_000 if stamp_ns is None else stamp_ns
    header = Header(
        type=PacketType.FEATURES, stream=stream, checkpoint_id=7, frame=frame, slice=number, rows=2,
        rate_code=32, capture_time_ns=stamp_ns,
    )  # fmt: skip
    return build(header, bytes(payload))


def run_of_ten_frames() -> SessionLog:
    """10 frames/s, 2 packets of 100 bytes each; the second one of every fifth frame is lost."""
    log = SessionLog()
    for frame in range(10):
        time_s = frame / 10
        log.capacity(40_000 if frame < 5 else 20_000, time_s)
        for number in range(2):
            log.sent(packet(frame, number), time_s)
            if number == 0 or frame % 5:
                log.delivered(packet(frame, number))
        log.result(frame * 100_000_000, time_s + 0.05, 50.0 + frame, objects=frame)
    return log


def summary(log: SessionLog) -> Summary:
    return log.summary(
        seconds=1.0, mean_ap50=None, miou=0.51239, middleware="none", processes=[], checkpoint="x"
    )


def test_repair_packets_count_as_bytes_of_their_frame() -> None:
    log = SessionLog()
    header = Header(
        type=PacketType.REPAIR, stream=0, checkpoint_id=7, frame=1, rows=2,
        capture_time_ns=100_000_000,
    )  # fmt: skip
    for data in (packet(1), packet(1, 1), build(header, bytes(79))):
        log.sent(data, 0.1)
    log.delivered(packet(1))
    (frame,) = log.frames
    assert (frame.size_bytes, frame.packets, frame.delivered) == (303, 3, 1)


def predicted(frame: int, offset_ns: int) -> bytes:
    """A packet predicted from the frame before, captured so much later than that makes expect."""
    header = PacketId(type=PacketType.FEATURES, stream=0, frame=frame, rate_code=32)
    return build_predicted(PredictedPacket(header, PredictedHead(1, 0), offset_ns, bytes(20)))


def test_packets_that_tell_their_time_by_their_reference() -> None:
    log = SessionLog()
    flown = [packet(0), packet(0, 1), predicted(1, 100_000_000), predicted(2, 7), predicted(3, -7)]
    for data in flown:
        log.sent(data, 0.0)
    times_ns = [0, 100_000_000, 200_000_007, 300_000_007]
    assert [frame.stamp_ns for frame in log.frames] == times_ns
    for data in (flown[0], flown[2], flown[4]):  # what was lost is needed to know later times
        log.delivered(data)
    assert [frame.delivered for frame in log.frames] == [1, 1, 0, 1]


def test_a_log_that_begins_in_flight_has_overheard_what_times_build_on() -> None:
    late, later = SessionLog(), SessionLog()
    for data in (packet(0), packet(0, 1), predicted(1, 100_000_000)):
        later.overhear(data)
    for log in (late, later):
        log.sent(predicted(2, 0), 0.0)
        log.delivered(predicted(2, 0))
    assert not late.frames
    assert len(late.packets) == 1  # bytes of a frame whose time is not known count all the same
    assert [(f.stamp_ns, f.delivered) for f in later.frames] == [(200_000_000, 1)]
    assert len(later.packets) == 1


def test_frames_of_one_stamp_are_told_apart_by_stream_and_number() -> None:
    log = SessionLog()
    numbers = [(0, 0), (0, 1), (1, 1), (0, 2)]
    for stream, number in numbers:
        log.sent(packet(number, 0, 76, 5, stream), number / 10)
        log.sent(packet(number, 1, 76, 5, stream), number / 10)
    for stream, number in numbers[1:]:  # all of the first frame is lost
        log.delivered(packet(number, 0, 76, 5, stream))
        log.result(
            5,
            number / 10 + 0.05,
            50.0 + number,
            objects=10 * number + stream,
            number=(stream, number),
        )

    found = summary(log)

    assert [frame.delivered for frame in log.frames] == [0, 1, 1, 1]
    assert [frame.objects for frame in log.frames] == [0, 10, 11, 20]
    assert (found.frames, found.bytes_per_frame, found.packets_per_frame) == (3, 200, 2)
    assert (found.loss, found.detections, found.latency_ms.p50) == (1 - 3 / 8, 41, 51)


def test_a_number_that_returns_after_all_others_is_a_new_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sc2_ros.evaluation.session.log.MOST_KNOWN", 4)
    log = SessionLog()
    for number in (0, 1, 2, 3, 4, 5, 0):
        log.sent(packet(number, 0, 76, 5), 0.1)
    assert len(log.frames) == 7


def test_a_result_that_is_heard_before_its_packets_is_of_their_frame() -> None:
    log = SessionLog()
    log.result(100_000_000, 0.3, 50.0, objects=4)
    log.sent(packet(1), 0.31)
    (frame,) = log.frames
    assert (frame.objects, frame.packets) == (4, 1)


def test_summary() -> None:
    result = summary(run_of_ten_frames())
    assert result.frames == 10
    assert result.fps == 10
    assert result.bytes_per_frame == 200
    assert result.packets_per_frame == 2
    assert result.payload_bytes_per_frame == 200 - 2 * 32
    assert result.on_air_bytes_per_frame == {"topic": 400, "udp": 258, "udp_sealed": 284}
    assert result.sent_kbps == 16
    assert result.capacity_kbps == pytest.approx((5 * 40 + 4 * 20) / 9, abs=0.1)
    assert result.loss == 0.1
    assert result.latency_ms.p50 == 54.5
    assert result.detections == 45
    assert result.miou == 0.5124
    parsed = json.loads(json.dumps(result.to_dict()))
    assert parsed["latency_ms"] == {"p50": 54.5, "p95": 58.5}


def test_bytes_count_stream_info_and_lost_packets_too() -> None:
    log = SessionLog()
    info = build_stream_info(
        stream=0, checkpoint_id=7, frame=0, capture_time_ns=0, frame_id="camera"
    )
    for data in (info, packet(0), packet(0, 1)):
        log.sent(data, 0.0)
    assert summary(log).bytes_per_frame == 200 + len(info)
    assert summary(log).loss == 1


def test_what_nobody_heard_leave_and_what_came_twice_are_no_gain() -> None:
    log = SessionLog()
    log.sent(packet(1, 0), 0.0)
    for number in (0, 0, 1):
        log.delivered(packet(1, number))
    assert log.recent(1.5).loss == 0
    log.sent(packet(2, 0), 0.1)
    assert log.recent(1.5).loss == summary(log).loss == 0.5


def test_nothing_happened() -> None:
    result = summary(SessionLog())
    assert (result.frames, result.loss, result.bytes_per_frame) == (0, 0, 0)
    assert result.capacity_kbps is None
    assert result.latency_ms.p50 is None
    json.dumps(result.to_dict(), allow_nan=False)


def test_unlimited_capacity_is_null_and_not_infinite() -> None:
    log = run_of_ten_frames()
    log.capacity(float("inf"), 1.0)
    assert summary(log).capacity_kbps is None
    assert log.recent(1.1).capacity_kbps is None
    json.dumps(summary(log).to_dict(), allow_nan=False)


def test_recent_looks_back_and_can_look_at_the_past() -> None:
    log = run_of_ten_frames()
    now = log.recent(1.0, window_s=0.5)
    assert now.sent_kbps == pytest.approx(16, rel=0.2)
    assert now.bytes_per_frame == 200
    assert now.objects == 9
    assert now.capacity_kbps == 20
    past = log.recent(0.44, window_s=0.4)
    assert past.objects == 3
    assert past.capacity_kbps == 40
    assert past.latency_p50_ms is not None
    assert past.latency_p50_ms < now.latency_p50_ms


def test_damaged_packets_count_as_bytes_only() -> None:
    log = SessionLog()
    log.sent(b"\x00" * 300, 0.0)
    log.sent(b"", 0.0)
    assert not log.frames
    assert summary(log).sent_kbps == 2.4


@pytest.mark.parametrize("log", [SessionLog(), run_of_ten_frames()])
def test_figure(tmp_path: Path, log: SessionLog) -> None:
    path = tmp_path / "new" / "figure.png"
    save_figure(log, summary(log), path, "a title")
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_a_frame_whose_latency_is_unknown_counts_in_everything_else(tmp_path: Path) -> None:
    log = run_of_ten_frames()
    log.result(3 * 100_000_000, 0.35, None, objects=3)  # the clock was set back in between

    found = summary(log)

    assert found.frames == 10
    assert found.latency_ms.p50 == 55.0
    assert dict(status(log.frames[3], log))["latency"] == "unknown"
    save_figure(log, found, tmp_path / "figure.png", "ten frames")
    assert (tmp_path / "figure.png").stat().st_size > 0


EVENTS_MS = {
    "received": 5, "encoding": 6, "coded": 26, "first_sent": 27, "last_sent": 60,
    "first_packet": 70, "last_packet": 110, "decoded": 112, "network": 115, "seen": 155,
}  # fmt: skip


def test_where_the_latency_goes() -> None:
    log = run_of_ten_frames()
    for frame in log.frames:
        frame.latency_ms = 160.0
        log.passed(frame.stamp_ns, {event: float(ms) for event, ms in EVENTS_MS.items()})
    log.passed(12345, {"received": 1.0})  # of a frame that nobody sent
    del log.frames[0].events["decoded"]  # the ground's message was lost

    breakdown = summary(log).latency_breakdown_ms

    assert {stage: spent.p50 for stage, spent in breakdown.items()} == {
        "camera": 5, "wait": 1, "encode": 20, "pace": 34, "link": 50, "decode": 2, "queue": 3,
        "network": 40, "publish": 5,
    }  # fmt: skip
    assert sum(spent.p50 or 0 for spent in breakdown.values()) == 160


def test_without_the_nodes_word_there_is_no_breakdown() -> None:
    assert summary(run_of_ten_frames()).latency_breakdown_ms == {}


def test_the_rate_index_is_that_of_the_end_of_the_run() -> None:
    log = SessionLog()
    assert summary(log).rate_index_mean is None
    for second, code in enumerate([0] * 10 + [64] * 5 + [32] * 5):
        header = Header(
            type=PacketType.FEATURES, stream=0, checkpoint_id=7, frame=second, rows=1,
            rate_code=code, capture_time_ns=second * 1_000_000_000,
        )  # fmt: skip
        log.sent(build(header, bytes(10)), float(second))
    assert summary(log).rate_index_mean == 0.75


def test_the_figure_shows_the_stages(tmp_path: Path) -> None:
    log = run_of_ten_frames()
    plain, staged = tmp_path / "plain.png", tmp_path / "staged.png"
    save_figure(log, summary(log), plain, "a run")
    for frame in log.frames:
        log.passed(frame.stamp_ns, {event: float(ms) / 10 for event, ms in EVENTS_MS.items()})
    save_figure(log, summary(log), staged, "a run")
    assert staged.stat().st_size > plain.stat().st_size
