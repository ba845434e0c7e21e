# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The signal of a radio as the onboard node reads it, and that it lowers the rate."""

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.nodes import radio
from sc2_ros.nodes.parameters import ONBOARD, RADIO_TYPES
from sc2_ros.nodes.radio import radio_message, signal_db
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.runtime.ros import Float32


def test_both_messages_give_decibels():
    status = radio_message(RADIO_TYPES[0])(rssi=200, remrssi=150, noise=40, remnoise=55)
    assert signal_db(status) == pytest.approx(50.0)
    assert signal_db(radio_message(RADIO_TYPES[0])(rssi=255, remrssi=255)) is None
    assert signal_db(radio_message(RADIO_TYPES[1])(data=-71.5)) == -71.5
    assert radio_message(RADIO_TYPES[1]) is Float32


def test_a_radio_status_travels_as_mavros_sends_it():
    from sc2_ros.runtime import messages

    status = messages.message_type("mavros_msgs/msg/RadioStatus")
    sent = status(rssi=1, remrssi=2, txbuf=3, noise=4, remnoise=5, rxerrors=6, fixed=7)
    sent.rssi_dbm = -60.5
    data = messages.to_cdr(sent)
    # After stamp and an empty frame_id: five bytes, then uint16s and floats on their boundaries.
    assert data[4 + 13 :][:5] == bytes([1, 2, 3, 4, 5])
    assert messages.from_cdr(data, status) == sent


def test_without_mavros_msgs_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(radio, "RadioStatus", None)
    with pytest.raises(ParameterError, match="mavros_msgs is not installed"):
        radio_message(RADIO_TYPES[0])


def test_the_parameters_are_off_by_default():
    rows = {row.name: row for row in ONBOARD}
    assert rows["radio.topic"].default == ""
    assert rows["rate.repair"].default == "auto"
    assert rows["rate.repair"].problem("always") is not None


def test_a_falling_signal_makes_the_next_frame_smaller():
    coarse = np.random.default_rng(0).integers(0, 256, (16, 20), dtype=np.uint8)
    image = coarse.repeat(8, 0).repeat(8, 1)

    def frame_bytes(signals, mode="auto"):
        config = OnboardConfig(rate_mode=mode, rate_index=1.0)
        pipeline = OnboardPipeline(checkpoint.untrained(0), config)
        sizes = []
        for number, signal in enumerate(signals):
            pipeline.on_radio(signal, number / 10)
            packets = pipeline.process(CameraFrame(image, number * 10**8, ""), number / 10)
            sizes.append(sum(map(len, packets)))
        return sizes[-1]

    steady, fallen = frame_bytes([-60.0] * 2), frame_bytes([-60.0, -72.0])
    assert 0 < fallen < 0.6 * steady
    assert frame_bytes([-60.0, -50.0]) == steady
    fixed = [frame_bytes([-60.0, last], mode="fixed") for last in (-60.0, -72.0)]
    assert fixed[0] == fixed[1]
