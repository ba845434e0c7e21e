# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all stations hold, whatever is lost, doubled or late."""

from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.acknowledgements import SILENCE_S, Acknowledgements
from sc2_ros.link.feedback import MAX_PAYLOAD_BYTES, parse_feedback
from sc2_ros.link.receiver_log import ReceiverLog


class Station:
    """A ground station that hears frames and reports."""

    def __init__(self, number, session=1):
        self.log = ReceiverLog(session, number)

    def hear(self, frame, whole=True, now_s=0.0):
        self.log.on_packet(frame, 0, 1, 100, now_s)
        if whole:
            self.log.on_held(frame)

    def report(self, now_s=0.0):
        return parse_feedback(self.log.build(now_s))


def test_the_payload_tells_what_is_held_across_the_wrap():
    station = Station(77)
    for frame in (65_530, 65_534, 65_535, 0, 3):
        station.hear(frame)
    station.hear(4, whole=False)

    payload = station.log.build(0.0)
    feedback = parse_feedback(payload)

    assert feedback.station == 77
    assert feedback.held == {65_530, 65_534, 65_535, 0, 3}
    assert len(payload) <= MAX_PAYLOAD_BYTES <= 100


def test_only_what_all_stations_hold_counts():
    one, two = Station(1), Station(2)
    known = Acknowledgements()
    for frame in (1, 2, 3):
        one.hear(frame)
    two.hear(2)

    assert known.common(0.0) == frozenset()
    assert known.on_feedback(one.report(), 0.0)
    assert known.common(0.0) == {1, 2, 3}
    assert not known.on_feedback(two.report(), 0.05)
    assert known.common(0.05) == {1, 2, 3}  # one report may be forged
    assert not known.on_feedback(two.report(), 0.1)  # the rate follows the first
    assert known.common(0.2) == {2}


def test_a_late_joiner_stops_prediction_until_it_holds_a_frame():
    one, two = Station(1), Station(2)
    known = Acknowledgements()
    one.hear(1)
    known.on_feedback(one.report(), 0.0)
    two.hear(2, whole=False)
    known.on_feedback(two.report(), 0.05)
    known.on_feedback(two.report(), 0.1)

    assert known.common(0.1) == frozenset()


def test_a_silent_station_is_not_waited_for_and_loses_the_rate():
    one, two = Station(1), Station(2)
    known = Acknowledgements()
    one.hear(1)
    two.hear(2)
    known.on_feedback(one.report(), 0.0)
    known.on_feedback(two.report(), 0.4)
    known.on_feedback(two.report(), 0.5)

    assert known.common(0.6) == frozenset()
    assert known.common(SILENCE_S + 0.1) == {2}
    assert known.on_feedback(two.report(), SILENCE_S + 0.2)
    assert known.common(5.0) == frozenset()


def test_an_old_message_does_not_bring_back_what_is_gone():
    station = Station(1)
    known = Acknowledgements()
    station.hear(1)
    old = station.report()
    for frame in range(2, 60):
        station.hear(frame)
    known.on_feedback(station.report(), 0.0)
    known.on_feedback(old, 0.1)

    assert 1 not in known.common(0.1)
    assert max(known.common(0.1)) == 59


def test_a_station_that_starts_again_holds_nothing():
    known = Acknowledgements()
    before = Station(1, session=7)
    for frame in range(9):
        before.hear(frame)
    known.on_feedback(before.report(), 0.0)
    after = Station(1, session=8)
    after.hear(9, whole=False)
    known.on_feedback(after.report(), 0.05)
    known.on_feedback(after.report(), 0.1)

    assert known.common(0.1) == frozenset()


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.booleans()), max_size=120
    )
)
def test_nothing_is_common_that_a_live_station_does_not_hold(events):
    stations = [Station(number + 1) for number in range(4)]
    holds = [set() for _ in stations]
    known = Acknowledgements()
    heard_s = {}
    for step, (number, whole, reports, arrives) in enumerate(events):
        now_s = step * 0.05
        stations[number].hear(step, whole)
        if whole:
            holds[number].add(step)
        if reports and arrives:
            for _ in range(2):  # a station's first report does not count yet
                known.on_feedback(stations[number].report(), now_s)
            heard_s[number] = now_s
        common = known.common(now_s)
        live = [n for n, at_s in heard_s.items() if now_s - at_s <= SILENCE_S]
        assert all(common <= holds[n] for n in live)
        assert live or not common
