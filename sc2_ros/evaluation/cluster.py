# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where work runs that is done in pieces: processes of this machine, or a Dask cluster.

Both are `concurrent.futures`; whoever submits need not know which it is.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import active_children, get_context
from typing import Any

from sc2_ros.errors import InputError, ParameterError, not_installed
from sc2_ros.threads import limit_threads

_LOCAL = "local:"
HELP = (
    "local:N for N processes of this machine, or the address of a Dask scheduler, tcp://HOST:PORT"
)


def is_local(cluster: str) -> bool:
    """Whether a cluster is processes of this machine."""
    return cluster.startswith(_LOCAL)


@contextmanager
def executor(
    cluster: str, *, threads: int = 1, alone: bool = False
) -> Iterator[Callable[..., Future[Any]]]:
    """What runs a function elsewhere and gives a future; what has not begun at the end is dropped.

    Ctrl-C also ends the local processes at once, in the middle of what they do.

    Args:
        cluster: "local:N", or the address of a Dask scheduler, such as tcp://host:8786.
        threads: of each local process.
        alone: a local process for every call, so that one that dies takes no other along.

    Raises:
        ParameterError: there is no such cluster.
        InputError: Dask is not installed.
    """
    with ExitStack() as stack:
        if not is_local(cluster):
            client = stack.enter_context(_dask(cluster))
            yield client.get_executor(pure=False).submit
            return
        workers = cluster.removeprefix(_LOCAL)
        if not workers.isdigit() or not int(workers):
            raise ParameterError(f"--cluster {cluster}: give {HELP}")
        # A fresh interpreter each: a forked one would inherit torch's threads in whatever state.
        spawn = get_context("spawn")

        def pool(count: int) -> Executor:
            # Processes beside each other gain nothing by more threads than there are cores.
            made = ProcessPoolExecutor(count, spawn, initializer=limit_threads, initargs=(threads,))
            stack.callback(made.shutdown, wait=True, cancel_futures=True)
            return made

        shared = None if alone else pool(int(workers))

        def submit(*call: Any) -> Future[Any]:
            chosen = shared or pool(1)
            # A terminal sends Ctrl-C to the processes, too, which would take it for the failure of
            # what they do and go on with the next. They inherit what is blocked here.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                return chosen.submit(*call)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

        others = set(active_children())
        try:
            yield submit
        except KeyboardInterrupt:
            for process in set(active_children()) - others:
                process.terminate()
            raise


def _dask(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InputError(not_installed(error, "archive")) from error
    try:
        return Client(address)
    except (OSError, ValueError) as error:
        raise ParameterError(f"no Dask scheduler at {address} ({error}); start one") from error
