# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A managed node whose networks change live: new ones are loaded beside the stream.

    `model` changes --the file's card fits--> accepted --thread: load--> executor: take over
                                                             |
                                      cannot be loaded: the old value comes back, with the reason

Loading takes some tenths of a second; packets, feedback and frames do not wait for it.
"""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sc2_ros.checkpoint_file import read_card
from sc2_ros.nodes.managed import ManagedNode, reason
from sc2_ros.nodes.parameters import Row, Value, networks_of
from sc2_ros.runtime.ros import Parameter
from sc2_ros.threads import limit_threads

Config = TypeVar("Config")  # OnboardConfig or GroundConfig; neither node imports the other's
Model = TypeVar("Model", bound="_Model")
Networks = TypeVar("Networks")

POLL_S = 0.02
"""How long networks that are loaded may wait for the executor."""


class _Model(Protocol):
    """A checkpoint, whole or what flies of it."""

    @property
    def id(self) -> int:
        """The same on both ends of a link."""

    @property
    def path(self) -> Path | None:
        """The file it was read from."""

    @property
    def card(self) -> dict[str, Any]:
        """What it says of itself."""


@dataclass(frozen=True)
class Loaded(Generic[Networks]):
    """What a node works with, the parameters that it was loaded for, and its checkpoint's card."""

    networks: Networks
    values: dict[str, Value]
    card: dict[str, Any]


class NetworkNode(ManagedNode, Generic[Config, Model, Networks]):
    """A managed node with a checkpoint; a subclass says what it makes of it and how it changes.

    Between the loading and the taking over the parameters have their new values, and the stream
    goes on with the old networks and the old configuration.

    Args:
        name: the node's name.
        rows: its parameters, `model`, `device` and `precision` among them.
    """

    def __init__(self, name: str, rows: tuple[Row, ...], namespace: str | None = None) -> None:
        self._present: Loaded[Networks] | None = None
        """None where the node is unconfigured."""
        self._loading: Future[Loaded[Networks]] | None = None
        self._wanted: dict[str, Value] = {}
        """The parameters for which something is being loaded."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="networks")
        super().__init__(name, rows, namespace)
        self._settings.watch(self._prepare, self._apply)
        limit_threads(int(self._settings["cpu_threads"]))

    @abstractmethod
    def _configuration(self, values: dict[str, Value]) -> Config:
        """The pipeline's configuration of these parameters; raises what refuses them."""

    def _check_card(self, config: Config, card: dict[str, Any]) -> None:
        """Raise Sc2Error if a configuration does not go with a checkpoint's card."""

    @abstractmethod
    def _open(self, name: str) -> Model:
        """Read a checkpoint by path or shipped name."""

    @abstractmethod
    def _make(self, model: Model, config: Config) -> Networks:
        """What works with a checkpoint; any thread may make it."""

    @abstractmethod
    def _swap(self, networks: Networks) -> None:
        """Work with other networks from the next frame on; the counts go on."""

    @abstractmethod
    def _configure(self, config: Config) -> None:
        """Take a configuration for the frames to come; only asked of an active node."""

    @abstractmethod
    def _rest(self) -> None:
        """Leave the GPU to others."""

    def _load_networks(self) -> Networks:
        """Load what the parameters ask for, until the node is unconfigured."""
        values = dict(self._settings.values)
        self._present = self._read(values, idle(self._configuration(values)))
        self._loaded.callback(self._forget)
        return self._present.networks

    def _read(self, values: dict[str, Value], config: Config) -> Loaded[Networks]:
        model = self._open(str(values["model"]))
        networks = self._make(model, config)
        self.get_logger().info(
            f"checkpoint {model.id:08x} from {model.path}, {self._arithmetic(values)}"
        )
        return Loaded(networks, networks_of(values), model.card)

    @abstractmethod
    def _arithmetic(self, values: dict[str, Value]) -> str:
        """What the networks of these parameters run on, and with which precision, for people."""

    def _forget(self) -> None:
        self._stop_loading()
        self._present = None

    # Changes of parameters

    def _prepare(self, values: dict[str, Value]) -> Config:
        """All that can be found wrong with a change at once; what works is not touched."""
        config = self._configuration(values)
        if self._present is not None:
            same = networks_of(values) == self._present.values
            card = self._present.card if same else read_card(str(values["model"]))
            self._check_card(config, card)
        return config

    def _apply(self, config: Config) -> None:
        if self._present is None:
            return
        wanted = networks_of(self._settings.values)
        if wanted == self._present.values:
            self._stop_loading()
            if self._active:
                self._configure(config)
        elif wanted != self._wanted:
            self._stop_loading()
            self._wanted = wanted
            config = config if self._active else idle(config)
            self._loading = self._pool.submit(self._read, dict(self._settings.values), config)
            self._poll_timer = self.create_timer(POLL_S, self._poll, clock=self._steady)

    def _stop_loading(self) -> None:
        """What is being loaded now is not wanted any more."""
        if self._loading is not None:
            self._loading.cancel()
            self.destroy_timer(self._poll_timer)
        self._loading, self._wanted = None, {}

    def _poll(self) -> None:
        if self._loading is not None and self._loading.done():
            self._end_loading()

    def _end_loading(self) -> None:
        """Wait for what is being loaded, if anything is, and take over."""
        if self._loading is None:
            return
        loading = self._loading
        try:
            present = loading.result()
        except Exception as error:  # such as a broken file, or a GPU whose memory is full
            self._stop_loading()
            self._keep_old(error)
            return
        self._stop_loading()
        self._present = present
        self._swap(present.networks)
        if self._active:
            self._configure(self._configuration(self._settings.values))
        else:
            self._rest()

    def _keep_old(self, error: Exception) -> None:
        assert self._present is not None
        self.get_logger().error(f"the old networks stay: {reason(error)}")
        old = [Parameter(name, value=value) for name, value in self._present.values.items()]
        result = self.set_parameters_atomically(old)
        if not result.successful:
            self.get_logger().error(f"their parameters do not come back: {result.reason}")

    def destroy_node(self) -> None:
        """End the thread, too."""
        self._pool.shutdown(cancel_futures=True)
        super().destroy_node()


def idle(config: Config) -> Config:
    """The same, away from the GPU: for a node that is not active."""
    if config.device == "cpu":
        return config
    return replace(config, device="cpu", precision="fp32")
