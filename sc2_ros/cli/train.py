# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train a network by one of the recipes.

sc2 train sc2_ros --config config/train/sc2_ros.yaml [--data DIR] [--resume] [--max-steps N]
torchrun --nproc-per-node 4 -m sc2_ros.cli.main train sc2_ros ...     the same on four GPUs
"""

import argparse
import importlib.util

from sc2_ros.errors import InputError, ParameterError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Recipe, configuration, and how to go on from an earlier run."""
    parser.add_argument("recipe", nargs="?", help="name of the recipe; --list shows them")
    parser.add_argument("--list", action="store_true", help="show the recipes and end")
    parser.add_argument("--config", help="YAML file (default: config/train/RECIPE.yaml)")
    parser.add_argument("--data", help="folder of the data sets ($SC2_DATA, ../shared/data)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument(
        "--init", help="start from another last.pt; for segmentation_head a checkpoint"
    )
    parser.add_argument("--max-steps", type=int, help="end after so many steps")
    parser.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")


def main(args: argparse.Namespace) -> int:
    """Run the recipe."""
    import torch

    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("training logs to TensorBoard; install it: pip install 'sc2_ros[train]'")
    from sc2_ros.training import distributed
    from sc2_ros.training.config import read
    from sc2_ros.training.recipes import RECIPES, RunOptions, recipe

    if args.list:
        for name, what in RECIPES.items():
            print(f"{name:20} {what}")
        return 0
    if not args.recipe:
        raise ParameterError(f"which recipe? one of {', '.join(RECIPES)}")
    run = recipe(args.recipe)
    config = read(args.config or f"config/train/{args.recipe}.yaml", args.data, args.max_steps)
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        run(config, RunOptions(device=device, resume=args.resume, init=args.init))
    finally:
        distributed.leave()
    return 0
