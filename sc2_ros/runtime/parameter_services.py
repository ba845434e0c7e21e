# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The six parameter services of a node."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from .endpoints import service_type
from .parameters import (
    Parameter,
    ParameterException,
    ParameterTable,
    SetParametersResult,
)
from .qos import qos_profile_parameters

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

    def __init__(self, table: ParameterTable, create_service: Callable[..., Any]) -> None:
        """create_service: of the node."""
        self._table = table
        for kind, path in _SERVICES.items():
            create_service(
                service_type(f"rcl_interfaces/srv/{kind}"),
                f"~/{path}",
                getattr(self, f"_{path}"),
                qos_profile=qos_profile_parameters,
            )

    # Where a name is unknown, the answer is empty, as rclpy's is.

    def _describe_parameters(self, request: Any, response: Any) -> Any:
        if self._table.values.keys() >= set(request.names):
            response.descriptors = [self._table.describe(name) for name in request.names]
        return response

    def _get_parameters(self, request: Any, response: Any) -> Any:
        if self._table.values.keys() >= set(request.names):
            found = [self._table.get(name) for name in request.names]
            response.values = [parameter.get_parameter_value() for parameter in found]
        return response

    def _get_parameter_types(self, request: Any, response: Any) -> Any:
        if self._table.values.keys() >= set(request.names):
            response.types = [int(self._table.get(name).type_) for name in request.names]
        return response

    def _list_parameters(self, request: Any, response: Any) -> Any:
        response.result = self._table.listing(request.prefixes, request.depth)
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
            return self._table.set(parameters)
        except (ParameterException, ValueError) as error:
            return SetParametersResult(successful=False, reason=str(error))
