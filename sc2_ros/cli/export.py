# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a checkpoint's networks as ONNX files, and how close they come to the originals.

The checkpoint is written, too, with the exported encoder in it: a drone needs that one file.

sc2 export default --out out/export
sc2 export default --out out/int8 --precision int8 --input flight.mp4
"""

import argparse
import json
from itertools import islice
from pathlib import Path

from rich.console import Console

from sc2_ros.cli.api.checks import check_positive
from sc2_ros.cli.api.options import frame_size
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.files import write_whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="name or file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        default="fp32",
        help="of the weights; int8: of the encoder, the ground network stays fp32 (default: fp32)",
    )
    parser.add_argument(
        "--input",
        default="synthetic",
        metavar="SPEC",
        help="video, folder or bag with pictures to compare on, and for int8 to calibrate on "
        "(default: synthetic)",
    )
    parser.add_argument(
        "--frames", type=int, default=40, help="pictures to take, evenly (default: 40)"
    )
    parser.add_argument("--every", type=int, default=10, help="take every Nth (default: 10)")
    parser.add_argument("--size", metavar="WxH", help="scale the pictures, such as 640x512")


def main(args: argparse.Namespace) -> int:
    """Export, compare, write, print."""
    check_positive(args, "frames", "every")
    size = frame_size(args.size)
    from sc2_ros import checkpoint as checkpoints
    from sc2_ros.export.finished import describe
    from sc2_ros.export.onnx_files import export_encoder, export_ground
    from sc2_ros.export.parity import compare_encoder, compare_ground, print_parity
    from sc2_ros.export.quantise import quantise
    from sc2_ros.media.source import open_source

    console = Console(markup=False)  # a file name may hold brackets
    model = checkpoints.load(args.checkpoint)
    assert model.path is not None
    target = args.out / model.path.name
    if target.exists() and target.samefile(model.path):
        raise ParameterError(
            f"--out {args.out} is the checkpoint's own folder, where {target.name} would be "
            "replaced; give another --out"
        )
    with open_source(args.input, size=size) as source:
        frames = islice(source, 0, args.frames * args.every, args.every)
        pictures = [frame.image for frame in frames]
    if not pictures:
        raise InputError(f"{args.input} has no pictures")
    metadata = describe(model)
    floats = "fp16" if args.precision == "fp16" else "fp32"
    encoder = export_encoder(model.encoder, model.saliency, metadata, floats)
    if args.precision == "int8":
        encoder = quantise(encoder, pictures)
    ground = export_ground(model.ground, model.tables.channels, metadata, floats)
    report = {
        "checkpoint": f"{model.id:08x}",
        "precision": args.precision,
        "pictures": len(pictures),
        "input": args.input,
        "encoder": compare_encoder(model, encoder, pictures),
        "ground": compare_ground(model, ground, pictures),
    }
    write_whole(args.out / "encoder.onnx", encoder)
    write_whole(args.out / "ground.onnx", ground)
    write_whole(args.out / "parity.json", (json.dumps(report, indent=2) + "\n").encode())
    checkpoints.write_exported(model.path, encoder, target)
    print_parity(console, report)
    console.print(
        f"written to {args.out}: encoder.onnx, ground.onnx, parity.json, and {model.path.name}, "
        "which carries its exported encoder",
        highlight=False,
    )
    return 0
