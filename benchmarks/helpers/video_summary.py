# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the rows of the video benchmark say, clip by clip: bytes at equal agreement, loss, time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]
Curve = list[tuple[float, float]]

MIDDLE = "0.1"
"""The rate index at whose agreement all systems are compared."""
PEERS = ("x265", "x264", "svt-av1")
OLDER = (3, 6)


def summary(rows: Sequence[Row]) -> list[Row]:
    """One entry per clip; what was not measured is missing, what was not reached is None.

    ::

        ap50                  agreement of our intra at the middle rate
        equal_at              that, or the best that prediction reached: bytes are compared there
        share_of_X            our bytes over those of X at equal agreement
        share_of_X_at_most    X did not reach it: our bytes over the most that X was given
        share_of_X_packed     with a header of ours for each 1,200 bytes of X
        share_..._same_grid   at equal agreement_same_grid_ap50 instead, which of X is its agreement
        share_..._by_labels   at equal AP50 against labels instead
        share_age_N           predicted from N frames before, at equal rate
        kept_at_loss_X        agreement with loss over that without
        grid_sent             agreement of the uncompressed frames on the grids that were sent with
                              those at the corner: more than that no codec can have there
        added_ms              encoder time, predicted less intra, at the middle rate
    """
    clips = dict.fromkeys((row["clip"], row["fps"]) for row in rows)
    return [_entry([row for row in rows if (row["clip"], row["fps"]) == clip]) for clip in clips]


def _entry(rows: Sequence[Row]) -> Row:
    first = rows[0]
    entry: Row = {"clip": first["clip"], "fps": first["fps"], "motion": first["motion"]}
    intra, ours = curve(rows, "sc2 intra", 0), curve(rows, "sc2", 1)
    middle = _find(rows, "sc2 intra", 0)
    if middle is None or not ours or middle["agreement_ap50"] is None:
        return entry
    at = min(middle["agreement_ap50"], max(value for _, value in ours))
    entry |= {"ap50": middle["agreement_ap50"], "equal_at": at}
    entry["intra_bytes"] = middle["bytes_per_frame"]
    entry["share_of_intra"] = ratio(bytes_at(ours, at), bytes_at(intra, at))
    for figure, name in (("agreement_same_grid_ap50", "same_grid"), ("ap50", "by_labels")):
        predicted = curve(rows, "sc2", 1, figure)
        if predicted and middle[figure] is not None:
            level = min(middle[figure], max(value for _, value in predicted))
            alone = curve(rows, "sc2 intra", 0, figure)
            entry[f"share_of_intra_{name}"] = ratio(
                bytes_at(predicted, level), bytes_at(alone, level)
            )
    for age in OLDER:
        older = _find(rows, "sc2", age)
        if older is not None:
            entry[f"share_age_{age}"] = ratio(older["bytes_per_frame"], middle["bytes_per_frame"])
    on_same_grid = curve(rows, "sc2", 1, "agreement_same_grid_ap50")
    for peer in PEERS:
        entry |= _against(rows, peer, ours, at)
        reached = bytes_at(curve(rows, peer, 0), at)
        if reached is not None:
            entry[f"share_of_{peer}_same_grid"] = ratio(bytes_at(on_same_grid, at), reached)
    for system in ("sc2", *PEERS):
        kept = _kept(rows, system)
        if kept is not None:
            entry[f"kept_at_loss_{system}"] = kept
    same_rate = _find(rows, "sc2", 1)
    if same_rate is not None:
        entry["grid_sent"] = same_rate["grid_sent_ap50"]
        entry["added_ms"] = round(same_rate["encode_ms"] - middle["encode_ms"], 2)
    return entry


def _against(rows: Sequence[Row], peer: str, ours: Curve, at: float) -> Row:
    theirs = curve(rows, peer, 0)
    if not theirs:
        return {}
    mine, reached = bytes_at(ours, at), bytes_at(theirs, at)
    if reached is None:
        return {f"share_of_{peer}": None, f"share_of_{peer}_at_most": ratio(mine, theirs[-1][0])}
    packed = bytes_at(curve(rows, peer, 0, size="packed_bytes_per_frame"), at)
    return {
        f"share_of_{peer}": ratio(mine, reached),
        f"share_of_{peer}_packed": ratio(mine, packed),
    }


def _find(rows: Sequence[Row], system: str, age: int) -> Row | None:
    """Our row at the middle rate, without loss."""
    wanted = (system, MIDDLE, age, 0.0)
    keys = ("system", "setting", "age", "loss")
    return next((row for row in rows if tuple(row[key] for key in keys) == wanted), None)


def _kept(rows: Sequence[Row], system: str) -> float | None:
    """Agreement at loss as a share of that without, at the same setting."""
    same = ("setting", "age")
    own = [row for row in rows if row["system"] == system]
    for row in own:
        for other in own:
            if row["loss"] and not other["loss"] and all(row[key] == other[key] for key in same):
                return ratio(row["agreement_ap50"], other["agreement_ap50"])
    return None


def curve(
    rows: Sequence[Row],
    system: str,
    age: int,
    figure: str = "agreement_ap50",
    size: str = "bytes_per_frame",
) -> Curve:
    """(bytes, AP50) of a system's settings without loss, by bytes."""
    return sorted(
        (float(row[size]), float(row[figure]))
        for row in rows
        if (row["system"], row["age"], row["loss"]) == (system, age, 0.0)
        and row[figure] is not None
    )


def bytes_at(points: Curve, wanted: float) -> float | None:
    """Bytes at which a curve reaches an AP50, log-linear between its points; None: it does not.

    A curve that lies above it from its first point on counts with that point.
    """
    before: tuple[float, float] | None = None
    for size, value in points:
        if value >= wanted:
            if before is None or value == before[1]:
                return size
            part = (wanted - before[1]) / (value - before[1])
            return float(np.exp(np.log(before[0]) * (1 - part) + np.log(size) * part))
        before = (size, value)
    return None


def ratio(one: float | None, other: float | None) -> float | None:
    """One over the other; None where either is not there."""
    return round(one / other, 4) if one is not None and other else None
