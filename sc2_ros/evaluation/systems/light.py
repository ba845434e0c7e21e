# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The light detector as an image network, for `onboard-only:light`."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.errors import CheckpointError
from sc2_ros.evaluation.systems.image_codec_network import weights_file
from sc2_ros.evaluation.systems.image_network import outputs
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.network import imaging, weights
from sc2_ros.network.light_detector import LightDetector

KIND = "light_detector"


class LightNetwork:
    """A trained LightDetector, batch norms folded."""

    image_classes: tuple[str, ...] = ()

    def __init__(self, *, mask: bool = True, device: str = "cpu") -> None:
        """mask: wanted or not. Raises CheckpointError where there are no weights."""
        state, card = weights.load(weights_file(KIND), KIND)
        try:
            self.detection_classes = tuple(card["detection_classes"])
            self.mask_classes = tuple(card["mask_classes"])
            network = LightDetector(len(self.detection_classes), len(self.mask_classes))
            network.load_state_dict(state)
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"{weights_file(KIND)} does not fit its card") from error
        network.eval().requires_grad_(False).fold()
        self._network = network.to(device).to(memory_format=torch.channels_last)
        self._mask, self._device = mask, device

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Outputs:
        """Boxes, and the mask where it is wanted."""
        maps = self._network(imaging.to_tensor(image, self._device))
        if not self._mask:
            del maps["mask"]
        return outputs(maps, (image.shape[1], image.shape[0]))
