# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The picture for the pilot against WebP and AVIF at the same bytes.

    python benchmarks/preview.py --data ../shared/data/hituav --figure docs/figures/preview.jpg

A frame's packets are decoded, its preview is enlarged to the image's size. A codec gets the bytes
of the packets: of its qualities, on the image at full, half, a quarter and an eighth of the size,
the one that fits and is most like the image. Likeness: MS-SSIM (Wang et al. 2003), and the
distance of the features that a detector of its own weights (`models/baselines/light_detector`) sees
at strides 4, 8 and 16, unit length per place (Zhang et al. 2018, eq. 1, without learned weights).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from pytorch_msssim import ms_ssim
from torch.nn import functional as F

from sc2_ros import checkpoint
from sc2_ros.data import open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.systems.image_codec_network import weights_file
from sc2_ros.evaluation.systems.image_codecs import parse_codec
from sc2_ros.evaluation.systems.stream import StreamSystem
from sc2_ros.ground.config import GroundConfig
from sc2_ros.ground.pipeline import GroundPipeline
from sc2_ros.network import imaging, weights
from sc2_ros.network.encoder import INPUT_SCALE, INPUT_SHIFT
from sc2_ros.network.light_detector import LightDetector

Image = npt.NDArray[np.uint8]

CODECS = ("webp", "avif")
SIZES = (1, 2, 4, 8)
QUALITIES = (0, 5, 10, 20, 30, 45, 60)
TILE_WIDTH = 420


class Likeness:
    """How like a picture is to its image, both (H, W, 3)."""

    def __init__(self) -> None:
        """Read the detector whose features are compared."""
        state, card = weights.load(weights_file("light_detector"), "light_detector")
        self._network = LightDetector(len(card["detection_classes"]), len(card["mask_classes"]))
        self._network.load_state_dict(state)
        self._network.eval().requires_grad_(False)

    @torch.inference_mode()
    def __call__(self, picture: Image, image: Image) -> tuple[float, float]:
        """MS-SSIM, 1 for equal; and the features' distance, 0 for equal."""
        found, wanted = imaging.to_tensor(picture, "cpu"), imaging.to_tensor(image, "cpu")
        distance = 0.0
        ours, theirs = (x * INPUT_SCALE + INPUT_SHIFT for x in (found, wanted))
        for stage in self._network.stages:
            ours, theirs = stage(ours), stage(theirs)
            apart = F.normalize(ours, dim=1) - F.normalize(theirs, dim=1)
            distance += float(apart.square().sum(1).mean()) / len(self._network.stages)
        return float(ms_ssim(found, wanted, data_range=1.0)), distance


def preview(ground: GroundPipeline, packets: list[bytes], now_s: float, image: Image) -> Image:
    """What the ground shows of one frame, at the image's size."""
    results = [found for packet in packets for found in ground.receive(packet, now_s)]
    results += ground.poll(now_s + 1.0)
    small = results[-1].preview
    assert small is not None
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def as_coded(name: str, image: Image, budget: int, like: Likeness) -> Image | None:
    """The most alike picture that the codec makes of so many bytes; None where none fits."""
    height, width = image.shape[:2]
    best: tuple[float, Image] | None = None
    for size in SIZES:
        small = cv2.resize(image, (width // size, height // size), interpolation=cv2.INTER_AREA)
        for quality in reversed(QUALITIES):
            codec = parse_codec(f"{name}:{quality}")
            assert codec is not None
            data = codec.encode(np.asarray(small, np.uint8))
            if len(data) > budget:
                continue
            colours = _rgb(codec.decode(data))
            picture = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
            likeness = like(np.asarray(picture, np.uint8), image)[0]
            if best is None or likeness > best[0]:
                best = likeness, np.asarray(picture, np.uint8)
            break  # a lower quality of this size is less alike
    return None if best is None else best[1]


def main() -> int:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--data", required=True)
    parser.add_argument("--limit", type=int, default=24, help="of the images, spread evenly")
    parser.add_argument("--rate-index", type=float, default=0.8)
    parser.add_argument("--images", type=int, default=2, help="in the figure")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    model, like = checkpoint.load(args.checkpoint), Likeness()
    data = open_dataset(args.data, "val")
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ("preview", *CODECS)}
    sizes, tiles = [], []
    for place, number in enumerate(choose(len(data), args.limit)):
        image = _rgb(data[number].image)
        system = StreamSystem(model, args.rate_index, mask=False)
        ground = GroundPipeline(model, GroundConfig(mask=False))
        packets = system.encode(image)
        sizes.append(sum(len(packet) for packet in packets))
        pictures = {"preview": preview(ground, packets, 1.0, image)}
        for name in CODECS:
            if (found := as_coded(name, image, sizes[-1], like)) is not None:
                pictures[name] = found
        for name, picture in pictures.items():
            rows[name].append(like(picture, image))
        if place < args.images:
            tiles.append(_row(image, pictures, sizes[-1]))
    table = {
        name: {
            "images": len(values),
            "ms_ssim": round(float(np.mean([one[0] for one in values])), 4),
            "feature_distance": round(float(np.mean([one[1] for one in values])), 4),
        }
        for name, values in rows.items()
        if values
    }
    report = {
        "checkpoint": f"{model.id:08x}",
        "data": Path(args.data).name,
        "rate_index": args.rate_index,
        "bytes": round(float(np.mean(sizes))),
        "systems": table,
    }
    print(json.dumps(report, indent=1))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    if args.figure:
        picture = cv2.cvtColor(np.vstack(tiles), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(args.figure), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return 0


def _rgb(image: Image) -> Image:
    """Grey as colour."""
    return np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image


def _row(image: Image, pictures: dict[str, Image], size: int) -> Image:
    """The image and what each system made of it, side by side and named."""
    height = round(image.shape[0] * TILE_WIDTH / image.shape[1])
    named = {"camera": image, f"preview, {size} bytes": pictures["preview"]}
    named |= {name: pictures.get(name, np.zeros_like(image)) for name in CODECS}
    tiles = []
    for name, picture in named.items():
        tile = imaging.resize(picture, TILE_WIDTH, height).copy()
        cv2.putText(tile, name, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 4)
        cv2.putText(tile, name, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1)
        tiles.append(tile)
    return np.asarray(np.hstack(tiles), np.uint8)


if __name__ == "__main__":
    raise SystemExit(main())
