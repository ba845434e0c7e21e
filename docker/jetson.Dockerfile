# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# The drone's side on a Jetson with JetPack 6 (Ubuntu 22.04, ROS 2 Humble); build it on the Jetson:
#   docker build -f docker/jetson.Dockerfile -t sc2-onboard .
#   docker run --rm --network host --ipc host --runtime nvidia sc2-onboard \
#     onboard.launch.py namespace:=drone1 image:=/camera/image_raw
FROM nvcr.io/nvidia/l4t-jetpack:r36.4.0

# Where the wheels of torch are made for JetPack 6 and its CUDA 12.6.
ARG TORCH=https://pypi.jetson-ai-lab.io/jp6/cu126
ENV DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8

# Ubuntu keeps one version of a package: a pin would break the build.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates curl g++ python3-dev python3-venv \
    && curl -fsSL https://raw.githubusercontent.com/ros/rosdistro/master/ros.key \
      -o /usr/share/keyrings/ros-archive-keyring.gpg \
    && echo "deb [signed-by=/usr/share/keyrings/ros-archive-keyring.gpg] http://packages.ros.org/ros2/ubuntu jammy main" \
      > /etc/apt/sources.list.d/ros2.list \
    && apt-get update && apt-get install -y --no-install-recommends \
      ros-humble-ros-base ros-humble-rmw-cyclonedds-cpp ros-humble-vision-msgs \
      ros-humble-diagnostic-msgs \
    && rm -rf /var/lib/apt/lists/*

RUN python3 -m venv --system-site-packages /opt/venv && touch /opt/venv/COLCON_IGNORE
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /ws
# The pins of constraints.txt are not for NVIDIA's torch; compressai gives only its rANS coder.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --index-url "$TORCH" torch torchvision \
    && pip install --no-cache-dir "numpy<2" opencv-python-headless onnxruntime rosbags lz4 backports.zstd cryptography cyclonedds av pyyaml \
      safetensors rich matplotlib psutil pillow pycocotools bjontegaard scipy threadpoolctl \
      colcon-common-extensions \
    && pip install --no-cache-dir --no-deps compressai
COPY . src/sc2_ros
RUN . /opt/ros/humble/setup.sh && python -m colcon build --packages-select sc2_ros \
    && rm -rf build log

# The encoder is small: two cores are enough for it.
ENV RMW_IMPLEMENTATION=rmw_cyclonedds_cpp OMP_NUM_THREADS=2
ENTRYPOINT ["/bin/bash", "-c", ". /opt/ros/humble/setup.sh && . /ws/install/setup.sh && exec ros2 launch sc2_ros \"$@\"", "--"]
CMD ["onboard.launch.py"]
