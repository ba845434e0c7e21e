# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Opens the graphs that `sc2 export` writes with ONNX Runtime, on the device that is asked for."""

from __future__ import annotations

from typing import Any

import onnxruntime

from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.threads import thread_count

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_MISSING = {
    "cuda": "pip install onnxruntime-gpu in place of onnxruntime",
    "tensorrt": "install TensorRT, and onnxruntime-gpu in place of onnxruntime",
}


def is_there(kind: str) -> bool:
    """Whether this installation of ONNX Runtime has a provider of PROVIDERS."""
    return PROVIDERS[kind] in onnxruntime.get_available_providers()


def check_there(device: str) -> None:
    """ParameterError if this installation does not have "cpu", "cuda", "cuda:N" or "tensorrt"."""
    if not is_there(device.partition(":")[0]):
        raise _missing(device)


def open_session(
    model: bytes,
    device: str,
    *,
    part: str,
    inputs: set[str],
    outputs: set[str],
    providers: list[Any] | None = None,
    threads: int = 0,
    settings: dict[str, str] | None = None,
) -> onnxruntime.InferenceSession:
    """Load a graph and see that it is what it should be, where it should be.

    Args:
        model: the ONNX file.
        device: "cpu", "cuda", "cuda:N", "tensorrt", or "auto": any of `providers`.
        part: what it is, for messages.
        inputs: names of all of its inputs.
        outputs: names of outputs that it must have.
        providers: ONNX Runtime's names, with options, in the order to be tried; None: those of the
            device and of the CPU.
        threads: on the CPU; 0: what threads.py says.
        settings: further entries of the session's configuration.

    Raises:
        ParameterError: this machine or this installation does not have the device.
        CheckpointError: ONNX Runtime cannot read the graph, or it is another one.
    """
    kind = device.partition(":")[0]
    if providers is None:
        providers = list(dict.fromkeys([PROVIDERS[kind], PROVIDERS["cpu"]]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or thread_count()
    options.log_severity_level = 3
    for key, value in (settings or {}).items():
        options.add_session_config_entry(key, value)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # its errors have no common base
        raise CheckpointError(
            f"ONNX Runtime cannot load the exported {part} ({str(error).splitlines()[0]}); "
            "export it again: sc2 export CHECKPOINT --out DIR"
        ) from error
    # Where a library of the provider is missing, ONNX Runtime quietly takes the next one.
    if kind != "auto" and session.get_providers()[0] != PROVIDERS[kind]:
        raise _missing(device)
    takes = {given.name for given in session.get_inputs()}
    makes = {output.name for output in session.get_outputs()}
    if takes != inputs or not makes >= outputs:
        raise CheckpointError(
            f"the exported {part} makes {', '.join(sorted(makes))} of {', '.join(sorted(takes))}, "
            f"not {', '.join(sorted(outputs))} of {', '.join(sorted(inputs))}; export it again: "
            "sc2 export CHECKPOINT --out DIR"
        )
    return session


def _missing(device: str) -> ParameterError:
    kind = device.partition(":")[0]
    return ParameterError(
        f"device {device!r} is not there: ONNX Runtime {onnxruntime.__version__} finds no library "
        f"for it; {_MISSING.get(kind, 'reinstall onnxruntime')}, or use cpu"
    )
