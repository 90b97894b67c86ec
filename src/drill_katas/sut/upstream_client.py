"""The program's client of an upstream service."""

from __future__ import annotations

import socket
from typing import Any

from drill_katas.sut import telemetry
from drill_katas.sut.protocol import UPSTREAM_REPLIES, Hello, UpstreamCall
from drill_katas.sut.wire import Channel, Closed


class UpstreamClient:
    """A connection to an upstream service in the judge, with one request at a time."""

    def __init__(self, address: str, service: str) -> None:
        self._address = address
        self._service = service
        self._channel: Channel | None = None

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call the upstream's `method`.

        Raises TimeoutError if no answer comes, and ValueError if the upstream refuses the call.
        """
        channel = self._connected()
        try:
            channel.send(UpstreamCall(method, arguments, telemetry.current_trace()))
            reply = channel.receive(None, UPSTREAM_REPLIES)
        except Closed as gone:
            self._channel = None
            raise ConnectionError("the upstream closed the connection") from gone
        assert reply is not None
        if reply.timeout:
            raise TimeoutError(reply.timeout)
        if reply.refused:
            raise ValueError(reply.refused)
        return reply.ok

    def _connected(self) -> Channel:
        if self._channel is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(self._address)
            self._channel = Channel(sock)
            self._channel.send(Hello(self._service))
        return self._channel
