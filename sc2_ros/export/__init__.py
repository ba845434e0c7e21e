# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's networks as files for other runtimes; needs torch and onnx."""
