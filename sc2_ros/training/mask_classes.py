# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which classes a stream's segmentation head has: the package's, or a data set's own."""

from __future__ import annotations

from collections.abc import Sequence

from sc2_ros.data import MASK_CLASSES, open_dataset
from sc2_ros.errors import ParameterError
from sc2_ros.training.config import TrainConfig


def mask_classes_of(
    config: TrainConfig, otherwise: Sequence[str] = MASK_CLASSES
) -> tuple[str, ...]:
    """Those of `settings.mask_classes`; `otherwise` where it is not set.

    That is a list of names, or `own` for all that the data sets have, in their order.

    Raises:
        ParameterError: `own`, and no data set has masks; or not two names or more.
    """
    wanted = config.settings.get("mask_classes", otherwise)
    if wanted == "own":
        data = [open_dataset(source.path, "train") for source in config.sources]
        wanted = list(dict.fromkeys(name for one in data for name in one.mask_classes))
    names = tuple(map(str, wanted)) if isinstance(wanted, (list, tuple)) else ()
    if len(set(names)) < 2 or len(set(names)) != len(names):
        raise ParameterError(
            f"settings.mask_classes gives {names or wanted!r}; use own, where a data set has "
            "masks, or a list of two names or more"
        )
    return names
