# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mixed batches of augmented samples, made in background threads."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from sc2_ros.training import distributed
from sc2_ros.training.augment import VOID
from sc2_ros.training.detection_loss import DetectionTarget, make_target
from sc2_ros.training.sources import Source, SourceConfig, open_sources
from sc2_ros.training.trainer import Trainer

__all__ = [
    "Batch",
    "Source",
    "SourceConfig",
    "make_batch",
    "open_sources",
    "stream_batches",
    "train_on",
]


@dataclass(frozen=True)
class Batch:
    """What one step sees.

    image (B, 3, S, S) float [0, 1]; targets per image; mask (B, S/4, S/4) int64, 255 = void;
    category (B,) int64, -1 = none.
    """

    image: torch.Tensor
    targets: list[DetectionTarget]
    mask: torch.Tensor
    category: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch with its tensors on the device; targets stay numpy until the loss."""
        return replace(
            self,
            image=self.image.to(device, non_blocking=True),
            mask=self.mask.to(device, non_blocking=True),
            category=self.category.to(device, non_blocking=True),
        )


def make_batch(sources: list[Source], rng: np.random.Generator, crop: int) -> Batch:
    """One batch with the mixture's share of every source."""
    images, targets, masks, categories = [], [], [], []
    for source in sources:
        for _ in range(source.per_batch):
            sample = source.draw(rng)
            images.append(sample.image)
            targets.append(
                make_target(sample.boxes, sample.labels, sample.ignore, source.labelled, crop)
            )
            mask = np.full((crop // 4, crop // 4), VOID, np.uint8)
            if sample.mask is not None:
                small = cv2.resize(
                    sample.mask, (crop // 4, crop // 4), interpolation=cv2.INTER_NEAREST
                )
                mask = source.mask_lookup[small]
            masks.append(mask)
            categories.append(-1 if sample.category is None else sample.category)
    image = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255)
    return Batch(
        image.contiguous(memory_format=torch.channels_last),
        targets,
        torch.from_numpy(np.stack(masks)).long(),
        torch.tensor(categories),
    )


def stream_batches(
    sources: list[Source],
    seed: int,
    crop: int,
    workers: int = 1,
    ahead: int = 6,
    *,
    start: int = 0,
    rank: int | None = None,
) -> Iterator[Batch]:
    """Endless batches from number `start` on; `workers` threads keep up to `ahead` ready each.

    Batch n is drawn from (seed, n, rank) alone: whoever goes on at step n sees what an unbroken
    run would have seen, with any number of workers.

    Args:
        sources: the mixture.
        seed: of the run.
        crop: side in px of the pictures.
        workers: threads.
        ahead: batches that each may have ready.
        start: number of the first batch; the step at which a run goes on.
        rank: of this process under torchrun (default: $RANK, else 0).
    """
    place = distributed.rank() if rank is None else rank
    queues: list[queue.Queue[Batch | BaseException]] = [queue.Queue(ahead) for _ in range(workers)]
    stop = threading.Event()

    def put(number: int, item: Batch | BaseException) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                queues[number].put(item, timeout=0.5)
                break

    def work(number: int) -> None:
        turn = start + number
        while not stop.is_set():
            try:
                put(number, make_batch(sources, np.random.default_rng((seed, turn, place)), crop))
            except BaseException as error:  # handed to the consumer, which raises it
                put(number, error)
                break
            turn += workers

    threads = [
        threading.Thread(target=work, args=(number,), daemon=True) for number in range(workers)
    ]
    for thread in threads:
        thread.start()
    try:
        for turn in range(1 << 62):
            batch = queues[turn % workers].get()
            if isinstance(batch, BaseException):
                raise batch
            yield batch
    finally:
        # Whoever drops the iterator ends the threads. A process that ends while one of them is in
        # C++ is aborted, and under torchrun all others with it.
        stop.set()
        for thread in threads:
            thread.join()


def train_on(sources: Sequence[Source], trainer: Trainer, crop: int, *, resume: bool) -> None:
    """Train on the sources to the schedule's end; resume: from the trainer's last.pt on."""
    if resume:
        trainer.resume()
    trainer.run(stream_batches(list(sources), trainer.config.seed, crop, start=trainer.step))
