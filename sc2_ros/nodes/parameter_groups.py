# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows that several nodes have, or that belong together: checkpoint, radio, thermal cameras."""

from __future__ import annotations

from collections.abc import Mapping

from sc2_ros.media.thermal import MODES
from sc2_ros.nodes.parameter_checks import check_addresses
from sc2_ros.nodes.parameter_row import Row, Value

PRECISIONS = ("auto", "fp32", "bf16", "fp16")  # devices.CHOICES, without torch
AUTO = "auto is bf16 where the device multiplies it, fp16 on older GPUs, else fp32."

MODEL = (
    Row(
        "autostart",
        True,
        "Configure and activate the node when it starts, and again after a fault; false waits for "
        "`ros2 lifecycle set`.",
        fixed="it is looked at when the node starts",
    ),
    Row(
        "model",
        "default",
        "Checkpoint: the name of one that ships with the package, or a file. Both ends of a link "
        "need the same one. A new one is loaded while the stream goes on with the old one, which "
        "stays where the new one cannot be loaded.",
    ),
    Row(
        "cpu_threads",
        0,
        "Threads in which the libraries of the process compute (BLAS, PyTorch, OpenCV, ONNX "
        "Runtime). 0: OMP_NUM_THREADS where it is set, else one for each core.",
        0,
        256,
        fixed="the libraries have made their threads when the node starts",
    ),
)

TRANSPORTS = ("topic", "udp", "both")
ADDRESSES = ("air.remote", "air.standby")
"""Parameters that a topic has no use for; a ground node has the first only."""
AIR_FIXED = "the socket is opened when the node is activated; restart the node to change it"


def unused_addresses(values: Mapping[str, Value]) -> str | None:
    """What to say where addresses are given and nothing is sent to any; None if all is well."""
    given = [name for name in ADDRESSES if values.get(name)]
    if values["transport"] != "topic" or not given:
        return None
    return f"{', '.join(given)} is of no use to transport topic; set transport:=udp to send there"


def air(local: str, remote: str) -> tuple[Row, ...]:
    """The radio of a node: its default address, and what air.remote is to it."""
    return (
        Row(
            "transport",
            "topic",
            "How packets and reports cross the radio: topic uses `features` and `feedback`, over "
            "DDS or Zenoh; udp a socket of the node's own, so that nothing else is on the radio; "
            "both is udp, with the topics published locally for recording.",
            choices=TRANSPORTS,
            fixed=AIR_FIXED,
        ),
        Row(
            "air.local",
            local,
            "Address and port of the socket, as 0.0.0.0:5600 or [::]:5600; port "
            "0 takes any. A ground node of several drones has one for each, in their order.",
            check=check_addresses,
            fixed=AIR_FIXED,
        ),
        Row("air.remote", "", remote, check=check_addresses, fixed=AIR_FIXED),
        Row(
            "air.key_file",
            "",
            "File with the key that both sides have, as `sc2 key new` makes it: "
            "everything is encrypted and authenticated, with udp and on the topics. Empty believes "
            "who can send to the port or publish on the topic.",
            fixed=AIR_FIXED,
        ),
        Row(
            "air.cipher",
            "aes-ccm-8",
            "aes-ccm-8 adds 14 bytes to a packet, aes-gcm and "
            "chacha20-poly1305 22; the same on both sides.",
            choices=("aes-ccm-8", "aes-gcm", "chacha20-poly1305"),
            fixed=AIR_FIXED,
        ),
        Row(
            "air.fixed",
            False,
            "Answer to air.remote, wherever datagrams come from: for tunnels with "
            "a port for each direction, such as wfb-ng's.",
            fixed=AIR_FIXED,
        ),
        Row(
            "air.interface",
            "",
            "Network interface to which the socket is bound; empty for any.",
            fixed=AIR_FIXED,
        ),
        Row(
            "air.dscp",
            0,
            "Differentiated services code point of what is sent: 46 is expedited "
            "forwarding, 34 what Wi-Fi takes for video.",
            0,
            63,
            fixed=AIR_FIXED,
        ),
    )


THERMAL = (
    Row(
        "thermal.mode",
        "plateau",
        "How images of more than 8 bits (mono16, 16UC1, 32FC1 and so on) become grey: plateau is "
        "the gain control of thermal cores, which keeps the contrast of what fills the picture "
        "whatever is hot or cold beside it, and holds it from frame to frame; linear stretches the "
        "0.5th to 99.5th percentile; fixed takes thermal.low to thermal.high.",
        choices=MODES,
    ),
    Row(
        "thermal.low",
        0.0,
        "Count (of float images: value) that becomes black in fixed mode.",
        -1e9,
        1e9,
    ),
    Row(
        "thermal.high",
        16383.0,
        "Count (of float images: value) that becomes white in fixed mode.",
        -1e9,
        1e9,
    ),
    Row(
        "thermal.min_span",
        64,
        "Counts over which the grey levels are spread at least, so that a blank wall is not all "
        "noise; of float images thousandths of a unit.",
        1,
        65536,
    ),
    Row(
        "thermal.time_constant_s",
        2.0,
        "Seconds in which the gain follows a scene that drifts; it jumps on a cut and rests while "
        "it is about right. 0 gives every frame a gain of its own, and larger frames.",
        0.0,
        600.0,
    ),
)
