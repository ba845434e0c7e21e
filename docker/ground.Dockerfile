# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# The ground station on ROS 2 Jazzy:
#   docker build -f docker/ground.Dockerfile -t sc2-ground .
#   docker run --rm --network host --ipc host sc2-ground ground.launch.py namespace:=drone1
# With an NVIDIA GPU: --build-arg TORCH=https://download.pytorch.org/whl/cu128, then run with
# `--gpus all` and a parameter file that has `device: cuda`.
FROM ros:jazzy-ros-base

ARG TORCH=https://download.pytorch.org/whl/cpu

# Ubuntu keeps one version of a package: a pin would break the build.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ python3-dev python3-venv \
      ros-jazzy-rmw-cyclonedds-cpp ros-jazzy-vision-msgs \
    && rm -rf /var/lib/apt/lists/*

# PEP 668: a virtual environment that sees rclpy. colcon runs in it, so that the nodes' first line
# names its Python.
RUN python3 -m venv --system-site-packages /opt/venv && touch /opt/venv/COLCON_IGNORE
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /ws
COPY constraints.txt setup.cfg /tmp/sc2_ros/
RUN pip install --no-cache-dir --extra-index-url "$TORCH" -c /tmp/sc2_ros/constraints.txt \
      torch torchvision compressai numpy opencv-python-headless onnxruntime rosbags lz4 backports.zstd cryptography cyclonedds av pyyaml \
      safetensors rich matplotlib psutil pillow pycocotools bjontegaard scipy threadpoolctl \
      colcon-common-extensions
COPY . src/sc2_ros
RUN . /opt/ros/jazzy/setup.sh && python -m colcon build --packages-select sc2_ros \
    && rm -rf build log

ENV RMW_IMPLEMENTATION=rmw_cyclonedds_cpp
ENTRYPOINT ["/bin/bash", "-c", ". /opt/ros/jazzy/setup.sh && . /ws/install/setup.sh && exec ros2 launch sc2_ros \"$@\"", "--"]
CMD ["ground.launch.py"]
