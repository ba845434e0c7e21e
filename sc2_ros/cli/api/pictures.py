# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's picture as it goes into a bag of results."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.media.messages import compressed_message


def jpeg_message(image: npt.NDArray[np.uint8], stamp_ns: int, frame_id: str) -> Any:
    """A sensor_msgs/CompressedImage with a JPEG of uint8 RGB (H, W, 3) or grey (H, W)."""
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    return compressed_message(image, stamp_ns, frame_id)
