# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""The six parameter services of a node, and the client for another node's."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sc2_ros.runtime.endpoints import Client, service_type
from sc2_ros.runtime.parameters import (
    Parameter,
    ParameterException,
    ParameterNotDeclaredException,
    SetParametersResult,
    value_of,
)
from sc2_ros.runtime.qos import qos_profile_parameters

if TYPE_CHECKING:
    from sc2_ros.runtime.node import Node


_SERVICES: Final = {
    "DescribeParameters": "describe_parameters",
    "GetParameters": "get_parameters",
    "GetParameterTypes": "get_parameter_types",
    "ListParameters": "list_parameters",
    "SetParameters": "set_parameters",
    "SetParametersAtomically": "set_parameters_atomically",
}


class ParameterServices:
    """Serves `ros2 param list/get/set/describe` for one node."""

    def __init__(self, node: "Node") -> None:
        self._node = node
        for kind, path in _SERVICES.items():
            node.create_service(
                service_type(f"rcl_interfaces/srv/{kind}"),
                f"~/{path}",
                getattr(self, f"_{path}"),
                qos_profile=qos_profile_parameters,
            )

    # Where a name is unknown, the answer is empty, as rclpy's is.

    def _describe_parameters(self, request: Any, response: Any) -> Any:
        if all(map(self._node.has_parameter, request.names)):
            response.descriptors = [self._node.describe_parameter(name) for name in request.names]
        return response

    def _get_parameters(self, request: Any, response: Any) -> Any:
        if all(map(self._node.has_parameter, request.names)):
            found = self._node.get_parameters(request.names)
            response.values = [parameter.get_parameter_value() for parameter in found]
        return response

    def _get_parameter_types(self, request: Any, response: Any) -> Any:
        if all(map(self._node.has_parameter, request.names)):
            response.types = [int(p.type_) for p in self._node.get_parameters(request.names)]
        return response

    def _list_parameters(self, request: Any, response: Any) -> Any:
        response.result = self._node.list_parameters(request.prefixes, request.depth)
        return response

    def _set_parameters(self, request: Any, response: Any) -> Any:
        response.results = [self._set([message]) for message in request.parameters]
        return response

    def _set_parameters_atomically(self, request: Any, response: Any) -> Any:
        response.result = self._set(request.parameters)
        return response

    def _set(self, messages: Iterable[Any]) -> Any:
        try:
            parameters = [Parameter.from_parameter_msg(message) for message in messages]
            return self._node.set_parameters_atomically(parameters)
        except (ParameterException, ValueError) as error:
            return SetParametersResult(successful=False, reason=str(error))


class ParameterClient:
    """Reads and sets the parameters of another node; blocks, and needs no spinning.

    Every call raises TimeoutError where the node does not answer within `timeout_sec`.
    """

    def __init__(self, node: "Node", remote_node_name: str, timeout_sec: float = 5.0) -> None:
        self._node = node
        self._remote = remote_node_name.rstrip("/")
        self._timeout_sec = timeout_sec
        self._clients: dict[str, Client] = {}

    def list(self) -> list[str]:
        return list(self._call("ListParameters").result.names)

    def get(self, name: str) -> Any:
        """Value of a parameter.

        Raises:
            ParameterNotDeclaredException: the remote node has no such parameter.
        """
        values = self._call("GetParameters", names=[name]).values
        if not values:
            raise ParameterNotDeclaredException(f"{self._remote} has no parameter {name}")
        return value_of(values[0])

    def describe(self, name: str) -> Any:
        """Descriptor of a parameter (rcl_interfaces/msg/ParameterDescriptor).

        Raises:
            ParameterNotDeclaredException: the remote node has no such parameter.
        """
        found = self._call("DescribeParameters", names=[name]).descriptors
        if not found:
            raise ParameterNotDeclaredException(f"{self._remote} has no parameter {name}")
        return found[0]

    def set(self, name: str, value: Any) -> Any:
        """Ask for a new value; the result says `successful` and otherwise the `reason`."""
        message = Parameter(name, value=value).to_parameter_msg()
        return self._call("SetParameters", parameters=[message]).results[0]

    def close(self) -> None:
        for client in self._clients.values():
            self._node.destroy_client(client)
        self._clients.clear()

    def _call(self, kind: str, **fields: Any) -> Any:
        srv_type = service_type(f"rcl_interfaces/srv/{kind}")
        if kind not in self._clients:
            self._clients[kind] = self._node.create_client(
                srv_type, f"{self._remote}/{_SERVICES[kind]}", qos_profile=qos_profile_parameters
            )
        return self._clients[kind].call(srv_type.Request(**fields), self._timeout_sec)
