# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Prints the parameter table as Markdown, as YAML and as a JSON schema.

`python -m sc2_ros.nodes.parameter_docs` rewrites docs/parameters.md, config/*.yaml and
config/parameters.schema.json in the current folder; a test compares them.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from sc2_ros.nodes import parameter_schema
from sc2_ros.nodes.parameters import TABLES, Row, Value

YAML_FILES = {
    "onboard.yaml": ("onboard_node", "camera_node"),
    "ground.yaml": ("ground_node", "link_emulator_node"),
}
"""Which nodes each file in config/ sets."""

_NOTICE = "# Copyright 2026 The sc2_ros authors\n# SPDX-License-Identifier: Apache-2.0\n"

_HEAD = """# Parameters

Made from `sc2_ros/nodes/parameters.py` by `python -m sc2_ros.nodes.parameter_docs`; a test keeps
the two in step. Live parameters change at once with `ros2 param set`, and a set of them is applied
together or not at all; the others say why they wait for a restart. `config/parameters.schema.json`
is the same table for editors and for `check-jsonschema --schemafile`. Every node also takes
`use_sim_time` and the `qos_overrides.<topic>.<publisher|subscription>.<policy>` of its topics.
"""

_TOPICS = """
## What a result says about its frame

`~/frame_info` of the ground node (`/ground_node/frame_info`, diagnostic_msgs/DiagnosticArray) has
one message per decoded frame, with stamp and frame_id of the camera's image. Its one status is OK
for a complete frame and WARN where packets are missing; `hardware_id` is `stream N`; its values are

| key | value |
|---|---|
| `stream`, `frame` | number of the stream and, counting to 65535 and on from 0, of the frame |
| `rate_index` | rate index of the frame, 0 to 1 |
| `size_bytes` | bytes of the packets that came, headers included |
| `packets_expected`, `packets_received` | packets of the frame |
| `packets_repaired` | of those that did not come, how many repair packets made up for |
| `share_received` | share of the picture whose features came, 0 to 1 |
| `share_repaired` | share of it that repair packets made up for, 0 to 1 |
| `share_concealed` | share of it that was taken from an earlier frame, 0 to 1 |
| `first_packet_at_ms`, `last_packet_at_ms` | when its packets came, ms after the camera's stamp |
| `decoded_at_ms` | when it was decoded, or given up waiting for what was missing |
| `network_at_ms`, `seen_at_ms` | when the ground network began and ended |

`~/frame_info` of the onboard node says the same of every frame that has left the drone: `stream`,
`frame`, `rate_index`, `size_bytes`, `packets`, and `received_at_ms`, `encoding_at_ms`,
`coded_at_ms`, `first_sent_at_ms` and `last_sent_at_ms`: when the image came, when work on it began
and ended, and when its packets left. The times of two computers compare as far as their clocks
agree. `/diagnostics` has the median and the 95th percentile of each stage over the last 150 frames:
`camera`, `wait`, `encode` and `pace` of the encoder, `decode`, `wait`, `network` and `age` (capture
to result) of the decoder.

The link emulator publishes `~/capacity_bps`, `~/queue_bytes` and `~/loss` (std_msgs/Float64) ten
times a second: the imitated link's rate in bit/s, the bytes that wait in its queue, and the share
of the last second's packets that it lost.
"""


def markdown() -> str:
    """The text of docs/parameters.md."""
    parts = [_HEAD]
    for node, rows in TABLES.items():
        parts.append(f"\n## {node}\n\n| parameter | default | values | live | meaning |\n")
        parts.append("|---|---|---|---|---|\n")
        parts += [_markdown_row(row) for row in rows]
    return "".join(parts) + _TOPICS


def _markdown_row(row: Row) -> str:
    values = row.description_of_values().replace("|", "\\|")
    live = f"no: {row.fixed}" if row.fixed else "yes"
    default = f"`{_yaml_value(row.default)}`"
    return f"| `{row.name}` | {default} | {values} | {live} | {row.description} |\n"


def yaml(nodes: tuple[str, ...]) -> str:
    """A ROS parameter file with every parameter of these nodes at its default.

    The names are `/**/node`: the file fits whatever namespace the node is started in.
    """
    parts = [_NOTICE, f"# yaml-language-server: $schema={parameter_schema.FILE}\n"]
    for node in nodes:
        parts.append(f"\n/**/{node}:\n  ros__parameters:\n")
        parts += [_yaml_row(row) for row in TABLES[node]]
    return "".join(parts)


def _yaml_row(row: Row) -> str:
    note = f"{row.description} ({row.description_of_values()})"
    if row.fixed:
        note += " Read-only while the node runs."
    comment = textwrap.indent(textwrap.fill(note, 92), "    # ")
    return f"{comment}\n    {row.name}: {_yaml_value(row.default)}\n"


def _yaml_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def write(root: Path) -> None:
    """Write docs/parameters.md, config/*.yaml and the JSON schema below a folder."""
    (root / "docs" / "parameters.md").write_text(markdown(), encoding="utf-8")
    (root / "config" / parameter_schema.FILE).write_text(parameter_schema.text(), encoding="utf-8")
    for name, nodes in YAML_FILES.items():
        (root / "config" / name).write_text(yaml(nodes), encoding="utf-8")


if __name__ == "__main__":
    write(Path.cwd())
