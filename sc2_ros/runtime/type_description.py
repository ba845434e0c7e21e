# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`~/get_type_description`: the fields of the messages that a node sends and takes (REP-2016)."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from rosbags.interfaces import Nodetype
from rosbags.typesys.store import TIDMAP

from .endpoints import Publisher, Subscription, service_type
from .messages import STORE, message_type, type_hash
from .parameters import ParameterDescriptor, ParameterTable

PARAMETER: Final = "start_type_description_service"
_PACKAGE: Final = "type_description_interfaces"
_TypeDescription = message_type(f"{_PACKAGE}/msg/TypeDescription")
_IndividualTypeDescription = message_type(f"{_PACKAGE}/msg/IndividualTypeDescription")
_Field = message_type(f"{_PACKAGE}/msg/Field")
_FieldType = message_type(f"{_PACKAGE}/msg/FieldType")
_NESTED: Final = 1
_ARRAY, _BOUNDED, _UNBOUNDED = 48, 96, 144  # added to the number of a single value's type


class TypeDescriptionService:
    """Tells what the topics of one node carry; source texts of the definitions it does not have."""

    def __init__(
        self,
        table: ParameterTable,
        create_service: Callable[..., Any],
        endpoints: Sequence[Any],
    ) -> None:
        """All three of the node; endpoints may still change."""
        self._endpoints = endpoints
        about = "If enabled, start the ~/get_type_description service."
        descriptor = ParameterDescriptor(description=about, read_only=True)
        if table.declare(PARAMETER, True, descriptor).value:
            kind = service_type(f"{_PACKAGE}/srv/GetTypeDescription")
            create_service(kind, "~/get_type_description", self._answer)

    def _answer(self, request: Any, response: Any) -> Any:
        topics = [e for e in self._endpoints if isinstance(e, Publisher | Subscription)]
        names = {endpoint.msg_type.__msgtype__ for endpoint in topics}
        if request.type_name not in names:
            response.failure_reason = "Type not currently in use by this node"
        elif request.type_hash != type_hash(request.type_name):
            response.failure_reason = f"The hash of the type is {type_hash(request.type_name)}"
        else:
            response.successful = True
            response.type_description = describe(request.type_name)
        return response


def describe(name: str) -> Any:
    """The type_description_interfaces/msg/TypeDescription of a message such as std_msgs/msg/Int8.

    The type hash of REP-2011 is the SHA-256 of what this says.
    """
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        this = waiting.pop()
        if this not in found:
            fields = [_field(field, desc) for field, desc in STORE.fielddefs[this][1]]
            found[this] = _IndividualTypeDescription(type_name=this, fields=fields)
            nested: list[Any] = [field.type for field in fields]
            waiting += [kind.nested_type_name for kind in nested if kind.nested_type_name]
    referenced = [found[other] for other in sorted(found) if other != name]
    return _TypeDescription(type_description=found[name], referenced_type_descriptions=referenced)


def _field(name: str, desc: Any) -> Any:
    kind, inner = desc
    offset, length = 0, 0
    if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        (kind, inner), length = inner
        offset = _ARRAY if desc[0] == Nodetype.ARRAY else _BOUNDED if length else _UNBOUNDED
    described = _FieldType(capacity=length)
    if kind == Nodetype.NAME:
        described.type_id, described.nested_type_name = offset + _NESTED, inner
    else:
        base, limit = inner
        described.type_id = offset + TIDMAP["bounded_string" if limit else base]
        described.string_capacity = limit
    return _Field(name=name, type=described)
