# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures of accuracy and bytes: AP, mIoU, BD-rate, baselines, rate sweeps."""

import warnings

# compressai compiles two functions with it when it is imported, which is nothing to tell a user.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
