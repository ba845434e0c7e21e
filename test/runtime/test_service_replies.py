# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An answer goes out when it can be heard: discovery tells of a client's ends one by one."""

import time

import pytest
from service_clients import _wait_until

from sc2_ros.runtime import endpoints
from sc2_ros.runtime.endpoints import ServiceEnd, service_type
from sc2_ros.runtime.qos import qos_profile_services_default

KIND = service_type("lifecycle_msgs/srv/GetState")
DEADLINE_S = 60.0


def make_client(node):
    participant = node.context.participant
    return ServiceEnd(participant, KIND, "/test/ask", qos_profile_services_default, serving=False)


@pytest.fixture
def asked(node):
    """A service that has a request to answer, whose client does not listen (any more)."""
    service = node.create_service(KIND, "ask", lambda request, response: response)
    client = make_client(node)
    assert _wait_until(client.writer.matched, DEADLINE_S)
    client.send(bytes(16), KIND.Request())
    work = []
    assert _wait_until(lambda: work.append(service.take()) or work[-1] is not None, DEADLINE_S)
    client.reader.close()
    assert _wait_until(lambda: not service.writer.matched(), DEADLINE_S)
    yield client, work[-1]
    client.writer.close()


def test_an_answer_waits_for_its_clients_reader(node, asked, monkeypatch):
    _, answer = asked
    late, sleep = [], time.sleep

    def wait(seconds):
        if not late:
            late.append(make_client(node))
        sleep(seconds)

    monkeypatch.setattr(endpoints.time, "sleep", wait)
    monkeypatch.setattr(endpoints, "REPLY_READER_WAIT_S", DEADLINE_S)
    answer()

    (client,) = late
    assert _wait_until(lambda: client.reader.take() is not None, DEADLINE_S)
    client.reader.close()
    client.writer.close()


def test_nobody_waits_for_a_client_that_has_gone(asked, monkeypatch):
    client, answer = asked
    client.writer.close()
    monkeypatch.setattr(endpoints.time, "sleep", lambda seconds: pytest.fail("it waits"))

    answer()
