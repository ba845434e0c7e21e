# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The judgements on /diagnostics."""

import pytest

from sc2_ros.nodes.diagnostics import (
    Counter,
    Level,
    Silence,
    camera_status,
    decoder_status,
    downlink_status,
    encoder_status,
    to_message,
    uplink_status,
)
from sc2_ros.runtime.ros import DiagnosticStatus, TimeMsg


def test_a_counter_gives_the_rate_since_the_last_report():
    counter = Counter()

    assert counter.rate(100, 10.0) == 0.0
    assert counter.rate(130, 12.0) == 15.0
    assert counter.rate(130, 12.0) == 0.0


def test_a_counter_counts_over_a_window_as_far_as_it_has_seen():
    counter = Counter()

    rates = [counter.rate(count, now_s, 4.0) for now_s, count in enumerate([5, 5, 6, 6, 6, 7, 8])]

    assert rates == [0.0, 0.0, 0.5, pytest.approx(1 / 3), 0.25, 0.5, 0.5]


def test_silence_follows_the_period_and_not_one_outage():
    silence = Silence()
    for now_s in (0.0, 1.5, 3.0, 4.5, 64.5, 66.0):
        silence.heard(now_s)

    assert silence.period_s == 1.5
    assert silence.limit_s == 4.5
    assert silence.window_s == 6.0


def test_silence_starts_with_the_first_sound():
    silence = Silence()

    assert silence.seconds(5.0) is None
    silence.heard(5.0)
    assert silence.seconds(7.5) == 2.5


@pytest.mark.parametrize(
    ("silence_s", "unreadable", "level", "words"),
    [
        (None, 0.0, Level.ERROR, "no image on /image yet"),
        (0.1, 0.0, Level.OK, "30.0 images/s"),
        (3.0, 0.0, Level.ERROR, "no image on /image for 3 s"),
        (0.1, 30.0, Level.ERROR, "encoding '8UC7'"),
    ],
)
def test_camera(silence_s, unreadable, level, words):
    status = camera_status(silence_s, 30.0, unreadable, "/image", "encoding '8UC7'", 0)

    assert status.level is level
    assert words in status.message


@pytest.mark.parametrize(("silence_s", "since"), [(None, "yet"), (9.0, "for 9 s")])
def test_a_camera_whose_images_do_not_arrive_is_named_with_the_remedy(silence_s, since):
    status = camera_status(silence_s, 0.0, 0.0, "/image", "", 1)

    assert status.level is Level.ERROR
    assert f"no image on /image {since}: it has 1 publisher, but no image arrives" in status.message
    assert "net.core.rmem_max" in status.message
    assert "image_transport:=compressed" in status.message


def test_a_camera_whose_qos_does_not_fit_is_named_so():
    status = camera_status(None, 0.0, 0.0, "/image", "", 0, mismatch="another RELIABILITY")

    assert status.level is Level.ERROR
    assert status.message == "no image on /image yet: another RELIABILITY"


def test_a_budget_in_which_no_frame_fits_is_an_error_with_its_remedy():
    status = encoder_status(30.0, 0.0, 0.0, "raise rate.max_kbps (now 1)", {})

    assert status.level is Level.ERROR
    assert "raise rate.max_kbps" in status.message


def test_a_drone_without_camera_does_not_blame_the_encoder():
    assert encoder_status(0.0, 0.0, 0.0, "", {}).level is Level.OK


@pytest.mark.parametrize(
    ("silence_s", "loss", "decoded_fps", "bad", "level", "words"),
    [
        (None, None, 0.0, 0.0, Level.WARN, "no feedback yet"),
        (2.5, 0.0, 30.0, 0.0, Level.ERROR, "no feedback for 2 s"),
        (None, None, 0.0, 5.0, Level.ERROR, "not for this stream and checkpoint"),
        (0.1, 0.05, 30.0, 0.0, Level.OK, "5 %"),
        (0.1, 0.15, 20.0, 0.0, Level.WARN, "15 %"),
        (0.1, 0.40, 0.0, 0.0, Level.ERROR, "40 %"),
        (0.1, 0.0, 0.0, 0.0, Level.WARN, "finishes no frame"),
    ],
)
def test_uplink(silence_s, loss, decoded_fps, bad, level, words):
    status = uplink_status(silence_s, loss, 0.05, 30.0, decoded_fps, bad)

    assert status.level is level
    assert words in status.message


@pytest.mark.parametrize(
    ("silence_s", "loss", "mismatched", "bad", "level", "words"),
    [
        (None, 0.0, 0.0, 0.0, Level.WARN, "no packet yet"),
        (4.0, 0.0, 0.0, 0.0, Level.ERROR, "no packet for 4 s"),
        (0.1, 0.0, 90.0, 90.0, Level.ERROR, "checkpoint 01234567"),
        (0.1, 0.0, 0.0, 2.0, Level.WARN, "2.0 bad packets/s"),
        (0.1, 0.35, 0.0, 0.0, Level.ERROR, "35 %"),
        (0.1, 0.0, 0.0, 0.0, Level.OK, "0 %"),
    ],
)
def test_downlink(silence_s, loss, mismatched, bad, level, words):
    status = downlink_status(
        silence_s, 90.0, 400.0, loss, mismatched, bad, {"damaged": 3}, "checkpoint 01234567"
    )

    assert status.level is level
    assert words in status.message
    assert status.values["bad: damaged"] == 3


@pytest.mark.parametrize(
    ("incomplete", "skipped", "level"),
    [(0.0, 0.0, Level.OK), (6.0, 0.0, Level.WARN), (0.0, 20.0, Level.WARN)],
)
def test_decoder(incomplete, skipped, level):
    assert decoder_status(10.0, incomplete, skipped, {"network": 80.0}).level is level


def test_the_message_has_level_name_and_values_as_text():
    status = downlink_status(0.1, 90.0, 400.0, 0.35, 0.0, 0.0, {}, "")

    message = to_message([status], TimeMsg(sec=5), "ground_node", "ground", "camera")

    assert message.header.stamp.sec == 5
    assert message.header.frame_id == "camera"
    (found,) = message.status
    assert found.level == DiagnosticStatus.ERROR
    assert found.name == "ground_node: link"
    assert {value.key: value.value for value in found.values}["loss"] == "0.350"
