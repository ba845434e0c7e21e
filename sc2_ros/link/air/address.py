# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Addresses as users write them: `192.168.1.20:5600`, `[fd00::2]:5600`, `station.local:5600`."""

from __future__ import annotations

import ipaddress
import socket

from sc2_ros.errors import AirAddressError
from sc2_ros.link.air.arrival import Address, Remote


def split(text: str) -> tuple[str, int]:
    """Host and port.

    Raises:
        AirAddressError: it is not of the form host:port.
    """
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AirAddressError(f"'{text}': write an IPv6 address in brackets, as [fd00::2]:5600")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise AirAddressError(f"'{text}' is no address; write host:port, as 192.168.1.20:5600")
    return host, int(port)


def family_of(local: str) -> socket.AddressFamily:
    """The family of a socket that is bound to this address."""
    return socket.AF_INET6 if ":" in split(local)[0] else socket.AF_INET


def resolve(text: str, family: socket.AddressFamily) -> Address:
    """The socket address; names are looked up (which may take seconds).

    On a socket of IPv6 an address of IPv4 gets its mapped form, so that one socket serves both.

    Raises:
        AirAddressError: it cannot be read, is not known, or is of the other family.
    """
    host, port = split(text)
    flags = socket.AI_V4MAPPED if family == socket.AF_INET6 else 0
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM, 0, flags)
    except socket.gaierror as error:
        hint = (
            "; an IPv6 address needs air.local of IPv6, as [::]:5600"
            if family == socket.AF_INET and ":" in host
            else ""
        )
        raise AirAddressError(f"cannot find '{text}': {error.strerror}{hint}") from None
    return normal(found[0][4])


def normal(address: tuple[str | int | bytes, ...]) -> Address:
    """The same address always in the same form: IPv6 without flow label."""
    host, port = str(address[0]).partition("%")[0], int(address[1])
    return (host, port) if len(address) == 2 else (host, port, 0, int(address[3]))


def is_multicast(address: Address) -> bool:
    """Whether it is a group's address; a mapped IPv4 one too."""
    host = ipaddress.ip_address(address[0].partition("%")[0])
    mapped = getattr(host, "ipv4_mapped", None)
    return (mapped or host).is_multicast


def remote(text: str, family: socket.AddressFamily, fixed: bool) -> Remote:
    """A remote of the link. A fixed one is a group: whoever is behind it hears everything."""
    address = resolve(text, family)
    if address[1] == 0:
        raise AirAddressError(f"'{text}' has port 0; a remote needs the port of the other side")
    return Remote(address, fixed or is_multicast(address))


def ip_udp_bytes(address: Address) -> int:
    """Bytes of the IP and UDP headers of a datagram to or from this address."""
    is_v4 = len(address) == 2 or address[0].startswith("::ffff:")
    return (20 if is_v4 else 40) + 8


def shown(address: Address) -> str:
    """As users write it."""
    host = address[0].removeprefix("::ffff:")
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
