# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured: our stream, split networks, image, video and feature codecs."""
