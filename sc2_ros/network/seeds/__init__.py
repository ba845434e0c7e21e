# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Split networks of the papers that sc2_ros stands on; one file per paper, parts they share beside.

::

    image -> [encoder] -> latent -> [prior] -> bits -> [prior] -> latent -> [decoder] -> features
             drone                   link                                   ground       |
                                                            answers <- head <- stages <--+
"""
