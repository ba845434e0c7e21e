# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a node as a process and says how it ended, in one line where it did not end well.

Exit code 0 after SIGINT or SIGTERM, 2 after what a user can mend, 1 after a fault of the program.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sc2_ros.errors import Sc2Error, not_installed
from sc2_ros.runtime.ros import (
    MISUSE,
    ExternalShutdownException,
    MiddlewareError,
    Node,
    SingleThreadedExecutor,
    rclpy,
)

SWITCH_S = 0.0005
"""How long a thread may compute in Python while another waits: the threads that note and send
packets wait for the one that encodes or decodes, which the rate control would take for a queue."""


def run(
    create: Callable[[], Node], args: list[str] | None = None, *others: Callable[[], Node]
) -> int:
    """Make nodes, spin them until they are told to stop, and clean up; then signals are ignored.

    Args:
        create: the node's class.
        args: command line with `--ros-args`; None takes the process's own.
        others: of further nodes in this process.

    Returns:
        The exit code.
    """
    nodes: list[Node] = []
    sys.setswitchinterval(SWITCH_S)
    # Imports and networks are hundreds of thousands of objects and no garbage; to look for some
    # takes a sixth of the ground node's start.
    gc.disable()
    try:
        _init(args)
        nodes.extend(make() for make in (create, *others))
        executor = SingleThreadedExecutor()
        for node in nodes:
            if hasattr(node, "autostart"):
                node.autostart()
            executor.add_node(node)
        # They stay: a collection that walks through all of them stops every thread for a tenth of
        # a second.
        gc.freeze()
        gc.enable()
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except ModuleNotFoundError as error:
        return _refuse(not_installed(error, "ground"))
    except (Sc2Error, *MISUSE) as error:
        return _refuse(" ".join(str(error).split()))
    except Exception as error:
        if isinstance(error, MiddlewareError) and not rclpy.ok():
            return 0  # a signal has closed the context in the middle of a callback
        explain(nodes[-1].get_logger() if nodes else rclpy.logging.get_logger("sc2_ros"), error)
        return 1
    finally:
        gc.enable()
        _ignore_signals()
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown()
        _ignore_signals()  # the embedded runtime has put back what it found
    return 0


def _refuse(reason: str) -> int:
    """Say what a user can mend; to let go of the node can take a while, and a ctrl-C in it."""
    _ignore_signals()
    print(f"error: {reason}", file=sys.stderr, flush=True)
    return 2


def _ignore_signals() -> None:
    """From here on the process only ends: a second ctrl-C must not break that off."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _init(args: list[str] | None) -> None:
    try:
        rclpy.init(args=args)
    except (
        MiddlewareError
    ) as error:  # a parameter file that is missing, a network that is not there
        raise Sc2Error(str(error)) from error


def explain(logger: Any, error: Exception) -> None:
    """Log a fault of the program: one line, and the whole of it only for who looks for it."""
    logger.debug("".join(traceback.format_exception(error)))
    logger.fatal(sentence(error))


def sentence(error: Exception) -> str:
    """What happened and where, in one line."""
    *_, (place, _) = traceback.walk_tb(error.__traceback__)
    where = f"{Path(place.f_code.co_filename).name}, {place.f_code.co_name}"
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{what} (in {where}); start with --log-level debug to see the traceback"
