# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where networks run, and with which arithmetic."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from sc2_ros.errors import ParameterError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
AUTO = "auto"
CHOICES = (AUTO, *PRECISIONS)


def check_device(device: str, precision: str) -> None:
    """Raise ``ParameterError`` unless this machine has the device and it has the precision."""
    if precision not in CHOICES:
        raise ParameterError(f"precision {precision!r}; known: {', '.join(CHOICES)}")
    try:
        kind, number = torch.device(device).type, torch.device(device).index or 0
    except RuntimeError:
        kind, number = "", 0
    if kind not in ("cpu", "cuda"):
        raise ParameterError(f"device {device!r} is unknown; use cpu, cuda or cuda:N")
    if kind == "cuda" and number >= torch.cuda.device_count():
        raise ParameterError(
            f"device {device!r} is not there: this machine has {torch.cuda.device_count()} "
            "CUDA devices; use cpu"
        )
    if kind == "cpu" and precision == "fp16":
        raise ParameterError("precision fp16 needs a CUDA device; use fp32 or bf16 on a cpu")


def best_device() -> str:
    """The GPU, where this machine has one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def precision_of(device: str, precision: str) -> str:
    """What `auto` stands for on a device of this machine; any other precision is itself.

    bf16 where the hardware multiplies it, fp16 on GPUs that only have that, else fp32.
    """
    if precision != AUTO:
        return precision
    if torch.device(device).type == "cpu":
        return "bf16" if _cpu_multiplies_bf16() else "fp32"
    capability = torch.cuda.get_device_capability(device)
    return "bf16" if capability >= (8, 0) else "fp16" if capability >= (7, 0) else "fp32"


def _cpu_multiplies_bf16() -> bool:
    """Instructions for products of bf16; where they are emulated, fp32 is the quicker one."""
    # An older torch does not tell.
    told: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(told.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))  # bf16: on ARM


def autocast(device: str, precision: str) -> AbstractContextManager[object]:
    """The context in which a network runs at the precision given."""
    dtype = PRECISIONS[precision_of(device, precision)]
    if dtype is torch.float32:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=dtype)


def release_gpu() -> None:
    """Give memory that nothing uses any more back to the GPU's other users."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
