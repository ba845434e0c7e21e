# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The trainer: schedule, mixed precision, weight averaging, log, resumable checkpoints."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from sc2_ros.errors import CheckpointError
from sc2_ros.training.muon import Muon

LossFunction = Callable[[nn.Module, Any], tuple[Tensor, dict[str, float]]]


@dataclass(frozen=True)
class TrainerConfig:
    """How long and how fast; the schedule ends at max_steps or max_minutes, whichever is first."""

    max_steps: int = 20_000
    max_minutes: float = math.inf
    lr: float = 2e-3
    muon_lr: float = 0.02
    optimizer: str = "muon"
    weight_decay: float = 0.02
    warmup: float = 0.02
    ema: float = 0.999
    clip: float = 5.0
    save_every_s: float = 180.0
    seed: int = 0


class Trainer:
    """Runs one model over endless batches and keeps `last.pt` in its folder.

    Progress counts steps and minutes over all sessions, so a resumed run goes on where the
    schedule stood.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: LossFunction,
        config: TrainerConfig,
        folder: Path,
        device: str = "cpu",
    ) -> None:
        """folder: for last.pt and the TensorBoard log; device: cpu (bf16) or cuda (AMP bf16)."""
        self.model = model.to(device, memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.loss, self.config, self.folder = loss, config, folder
        self.device = torch.device(device)
        self.step, self.minutes = 0, 0.0
        trained = [p for p in model.parameters() if p.requires_grad]
        matrices = [p for p in trained if p.dim() == 4 and p.shape[1] > 1]
        chosen = {id(p) for p in matrices} if config.optimizer == "muon" else set()
        rest = [p for p in trained if id(p) not in chosen]
        decayed = [p for p in rest if p.dim() == 4]
        # Gains and priors are logarithms that have far to go: they get five times the rate.
        quick = [p for n, p in model.named_parameters() if "log_" in n and p.requires_grad]
        fast = {id(p) for p in quick}
        plain = [p for p in rest if p.dim() != 4 and id(p) not in fast]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                [
                    {"params": decayed, "weight_decay": config.weight_decay},
                    {"params": plain, "weight_decay": 0.0},
                    {"params": quick, "weight_decay": 0.0, "lr": 5 * config.lr},
                ],
                lr=config.lr,
            )
        ]
        if chosen:
            self.optimizers.append(
                Muon(matrices, lr=config.muon_lr, weight_decay=config.weight_decay)
            )
        self.base = [[g["lr"] for g in o.param_groups] for o in self.optimizers]

    @property
    def progress(self) -> float:
        """Share of the schedule that is done, in [0, 1]."""
        share = max(self.step / self.config.max_steps, self.minutes / self.config.max_minutes)
        return min(share, 1.0)

    def save(self) -> None:
        """Write last.pt so that a kill at any moment leaves a whole file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "step": self.step,
            "minutes": self.minutes,
            "config": asdict(self.config),
            "rng": torch.get_rng_state(),
        }
        partial = self.folder / "last.pt.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "last.pt")

    def resume(self) -> None:
        """Go on from last.pt. Raises CheckpointError where there is none."""
        path = self.folder / "last.pt"
        if not path.is_file():
            raise CheckpointError(f"nothing to resume: no {path}; start without --resume")
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.minutes = state["step"], state["minutes"]
        torch.set_rng_state(state["rng"].cpu())

    def run(self, batches: Iterator[Any]) -> None:
        """Train until the schedule ends; save now and then and at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.config.seed + self.step)
        with SummaryWriter(str(self.folder)) as log:
            saved = shown = last = time.monotonic()
            means: dict[str, float] = {}
            while self.progress < 1.0:
                parts = self._one_step(next(batches))
                for name, value in parts.items():
                    means[name] = 0.98 * means.get(name, value) + 0.02 * value
                now = time.monotonic()
                self.minutes += (now - last) / 60
                last = now
                if now - shown > 15 or self.progress >= 1.0:
                    shown = now
                    left = self.minutes * (1 / max(self.progress, 1e-6) - 1)
                    text = " ".join(f"{name} {value:.4f}" for name, value in means.items())
                    rate = self.step / max(self.minutes * 60, 1e-6)
                    print(
                        f"step {self.step} {self.progress:6.1%} {rate:.2f}/s "
                        f"left {left:.0f} min  {text}",
                        flush=True,
                    )
                    for name, value in means.items():
                        log.add_scalar(name, value, self.step)
                if now - saved > self.config.save_every_s:
                    saved = now
                    self.save()
        self.save()

    def _one_step(self, batch: Any) -> dict[str, float]:
        done = self.progress
        factor = min(1.0, (done + 1e-3) / self.config.warmup)
        factor *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
        for optimizer, rates in zip(self.optimizers, self.base, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        self.model.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            loss, parts = self.loss(self.model, batch)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if torch.isfinite(norm):
            for optimizer in self.optimizers:
                optimizer.step()
        else:
            parts["skipped"] = 1.0
        self._average()
        self.step += 1
        return parts

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for mean, value in zip(
            self.ema.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)
