# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic flight: repeatable, and its truth agrees with its pictures."""

from functools import cache

import numpy as np
import pytest

from sc2_ros.errors import InputError
from sc2_ros.media.flight import EFFECTS, FlightFrame, SyntheticFlight
from sc2_ros.media.synthetic import bodies, materials
from sc2_ros.media.synthetic.camera import MOTIONS
from sc2_ros.media.synthetic.canvas import SIDE_M, Canvas, rectangle
from sc2_ros.media.synthetic.generate import generate
from sc2_ros.media.synthetic.traffic import Traffic

ROAD, BUILDING, VEGETATION, VEHICLE, PERSON, OTHER = range(6)
SEEDS = (1, 2, 3)
INDICES = (0, 200, 700)


@cache
def flight(seed: int, look: str = "rgb", motion: str = "mixed") -> SyntheticFlight:
    return SyntheticFlight(seed, width=320, height=240, look=look, motion=motion)


def frames(look: str = "rgb") -> list[FlightFrame]:
    return [flight(seed, look).frame(index) for seed in SEEDS for index in INDICES]


@pytest.mark.parametrize("look", ["rgb", "thermal"])
def test_a_frame_depends_on_seed_and_time_only(look: str) -> None:
    first = flight(5, look)
    first.frame(3)
    again = SyntheticFlight(5, width=320, height=240, look=look)
    for field in ("image", "boxes", "labels", "mask"):
        np.testing.assert_array_equal(
            getattr(first.frame(40), field), getattr(again.frame(40), field)
        )
    np.testing.assert_array_equal(first.frame(40).mask, again.frame(20, fps=15.0).mask)
    assert (first.frame(40).image != flight(6, look).frame(40).image).any()


def test_each_effect_can_be_left_out_and_the_town_stays_the_same() -> None:
    # Seed 1 flies tilted, in sunshine.
    whole, flat, ideal, straight = (
        SyntheticFlight(1, width=320, height=240, effects=effects)
        for effects in (EFFECTS, EFFECTS[1:], EFFECTS[:2], ("shadows", "sensor"))
    )
    shot, lit, sharp = (flight.frame(40) for flight in (whole, flat, ideal))
    for other in (lit, sharp):
        np.testing.assert_array_equal(shot.mask, other.mask)
        np.testing.assert_array_equal(shot.boxes, other.boxes)
    difference = shot.image.astype(int) - lit.image
    assert (difference < -20).all(2).mean() > 0.05
    assert (difference > 20).all(2).mean() < 0.01
    steps = [np.abs(np.diff(one.image.astype(int), axis=0)).max() for one in (shot, sharp)]
    assert steps[0] < steps[1]
    assert straight._path.state(1.0)[3] < 0.01 < whole._path.state(1.0)[3]


@pytest.mark.parametrize("look", ["rgb", "thermal"])
@pytest.mark.parametrize("size", [(640, 480), (333, 217), (64, 48), (48, 160)])
def test_any_size_has_frames_of_that_size(size: tuple[int, int], look: str) -> None:
    frame = SyntheticFlight(2, *size, look=look).frame(10)
    assert frame.image.shape == (size[1], size[0], 3)
    assert frame.mask.shape == (size[1], size[0])
    assert frame.boxes.shape == (len(frame.labels), 4)
    assert (frame.image.dtype, frame.mask.dtype) == (np.uint8, np.uint8)
    assert (frame.boxes.dtype, frame.labels.dtype) == (np.float32, np.int64)


def test_thermal_frames_are_grey_and_colour_frames_are_not() -> None:
    thermal, colour = flight(1, "thermal").frame(0).image, flight(1).frame(0).image
    assert (thermal == thermal[..., :1]).all()
    assert (colour[..., 0] != colour[..., 2]).any()


@pytest.mark.parametrize("look", ["rgb", "thermal"])
def test_boxes_lie_in_the_image_and_on_their_class(look: str) -> None:
    wanted = {0: PERSON, 1: VEHICLE, 2: PERSON, 3: VEHICLE}
    seen = 0
    for frame in frames(look):
        height, width = frame.mask.shape
        assert np.isin(frame.mask, range(6)).all()
        for (x0, y0, x1, y1), label in zip(frame.boxes.astype(int), frame.labels, strict=True):
            assert 0 <= x0 <= x1 - 3 <= width - 3
            assert 0 <= y0 <= y1 - 3 <= height - 3
            inside = frame.mask[y0:y1, x0:x1] == wanted[int(label)]
            # A box is tight: its class reaches every side of it.
            for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
                assert side.any()
            seen += 1
    assert seen > 30


def test_the_core_of_a_car_is_vehicle() -> None:
    shares = []
    for frame in frames():
        for x0, y0, x1, y1 in frame.boxes[frame.labels == bodies.CAR].astype(int):
            dx, dy = (x1 - x0) // 3, (y1 - y0) // 3
            core = frame.mask[y0 + dy : y1 - dy, x0 + dx : x1 - dx]
            shares.append((core == VEHICLE).mean())
    assert len(shares) > 20
    assert np.median(shares) > 0.95


def test_every_vehicle_and_person_pixel_belongs_to_somebody_in_sight() -> None:
    """Only remains below the visibility limit may lie outside all boxes."""
    for frame in frames():
        outside = np.isin(frame.mask, (VEHICLE, PERSON))
        total = outside.sum()
        for x0, y0, x1, y1 in frame.boxes.astype(int):
            outside[y0:y1, x0:x1] = False
        assert outside.sum() <= 0.1 * total + 30


def test_all_classes_appear() -> None:
    shown = frames()
    assert set(np.unique(np.stack([f.mask for f in shown]))) == set(range(6))
    assert set(np.concatenate([f.labels for f in shown])) == set(range(4))


def test_hover_keeps_the_ground_and_forward_does_not() -> None:
    def moved(motion: str) -> float:
        first, later = (flight(4, motion=motion).frame(k).mask for k in (0, 60))
        return float((first != later).mean())

    assert moved("hover") < 0.5 * moved("forward")


def test_a_camera_on_a_mast_sees_nothing_move_but_traffic() -> None:
    def ground_moved(motion: str) -> float:
        first, later = (flight(4, motion=motion).frame(k).mask for k in (0, 60))
        seen = ~np.isin(first, (VEHICLE, PERSON)) & ~np.isin(later, (VEHICLE, PERSON))
        return float((first != later)[seen].mean())

    first, later = (flight(4, motion="static").frame(k) for k in (0, 60))
    difference = np.abs(first.image.astype(int) - later.image)
    assert ground_moved("static") == 0
    assert ground_moved("hover") > 0.01
    assert 0 < (first.mask != later.mask).mean() < 0.1
    assert 1 <= np.median(difference) <= 5  # the sensor's noise
    assert difference.max() > 50
    np.testing.assert_array_equal(first.mask, flight(4, motion="hover").frame(0).mask)


@pytest.mark.parametrize("motion", MOTIONS)
def test_flights_do_not_jump(motion: str) -> None:
    """Two frames a thirtieth of a second apart differ little, also where a cycle ends."""
    flown = flight(4, motion=motion)
    for index in (100, 719, 1439):
        before, after = flown.frame(index).mask, flown.frame(index + 1).mask
        assert 0 < (before != after).mean() < 0.1


def test_people_stand_out_in_the_thermal_look() -> None:
    """Warm on cold, or the reverse where the sensor shows heat black."""
    for seed in SEEDS:
        frame = max((flight(seed, "thermal").frame(i) for i in INDICES), key=_people)
        grey = frame.image[..., 0].astype(float)
        person, ground = grey[frame.mask == PERSON].mean(), grey[frame.mask == ROAD].mean()
        assert abs(person - ground) > 20


def _people(frame: FlightFrame) -> int:
    return int((frame.mask == PERSON).sum())


def test_traffic_never_collides() -> None:
    rng = np.random.default_rng(3)
    plan = generate(rng, thermal=False)
    traffic = Traffic(rng, plan)
    riding = [
        k for k, s in enumerate(traffic.shapes)
        if s[0].label != bodies.PERSON and (traffic.poses(0.0)[k] != traffic.poses(1.0)[k]).any()
    ]  # fmt: skip
    assert len(riding) > 10
    sizes = np.array([traffic.shapes[k][0].width_m for k in riding])
    for t in np.arange(0, 2 * traffic.period_s, 0.25):
        places = traffic.poses(t)[riding, :2]
        gaps = (places[:, None] - places + SIDE_M / 2) % SIDE_M - SIDE_M / 2
        apart = np.linalg.norm(gaps, axis=-1) + np.eye(len(riding)) * 99
        assert (apart > (sizes[:, None] + sizes) / 2).all()


def test_the_map_wraps_round() -> None:
    canvas = Canvas(0)
    canvas.polygon(rectangle(0, 0, 4, 2, 0.0), 7)
    shifted = Canvas(0)
    shifted.polygon(rectangle(SIDE_M, -SIDE_M, 4, 2, 0.0), 7)
    np.testing.assert_array_equal(canvas.map, shifted.map)
    assert canvas.map[0, 0] == canvas.map[-1, -1] == canvas.map[0, -1] == canvas.map[-1, 0] == 7


def test_every_material_has_a_mask_class() -> None:
    assert len(materials.CLASS) == len(materials.Material)
    assert set(materials.CLASS) == {ROAD, BUILDING, VEGETATION, OTHER}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"look": "sepia"}, "sepia"),
        ({"motion": "loop"}, "loop"),
        ({"width": 8}, "8x480"),
        ({"effects": ["rain", "tilt"]}, "unknown effects rain;"),
    ],
    ids=lambda value: next(iter(value)),
)
def test_wrong_arguments_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        SyntheticFlight(1, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [3, 7])
def test_tiny_pictures_cut_actors_to_slivers(seed: int) -> None:
    """Windows of one to four pixels at the edge are counted like any other."""
    flight = SyntheticFlight(seed, width=48, height=32)
    frames = [flight.frame(index) for index in range(0, 900, 6)]
    assert sum(len(frame.boxes) for frame in frames) > 0
