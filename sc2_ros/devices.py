# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where networks run, and with which arithmetic."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from sc2_ros.errors import ParameterError

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def check_device(device: str, precision: str) -> None:
    """Raise ``ParameterError`` unless this machine has the device and it has the precision."""
    if precision not in PRECISIONS:
        raise ParameterError(f"precision {precision!r}; known: {', '.join(PRECISIONS)}")
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


def quick_precision(device: str) -> str:
    """bf16 for a CPU that multiplies it: half the time for the ground's network; else fp32."""
    if not device.startswith("cpu"):
        return "fp32"
    told: dict[str, bool] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # older torch does not tell
    return "bf16" if told.get("avx512_bf16") or told.get("amx_bf16") else "fp32"


def autocast(device: str, precision: str) -> AbstractContextManager[object]:
    """The context in which a network runs at the precision given."""
    dtype = PRECISIONS[precision]
    if dtype is None:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=dtype)


def release_gpu() -> None:
    """Give memory that nothing uses any more back to the GPU's other users."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
