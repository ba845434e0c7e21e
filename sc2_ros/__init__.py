# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sc2_ros: a drone that sees through a link which cannot carry video."""

import os
import warnings

__version__ = "0.1.0"

# compressai compiles two functions with it when it is imported, which is nothing to tell a user.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)

# ONNX Runtime 1.32 reports every session to mobile.events.data.microsoft.com, also from Linux: over
# the drone's radio. It reads this when it is imported; `disable_telemetry_events()` comes too late.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
