# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Split networks of any kind: a bottleneck before a task network that lacks its first stages.

::

    image -> [encoder] -> latent -> [prior] -> bits -> [prior] -> latent -> [decoder] -> features
             drone                   link                                   ground       |
                                                            answers <- head <- stages <--+
"""
