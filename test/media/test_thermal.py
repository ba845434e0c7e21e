# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tone curve of thermal cameras: contrast where it matters, and held from frame to frame."""

import numpy as np
import pytest

from sc2_ros.errors import ParameterError
from sc2_ros.media.thermal import GainControl, ThermalConfig

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 240, 320
BACKGROUND = np.clip(RNG.normal(7300, 70, (HEIGHT, WIDTH)), 7050, 7550)
PEOPLE = np.zeros((HEIGHT, WIDTH), bool)
PEOPLE[40:52, 60:66] = PEOPLE[150:162, 200:206] = True
SECOND_NS = 1_000_000_000


def scene(offset=0.0, hot=False, seed=None):
    """Ground of some 300 counts, two people 130 counts above it, and perhaps a fire."""
    counts = BACKGROUND + offset
    if seed is not None:
        counts = counts + np.random.default_rng(seed).normal(0, 1, counts.shape)
    counts = np.where(PEOPLE, 7300 + offset + 130, counts)
    if hot:  # 2 % of the picture, up to 9000 counts above the rest
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        near = np.clip(1 - np.hypot(y - 200, x - 60) / 24, 0, 1)
        counts = counts + 9000 * near
    return np.clip(counts, 0, 16383).astype(np.uint16)


REST = np.s_[:150, :]
"""Where the fire is not."""


def contrast(image):
    """Grey levels between people and ground, and the spread of the ground, without the fire."""
    ground, people = image[REST][~PEOPLE[REST]], image[REST][PEOPLE[REST]]
    return float(people.mean() - ground.mean()), float(ground.std())


def test_people_and_ground_have_contrast():
    person, spread = contrast(GainControl()(scene()))

    assert person > 45
    assert 20 < spread < 60


@pytest.mark.parametrize("fresh", [True, False])
def test_a_hot_object_takes_little_from_the_rest(fresh):
    control = GainControl()
    before = contrast(control(scene()))
    control = GainControl() if fresh else control

    after = contrast(control(scene(hot=True), SECOND_NS))

    assert after[0] > 0.65 * before[0]
    assert after[1] > 0.65 * before[1]


def test_what_does_not_change_gives_the_same_levels_while_a_hot_object_comes_and_goes():
    control = GainControl()
    first = control(scene())

    for number in range(1, 40):
        image = control(scene(hot=10 < number < 30), number * SECOND_NS // 10)
        np.testing.assert_array_equal(image[REST], first[REST])


def test_a_hot_object_does_not_move_a_scene_that_fills_the_grey_levels():
    """Room for it could only be had by darkening everything else by sixty levels."""
    control = GainControl()
    ramp = np.random.default_rng(0).uniform(7000, 7400, (256, 320)).astype(np.uint16)
    hot = ramp.copy()
    hot[:40, :40] += np.linspace(0, 9000, 40).astype(np.uint16)[:, None]

    before = control(ramp, SECOND_NS)
    during = [control(hot, number * SECOND_NS) for number in range(2, 8)]
    after = control(ramp, 9 * SECOND_NS)

    assert all(np.array_equal(image[40:], before[40:]) for image in during)
    assert np.array_equal(after, before)


def test_noise_does_not_move_the_curve():
    control = GainControl()
    control(scene(seed=0))
    held = control(scene())
    for number in range(1, 20):
        control(scene(seed=number), number * SECOND_NS // 10)

    np.testing.assert_array_equal(control(scene(), 2 * SECOND_NS), held)


def test_a_slow_drift_is_followed_slowly_and_a_step_at_once():
    control = GainControl()
    expected = GainControl()(scene())
    control(scene(), 0)
    steps = []
    for number in range(1, 200):
        before = control(scene(offset=number - 1), number * SECOND_NS // 10)
        after = control(scene(offset=number), number * SECOND_NS // 10 + 1)
        steps.append(np.abs(after.astype(int) - before)[REST].mean())
    assert max(steps) < 8
    drifted = control(scene(offset=199), 20 * SECOND_NS)
    assert abs(drifted.astype(int) - expected).mean() < 22

    stepped = control(scene(offset=2000), 21 * SECOND_NS)

    assert abs(stepped.astype(int) - expected).mean() < 2


def test_frames_at_any_rate_end_at_the_same_curve():
    ends = []
    for rate in (2, 30):
        control = GainControl(ThermalConfig(time_constant_s=2.0))
        control(scene())
        for number in range(1, 2 * rate + 1):
            image = control(scene(offset=60), number * SECOND_NS // rate)
        ends.append(image.astype(int))
    assert np.abs(ends[0] - ends[1]).mean() < 4


@pytest.mark.parametrize("stamp", [0, 5, -SECOND_NS])
def test_stamps_that_stand_still_or_go_back_hold_up_nothing(stamp):
    control = GainControl()
    control(scene(), 0)
    before = np.abs(control(scene(offset=60), stamp).astype(int) - control(scene(), stamp)).mean()
    for _ in range(100):
        image = control(scene(offset=60), stamp)
    assert before > 0
    assert np.abs(image.astype(int) - GainControl()(scene())).mean() < 10


def test_a_cold_sky_takes_little_from_the_ground():
    ground = contrast(GainControl()(scene()))[1]
    with_sky = scene()
    with_sky[170:] = RNG.normal(3000, 10, (HEIGHT - 170, WIDTH))

    image = GainControl()(with_sky)

    assert contrast(image)[1] > 0.4 * ground


def test_dead_pixels_do_not_darken_the_picture():
    counts = scene()
    counts[2::40, 3::40], counts[10, 10] = 16383, 0

    assert contrast(GainControl()(counts))[0] > 0.75 * contrast(GainControl()(scene()))[0]


def test_a_blank_wall_is_grey_and_not_all_noise():
    wall = 7000 + RNG.integers(0, 3, (64, 64)).astype(np.uint16)

    image = GainControl()(wall)

    assert np.ptp(image.astype(int)) < 16
    assert 96 < image.mean() < 160


@pytest.mark.parametrize(
    "same",
    [
        lambda counts: (counts.astype(np.int32) - 9000).astype(np.int16),
        lambda counts: counts.astype(np.int32),
        lambda counts: (counts / 100 - 50).astype(np.float32),
        lambda counts: counts / 100 - 50,
    ],
    ids=["int16", "int32", "float32", "float64"],
)
def test_the_type_of_the_samples_does_not_matter(same):
    expected = GainControl()(scene())

    image = GainControl()(same(scene()))

    assert np.abs(image.astype(int) - expected)[REST].mean() < 4


def test_a_float_scene_that_stays_is_held_too():
    control = GainControl()
    first = control(scene() / 100 - 50)
    second = control(scene(hot=True) / 100 - 50, SECOND_NS)
    np.testing.assert_array_equal(first[REST], second[REST])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_image_of_nothing_is_black(bad):
    assert (GainControl()(np.full((32, 32), bad, np.float32)) == 0).all()


def test_fixed_is_a_line_between_two_counts():
    config = ThermalConfig(mode="fixed", low=7000, high=8000)
    image = GainControl(config)(np.array([[6000, 7000, 7500, 8000, 9000]], np.uint16))
    assert image.tolist() == [[0, 0, 128, 255, 255]]


def test_linear_is_a_line_between_the_ends_of_the_scene():
    image = GainControl(ThermalConfig(mode="linear"))(scene(hot=True))
    assert contrast(image)[1] < 5  # which is why it is not the default


def test_a_new_configuration_takes_effect_at_once():
    control = GainControl()
    control(scene())
    control.configure(ThermalConfig(mode="linear"))
    np.testing.assert_array_equal(
        control(scene(), SECOND_NS), GainControl(ThermalConfig(mode="linear"))(scene())
    )


@pytest.mark.parametrize(
    "values",
    [{"mode": "magic"}, {"low": 5.0, "high": 5.0}, {"min_span": 0}, {"time_constant_s": -1.0}],
)
def test_what_cannot_be_used_is_one_sentence(values):
    with pytest.raises(ParameterError):
        ThermalConfig(**values).validate()
