# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which keys may open a datagram, by the session's number that it carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sc2_ros.link.air.aead import Opener
from sc2_ros.link.air.calls import Pending
from sc2_ros.link.air.peer import Peer


@dataclass(frozen=True)
class Entry:
    """A key, whose it is, and whether its owner seals with it for all its group."""

    opener: Opener
    owner: Peer | Pending
    is_group: bool


def by_number(peers: Iterable[Peer], pending: Iterable[Pending]) -> dict[int, tuple[Entry, ...]]:
    """Every key of these ends. Two may have drawn the same number; then both are to be tried."""
    index: dict[int, tuple[Entry, ...]] = {}
    for number, entry in _entries(peers, pending):
        index[number] = (*index.get(number, ()), entry)
    return index


def _entries(peers: Iterable[Peer], pending: Iterable[Pending]) -> Iterator[tuple[int, Entry]]:
    for peer in peers:
        for session in peer.sessions:
            yield session.number, Entry(session.opener, peer, False)
        for number, opener in peer.member.openers():
            yield number, Entry(opener, peer, True)
    for one in pending:
        yield one.session.number, Entry(one.session.opener, one, False)
