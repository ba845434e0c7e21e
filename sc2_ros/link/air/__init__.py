# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The air link: our packets as plain UDP datagrams between drone and ground, sealed with a key.

    node -> Endpoint.send -> SealedLink (or OpenLink) -> UdpSocket -> radio
    node <- on_arrival    <- SealedLink (or OpenLink) <- UdpSocket <-

`SealedLink` and `OpenLink` are state machines without sockets, threads or clocks: datagrams and the
time go in, datagrams and arrivals come out. `Endpoint` gives them a socket and a thread.
docs/security.md has the threat model, and what each part defends against.
"""
