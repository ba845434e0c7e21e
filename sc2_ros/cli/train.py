# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train a network by one of the recipes.

sc2 train sc2_ros --config config/train/sc2_ros.yaml [--data DIR] [--resume] [--max-steps N]
sc2 train adapt --input flight.mcap [--init default] [--freeze-encoder] [--teacher FILE]
sc2 train --check --config mine.yaml      reads all images and labels first, draws some of them
torchrun --nproc-per-node 4 -m sc2_ros.cli.main train sc2_ros ...     the same on four GPUs
"""

import argparse
import dataclasses
import importlib.util
from pathlib import Path

from sc2_ros.errors import InputError, ParameterError
from sc2_ros.share import shared_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Recipe, configuration, and how to go on from an earlier run."""
    parser.add_argument("recipe", nargs="?", help="name of the recipe; --list shows them")
    parser.add_argument("--list", action="store_true", help="show the recipes and end")
    parser.add_argument(
        "--check",
        action="store_true",
        help="look the data sets of the configuration through and end: class counts, box sizes, "
        "unreadable files, and a sheet of images with their labels in OUT/check",
    )
    parser.add_argument("--config", help="YAML file (default: config/train/RECIPE.yaml)")
    parser.add_argument("--data", help="folder of the data sets ($SC2_DATA, ../shared/data)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument(
        "--init",
        metavar="FILE",
        help="start from another last.pt, a checkpoint or a teacher (a file, or default); "
        "sc2_ros: several with commas between, later ones over earlier ones",
    )
    parser.add_argument(
        "--input",
        metavar="FOOTAGE",
        help="adapt: images, a video or a bag without labels",
    )
    parser.add_argument(
        "--teacher",
        metavar="NETWORK",
        help="in place of the configuration's: a file of `sc2 train teacher`; sc2_ros and adapt: "
        "also a checkpoint; adapt: also torchvision:NAME or a .pt2 file (default: --init itself)",
    )
    parser.add_argument(
        "--freeze-encoder", action="store_true", help="adapt: drones in the air need no update"
    )
    parser.add_argument("--max-steps", type=int, help="end after so many steps")
    parser.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")


def main(args: argparse.Namespace) -> int:
    """Run the recipe."""
    import torch

    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("training logs to TensorBoard; install it: pip install 'sc2_ros[train]'")
    from sc2_ros.network.devices import check_device
    from sc2_ros.training import distributed
    from sc2_ros.training.config import RunOptions, read
    from sc2_ros.training.recipes import check_options, recipe, recipes

    if args.list:
        for name, what in recipes().items():
            print(f"{name:20} {what}")
        return 0
    if args.check:
        from sc2_ros.cli.api.data_check import check_data

        if not args.config and not args.recipe:
            raise ParameterError(
                "which data? give a configuration: sc2 train --check --config FILE"
            )
        config = read(args.config or default_config(args.recipe), args.data)
        return check_data(config)
    if not args.recipe:
        raise ParameterError(f"which recipe? one of {', '.join(recipes())}")
    run = recipe(args.recipe)
    config = read(args.config or default_config(args.recipe), args.data, args.max_steps)
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    check_device(device, "fp32")
    options = RunOptions(
        device=device,
        resume=args.resume,
        init=args.init,
        input=args.input,
        teacher=args.teacher,
        freeze_encoder=args.freeze_encoder,
    )
    check_options(args.recipe, options, config, args.max_steps)
    try:
        # Before anything is put on a device: under torchrun each process has a GPU of its own.
        device = str(distributed.join(device))
        run(config, dataclasses.replace(options, device=device))
    finally:
        distributed.leave()
    return 0


def default_config(recipe: str) -> Path:
    """The recipe's configuration below this folder, else the one that ships."""
    folders = [Path("config"), *shared_folders("config")]
    files = [folder / "train" / f"{recipe}.yaml" for folder in folders]
    return next((file for file in files if file.is_file()), files[0])
