# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.wire import parse
from sc2_ros.ground.assembler import FrameAssembler

CODE = 60
FRAME_NS = 33_000_000


class Feed:
    """An assembler, fed with packets of a 640x512 stream."""

    def __init__(self, helpers, codec, **options):
        self.helpers, self.codec = helpers, codec
        self.assembler = FrameAssembler(codec.tables, **options)

    def packets(self, number, code=CODE, stamp=None):
        latent = self.helpers.latent(32, 40, seed=number % 5)
        stamp = number * FRAME_NS if stamp is None else stamp
        return self.codec.encode(latent, code, number & 0xFFFF, time_ns=stamp).packets

    def add(self, packet, now_s=0.0):
        return self.assembler.add(self.codec.decoder.decode(parse(packet)), len(packet), now_s)

    def add_all(self, packets, now_s=0.0):
        return [frame for packet in packets for frame in self.add(packet, now_s)]


@pytest.fixture
def feed(helpers, codec):
    return Feed(helpers, codec)


def numbers(frames):
    return [frame.header.frame for frame in frames]


def test_a_complete_frame_is_given_with_its_last_slice(helpers, codec, feed):
    packets = feed.packets(1)

    assert feed.add_all(packets[:-1], 1.0) == []
    (frame,) = feed.add(packets[-1], 1.5)

    assert frame.complete
    assert frame.received.all()
    assert frame.slices_expected == frame.slices_received == len(packets) > 3
    assert frame.size_bytes == sum(map(len, packets))
    assert (frame.first_s, frame.last_s) == (1.0, 1.5)
    assert frame.encoded_size == (640, 512)
    expected = codec.tables.dequantise(codec.read(packets).symbols, CODE)
    np.testing.assert_array_equal(frame.latent, expected)


@settings(max_examples=25)
@given(st.data())
def test_any_order_and_any_duplicates_give_the_same_frame(helpers, codec, data):
    feed = Feed(helpers, codec)
    packets = feed.packets(1)
    order = data.draw(st.permutations(range(len(packets))))
    again = data.draw(st.lists(st.sampled_from(order[:-1]), max_size=5))

    frames = feed.add_all([packets[i] for i in [*order[:-1], *again, order[-1]]])

    assert [frame.size_bytes for frame in frames] == [sum(map(len, packets))]
    assert feed.assembler.stats.duplicates == len(again)
    expected = codec.tables.dequantise(codec.read(packets).symbols, CODE)
    np.testing.assert_array_equal(frames[0].latent, expected)


@settings(max_examples=25)
@given(st.data())
def test_any_subset_gives_what_came_and_zero_elsewhere(helpers, codec, data):
    feed = Feed(helpers, codec)
    packets = feed.packets(1)
    whole = codec.tables.dequantise(codec.read(packets).symbols, CODE)
    came = data.draw(st.sets(st.sampled_from(packets), min_size=1, max_size=len(packets) - 1))

    assert feed.add_all(came) == []
    (frame,) = feed.assembler.expire(1.0, 0.5)

    assert not frame.complete
    assert frame.slices_received == len(came)
    assert frame.size_bytes == sum(map(len, came))
    np.testing.assert_array_equal(frame.latent, np.where(frame.received, whole, 0))
    pieces = [codec.decoder.decode(parse(packet)) for packet in came]
    assert frame.received.sum() == sum(piece.symbols[0].size for piece in pieces)


def test_a_newer_complete_frame_ends_the_wait_for_older_ones(feed):
    feed.add_all(feed.packets(1)[1:])
    feed.add_all(feed.packets(2)[:2])

    frames = feed.add_all(feed.packets(3))

    assert numbers(frames) == [1, 2, 3]
    assert [frame.complete for frame in frames] == [False, False, True]


def test_an_older_complete_frame_leaves_newer_ones_open(feed):
    feed.add_all(feed.packets(2)[1:])

    assert numbers(feed.add_all(feed.packets(1))) == [1]
    assert numbers(feed.add(feed.packets(2)[0])) == [2]


def test_what_comes_after_its_frame_is_counted_and_dropped(feed):
    first, second = feed.packets(1), feed.packets(2)
    feed.add_all(first[1:])
    feed.add_all(second)

    assert feed.add(first[0]) == []
    assert feed.add(second[0]) == []
    assert feed.assembler.stats.late == 2
    assert feed.assembler.stats.incomplete == 1
    assert feed.assembler.stats.complete == 1


def test_frames_stay_in_order_when_their_number_wraps(feed):
    frames = []
    for number in (65534, 65535, 65536, 65537):
        packets = feed.packets(number)
        frames += feed.add_all(packets if number != 65535 else packets[1:])

    assert numbers(frames) == [65534, 65535, 0, 1]
    assert feed.assembler.stats.late == 0


def test_waiting_frames_are_given_up_in_order_when_their_time_is_over(feed):
    feed.add_all(feed.packets(2)[1:], 0.0)
    feed.add_all(feed.packets(1)[1:], 0.1)
    feed.add_all(feed.packets(3)[1:], 0.2)

    assert feed.assembler.expire(0.29, 0.3) == []
    assert numbers(feed.assembler.expire(0.3, 0.3)) == [1, 2]
    assert numbers(feed.assembler.expire(0.5, 0.3)) == [3]


def test_a_frame_whose_packets_still_come_is_waited_for(feed):
    """On a slow link the packets of a large frame take longer than the time-out together."""
    packets = feed.packets(1)
    assert len(packets) > 2
    for place, packet in enumerate(packets[:-1]):
        assert feed.add(packet, 0.2 * place) == []
        assert feed.assembler.expire(0.2 * place + 0.19, 0.25) == []

    (frame,) = feed.add(packets[-1], 0.2 * len(packets))
    assert frame.complete


def test_a_frame_is_given_up_soon_after_a_newer_one_has_begun(feed):
    feed.add_all(feed.packets(1)[1:], 0.0)
    assert feed.assembler.expire(0.2, 0.3, 0.02) == []
    feed.add(feed.packets(2)[0], 0.2)

    assert feed.assembler.expire(0.21, 0.3, 0.02) == []
    assert numbers(feed.assembler.expire(0.22, 0.3, 0.02)) == [1]
    assert feed.assembler.expire(0.3, 0.3, 0.02) == [], "of the newest frame more is to come"


def test_how_soon_depends_on_the_frame_interval(feed):
    for number, begun_s in ((1, 0.0), (2, 0.1), (3, 1.1)):
        feed.add(feed.packets(number)[0], begun_s)

    assert feed.assembler.expire(0.125, 9.0, 0.0) == []
    assert numbers(feed.assembler.expire(0.135, 9.0, 0.0)) == [1]
    assert feed.assembler.expire(1.35, 9.0, 0.0) == []
    assert numbers(feed.assembler.expire(1.45, 9.0, 0.0)) == [2]


def test_a_packet_that_comes_late_is_in_time_before_the_deadline(feed):
    packets = feed.packets(1)
    feed.add_all(packets[:-1], 0.0)
    feed.add(feed.packets(2)[0], 0.07)

    assert feed.assembler.expire(0.08, 0.3, 0.0) == []
    (frame,) = feed.add(packets[-1], 0.085)

    assert frame.complete


def test_never_more_frames_wait_than_allowed(helpers, codec):
    feed = Feed(helpers, codec, max_open=3)

    frames = [frame for number in range(10) for frame in feed.add(feed.packets(number)[0])]

    assert numbers(frames) == list(range(7))


@pytest.mark.parametrize("far", [10, 1000])
def test_a_stream_that_starts_again_is_taken_at_once(feed, far):
    feed.add_all(feed.packets(far))

    frames = feed.add_all(feed.packets(0, stamp=(far + 1) * FRAME_NS))

    assert numbers(frames) == [0]


def test_a_bag_that_starts_again_is_taken_at_once(feed):
    feed.add_all(feed.packets(5, stamp=10**18))

    assert numbers(feed.add_all(feed.packets(6, stamp=0))) == [6]


def test_a_slice_that_cannot_be_of_its_frame_is_dropped(feed):
    feed.add(feed.packets(1)[0])

    assert feed.add(feed.packets(1, stamp=5)[1]) == []
    assert feed.add(feed.packets(1, code=10)[0]) == []
    assert feed.assembler.stats.inconsistent == 2
    assert numbers(feed.add_all(feed.packets(1)[1:])) == [1]
