# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The trainer: schedule, mixed precision, weight averaging, many processes, resumable files.

::

    batch n = f(seed, n, rank) --> loss --> gradients, averaged over processes --> AdamW + Muon
                                                                                    |
    last.pt  every save_every_s  <-- weights, averaged weights, optimisers, step <--+
    best.pt  the best averaged weights so far, where there is a validation
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter

from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.files import replacing
from sc2_ros.network.devices import CHOICES, PRECISIONS, precision_of
from sc2_ros.training import distributed
from sc2_ros.training.interrupts import delayed
from sc2_ros.training.optimizers import make_optimizers
from sc2_ros.training.progress import Reporter

LossFunction = Callable[[nn.Module, Any], tuple[Tensor, dict[str, float]]]
Validation = Callable[[nn.Module], dict[str, float]]

LAST, BEFORE = "last.pt", "last.old.pt"
DAMAGED = (
    *(OSError, EOFError, UnpicklingError, ImportError),
    *(RuntimeError, LookupError, TypeError, ValueError, AttributeError),
)
"""What torch raises for a file that it cannot read, or whose content is not what was expected."""


@dataclass(frozen=True)
class TrainerConfig:
    """How long and how fast; the schedule ends at max_steps or max_minutes, whichever is first.

    precision: bf16, fp16 (with loss scaling), fp32, or auto, which is bf16 where the device
    multiplies it, fp16 on older GPUs, else fp32. warmup: share of the schedule in which the rates
    rise, 0 for none. validate_every: share of the schedule between two validations, 0 for none.
    """

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
    precision: str = "auto"
    validate_every: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError naming the value that nothing can be trained with."""
        share, finite, above = "0 to 1", "0 or more, but not infinite", "more than 0"
        checks = {
            "max_steps": (self.max_steps >= 1, "1 step or more"),
            "max_minutes": (self.max_minutes > 0, above),
            "lr": (0 <= self.lr < math.inf, finite),
            "muon_lr": (0 <= self.muon_lr < math.inf, finite),
            "weight_decay": (0 <= self.weight_decay < math.inf, finite),
            "warmup": (0 <= self.warmup <= 1, share),
            "ema": (0 <= self.ema <= 1, share),
            "clip": (self.clip > 0, above),
            "save_every_s": (self.save_every_s >= 0, "0 or more"),
            "seed": (self.seed >= 0, "0 or more"),
            "validate_every": (0 <= self.validate_every <= 1, share),
        }
        for name, (good, wanted) in checks.items():
            if not good:
                raise ParameterError(f"{name} is {getattr(self, name)}; give {wanted}")


class _WithLoss(nn.Module):
    """Model and loss as one module, which is what DistributedDataParallel wants to call."""

    def __init__(self, model: nn.Module, loss: LossFunction) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, batch: Any) -> tuple[Tensor, dict[str, float]]:
        return self.loss(self.model, batch)


class Trainer:
    """Runs one model over endless batches and keeps `last.pt` in its folder.

    Progress counts steps and minutes over all sessions, so a resumed run goes on where the
    schedule stood. All randomness of step n comes from (seed, n, rank), so with the same batches
    a resumed run ends in the same weights as an unbroken one.

    Under torchrun every process trains on batches of its own; gradients are averaged, so a step
    is that of the batches together. Process 0 alone writes, logs and validates. Batch norms see
    their own process's batch on CPUs and the batches of all on GPUs.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: LossFunction,
        config: TrainerConfig,
        folder: Path,
        device: str = "cpu",
        validate: Validation | None = None,
    ) -> None:
        """Put the model on its device and make the optimisers of what requires a gradient.

        Args:
            model: what is trained; frozen parts have requires_grad False already.
            loss: (model, batch) -> loss and its parts for the log.
            config: schedule and rates.
            folder: for last.pt, best.pt and the TensorBoard log.
            device: cpu or cuda.
            validate: averaged model -> figures, `score` among them (higher is better).

        Raises:
            ParameterError: the configuration asks for validations, and there is no `validate`; or
                precision or optimizer is unknown.
        """
        if config.validate_every > 0 and validate is None:
            raise ParameterError(
                f"trainer: validate_every is {config.validate_every:g}, but this recipe does not "
                "validate and keeps the weights of the end; leave it out"
            )
        self.device = distributed.join(device)
        self.model: nn.Module = model.to(self.device).to(memory_format=torch.channels_last)
        self.loss, self.config, self.folder = loss, config, folder
        self.validate = validate
        if distributed.world() > 1 and self.device.type == "cuda":
            sync: Any = nn.SyncBatchNorm
            self.model = sync.convert_sync_batchnorm(self.model)
        self._whole: nn.Module = _WithLoss(self.model, loss)
        if distributed.world() > 1:
            # A part may have nothing to learn in a batch, such as masks where none has any.
            self._whole = DistributedDataParallel(self._whole, find_unused_parameters=True)
        self.ema: nn.Module = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.step, self.minutes = 0, 0.0
        self.best = {"score": -math.inf, "step": 0.0}
        self._validated = 0.0
        self._resumed = False
        self.optimizers = make_optimizers(
            self.model,
            config.optimizer,
            lr=config.lr,
            muon_lr=config.muon_lr,
            weight_decay=config.weight_decay,
        )
        self.base = [[g["lr"] for g in o.param_groups] for o in self.optimizers]
        self.dtype = _dtype(config.precision, self.device)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

    @property
    def progress(self) -> float:
        """Share of the schedule that is done, in [0, 1]."""
        share = max(self.step / self.config.max_steps, self.minutes / self.config.max_minutes)
        return min(share, 1.0)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return distributed.is_main()

    def save(self, name: str = LAST) -> None:
        """Write the state so that a kill at any moment leaves a whole file.

        Raises:
            CheckpointError: it cannot be written; the one before is there as it was.
        """
        if not self.is_main:
            return
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "scaler": self._scaler.state_dict(),
            "step": self.step,
            "minutes": self.minutes,
            "best": self.best,
            "validated": self._validated,
            "config": asdict(self.config),
            "rng": torch.get_rng_state(),
        }
        path = self.folder / name
        for left in self.folder.glob(f"{name}.*.part"):  # by a process that was killed
            left.unlink(missing_ok=True)
        try:
            with replacing(path) as unfinished:
                torch.save(state, unfinished)
        except (OSError, RuntimeError) as error:  # of the latter kind is PyTorch's full disk
            told = str(error).partition("\n")[0]
            raise CheckpointError(f"{path} cannot be written: {told}") from error

    def resume(self) -> None:
        """Go on from last.pt. Raises CheckpointError where there is none that fits."""
        with self._reading(LAST) as state:
            self.model.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            if state.get("scaler"):
                self._scaler.load_state_dict(state["scaler"])
            self.step, self.minutes = state["step"], state["minutes"]
            self.best = state.get("best", self.best)
            # Older files do not say when the last validation was.
            self._validated = state.get("validated", self.progress)
        self._resumed = True

    def best_model(self) -> nn.Module:
        """The averaged model of best.pt where this training has validated, else of now."""
        if math.isinf(self.best["score"]):
            return self.ema
        best: nn.Module = copy.deepcopy(self.ema)
        with self._reading("best.pt") as state:
            best.load_state_dict(state["ema"])
        return best

    def run(self, batches: Iterator[Any]) -> None:
        """Train until the schedule ends; save now and then, at the end, and on Ctrl-C."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._resumed:
            set_aside(self.folder)
        try:
            self._train(batches)
        except KeyboardInterrupt:
            if self.is_main:
                with delayed():
                    self.save()
                    print(f"stopped at step {self.step}; the same command with --resume goes on")
            raise
        self.save()

    def _train(self, batches: Iterator[Any]) -> None:
        writer: AbstractContextManager[Any] = nullcontext()
        if self.is_main:
            writer = SummaryWriter(str(self.folder))
        with writer as log, Reporter() as reporter:
            saved = last = time.monotonic()
            means: dict[str, float] = {}
            while self.progress < 1.0:
                batch = next(batches)
                with delayed():  # what is saved was not left in the middle of a step
                    parts = self._one_step(batch)
                for name, value in parts.items():
                    means[name] = 0.98 * means.get(name, value) + 0.02 * value
                now = time.monotonic()
                self.minutes += (now - last) / 60
                last = now
                if math.isfinite(self.config.max_minutes):  # all must end at the same step
                    self.minutes = distributed.from_main(self.minutes, self.device)
                self._validate(log)
                if not self.is_main:
                    continue
                if reporter.due() or self.progress >= 1.0:
                    reporter.show(self.step, self.progress, self.minutes, means)
                    for name, value in means.items():
                        log.add_scalar(name, value, self.step)
                if now - saved > self.config.save_every_s:
                    saved = now
                    self.save()

    def _one_step(self, batch: Any) -> dict[str, float]:
        done = self.progress
        warmup = self.config.warmup
        factor = min(1.0, (done + 1e-3) / warmup) if warmup > 0 else 1.0
        factor *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
        for optimizer, rates in zip(self.optimizers, self.base, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        # Hashed, since torch's generator for CPUs looks at the lower 32 bits of a seed only.
        source = np.random.SeedSequence((self.config.seed, self.step, distributed.rank()))
        torch.manual_seed(int(source.generate_state(1)[0]))
        self.model.train()
        if hasattr(batch, "to"):
            batch = batch.to(self.device)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            loss, parts = self._whole(batch)
            parts = dict[str, float](parts)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        for optimizer in self.optimizers:
            self._scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if torch.isfinite(norm):
            for optimizer in self.optimizers:
                self._scaler.step(optimizer)
        else:
            parts["skipped"] = 1.0
        self._scaler.update()
        self._average()
        self.step += 1
        return parts

    def _validate(self, log: Any) -> None:
        """Where it is due: score the averaged model and keep it if it is the best so far."""
        every = self.config.validate_every
        due = self.progress - self._validated >= every or self.progress >= 1.0
        if self.validate is None or every <= 0 or not due:
            return
        self._validated = self.progress
        score = 0.0
        if self.is_main:
            figures = self.validate(self.ema)
            score = figures["score"]
            for name, value in figures.items():
                log.add_scalar(f"validation/{name}", value, self.step)
            if score > self.best["score"]:
                self.best = {"score": score, "step": float(self.step)}
                self.save("best.pt")
        distributed.from_main(score, self.device)  # the others wait

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

    @contextmanager
    def _reading(self, name: str) -> Iterator[dict[str, Any]]:
        """The state in a file; whoever finds it to be another one's raises CheckpointError."""
        path = self.folder / name
        if not path.is_file():
            raise CheckpointError(f"nothing to resume: no {path}; start without --resume")
        try:
            yield torch.load(path, map_location=self.device, weights_only=True)
        except DAMAGED as error:
            raise CheckpointError(
                f"{path} is damaged or of another recipe or shape; start without --resume"
            ) from error


def set_aside(folder: Path) -> None:
    """Rename the last.pt of an earlier run, so that --resume does not take it for the new run's."""
    if distributed.is_main() and (folder / LAST).is_file():
        (folder / LAST).replace(folder / BEFORE)
        print(f"{folder / LAST} of an earlier run is now {BEFORE}")


def _dtype(precision: str, device: torch.device) -> torch.dtype:
    """The arithmetic of convolutions. Raises ParameterError for an unknown name."""
    if precision not in CHOICES:
        raise ParameterError(f"precision '{precision}' is unknown; use {', '.join(CHOICES)}")
    return PRECISIONS[precision_of(str(device), precision)]
