# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Link descriptions: what is understood, and that everything else is one clear error."""

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.errors import LinkSpecError
from sc2_ros.link.sim.spec import parse_link, read_trace

DATA = Path(os.environ.get("SC2_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_terms_in_any_order_mean_the_same():
    spec = parse_link("500kbit,40ms,2%,jitter=10ms,queue=30000B")
    assert (spec.rate_bps, spec.delay_s, spec.loss) == (500_000, 0.04, 0.02)
    assert (spec.jitter_s, spec.queue_bytes, spec.trace) == (0.01, 30_000, None)
    assert parse_link(" queue=30kB, 2% ,jitter=10ms,0.04s, 0.5Mbit") == spec


@pytest.mark.parametrize(
    ("text", "rate_bps"),
    [
        ("800bit", 800),
        ("1.5mbit", 1.5e6),
        (".5gbit", 5e8),
        ("unlimited", math.inf),
        ("250 kbit", 250e3),
    ],
)
def test_rate_units(text, rate_bps):
    assert parse_link(text).rate_bps == pytest.approx(rate_bps)


def test_queue_in_time_is_that_time_at_the_mean_rate():
    assert parse_link("1mbit,queue=200ms").queue_bytes == 25_000
    assert parse_link("1mbit").queue_bytes == 37_500
    assert parse_link("unlimited").queue_bytes > 10**12


def test_trace_file(tmp_path):
    path = tmp_path / "lte.up"
    path.write_text("0\n10\n10\n20\n")
    spec = parse_link(f"{path},30ms,1%")
    assert spec.rate_bps is None
    assert spec.trace.times_ms.tolist() == [0, 10, 10, 20]
    assert spec.mean_bps == 4 * 1500 * 8 / 0.02
    assert (spec.delay_s, spec.loss) == (0.03, 0.01)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "fast",
        "500",
        "500kbyte",
        "0kbit",
        "-5kbit",
        "500kbit,40",
        "500kbit,101%",
        "500kbit,1mbit",
        "500kbit,unlimited",
        "500kbit,40ms,50ms",
        "40ms",
        "500kbit,jitter=fast",
        "500kbit,queue=3%",
        "500kbit,speed=3ms",
        "nan kbit",
        "1e400kbit",
        "no/such/file.up",
        "500kbit,\0",
    ],
)
def test_junk_is_one_error_that_quotes_it(text):
    with pytest.raises(LinkSpecError) as caught:
        parse_link(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_parses_or_is_a_link_spec_error(text):
    try:
        spec = parse_link(text)
    except LinkSpecError:
        return
    assert spec.mean_bps > 0
    assert spec.queue_bytes >= 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"0\n0\n", "empty"),
        (b"10\n5\n", "backwards"),
        (b"1\n2.5\n", "entry 2"),
        (b"-1\n", "entry 1"),
        (b"\xff\xfe", "cannot be read"),
        (b"9" * 30, "entry 1"),
    ],
)
def test_bad_trace(tmp_path, content, complaint):
    path = tmp_path / "bad.up"
    path.write_bytes(content)
    with pytest.raises(LinkSpecError, match=complaint):
        parse_link(str(path))


def test_recorded_uplinks():
    paths = sorted((DATA / "traces").glob("*.up"))
    if not paths:
        pytest.skip(f"no recorded traces in {DATA / 'traces'}; set SC2_DATA")
    for path in paths:
        trace = read_trace(path)
        assert 1e5 < trace.mean_bps < 1e8
        assert trace.period_s > 60


def test_steps_outages_bursts_and_the_rest():
    spec = parse_link(
        "1mbit>2.5mbit@40s>0kbit@60s>600kbit@61s, 50ms, burst=5%x8, outage=3s@10s, outage=1s@2s,"
        "reorder=1%x20ms, duplicate=2%, queue=300ms"
    )
    assert spec.steps == ((0, 1e6), (40, 2.5e6), (60, 0), (61, 6e5))
    assert spec.outages == ((2, 3), (10, 13))
    assert (spec.burst_loss, spec.burst_packets) == (0.05, 8)
    assert (spec.reorder, spec.reorder_s, spec.duplicate) == (0.01, 0.02, 0.02)
    assert spec.mean_bps == pytest.approx(4.1e6 / 4)
    assert spec.queue_bytes == int(0.3 * 4.1e6 / 4 / 8)


def test_a_trace_is_scaled_to_a_mean(tmp_path):
    path = tmp_path / "link.up"
    path.write_text("10\n20\n30\n1000\n")
    spec = parse_link(f"{path},mean=200kbit")
    assert spec.mean_bps == pytest.approx(200e3)
    assert spec.trace.times_ms.tolist() == [10, 20, 30, 1000]


@pytest.mark.parametrize(
    "text",
    [
        "1mbit>2mbit",
        "1mbit>2mbit@0s",
        "1mbit>2mbit@5s>3mbit@4s",
        "1mbit>0kbit@5s",
        "1mbit>unlimited@5s",
        "1mbit>2mbit@5s,3mbit",
        "1mbit,mean=2mbit",
        "1mbit,burst=95%x8",
        "1mbit,burst=5%x0.5",
        "1mbit,burst=5%",
        "1mbit,outage=3s",
        "1mbit,outage=3@4",
        "1mbit,reorder=1%",
        "1mbit,duplicate=101%",
        "1mbit,jitter=5%",
    ],
)
def test_what_makes_no_sense_is_refused(text):
    with pytest.raises(LinkSpecError):
        parse_link(text)


words = st.lists(
    st.sampled_from(
        ["1mbit", "0kbit", ">", "@", "x", "=", ",", "5s", "3%", "outage", "burst", "mean", "9e9"]
        + ["queue", "reorder", "jitter", "duplicate", "unlimited", "-", ".", " ", "1" * 400]
    ),
    max_size=12,
)


@given(words.map("".join))
def test_any_words_are_a_link_or_one_clear_error(text):
    try:
        spec = parse_link(text)
    except LinkSpecError:
        return
    assert spec.mean_bps > 0
    assert 0 <= spec.loss <= 1
    assert 0 <= spec.burst_loss <= 0.9
