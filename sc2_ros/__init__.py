# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sc2_ros: a drone that sees through a link which cannot carry video."""

import warnings

__version__ = "0.1.0"

# compressai compiles two functions with it when it is imported, which is nothing to tell a user.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
