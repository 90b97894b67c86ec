"""Connects to the judge's socket directly, reads from every service, and asks the gateway for data.

A service answers only the calls of its public methods, and reveals nothing about the check.
"""
# stops: strong, reduced, practice
# seen: fail: services -> done.*gateway ->

import socket

from drill_katas.sut.wire import Channel

_lines = []


def _ask(number, request):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
        there.connect(_lines[-1]._address)
        channel = Channel(there)
        channel.send({"service": str(number)})
        channel.send(request)
        return channel.receive(timeout=1)


def _gateway():
    for name in ("__init__", "__getstate__", "__dir__", "__class__", "_answers", "charged"):
        message = outcome(lambda name=name: _ask(_lines[-1]._service, {"method": name, "arguments": {}}))
        if "ok" in message:
            raise Stolen(f"{name} of the payment gateway: {message}")
    return "nothing"


def _services():
    request = {"op": "execute", "sql": "SELECT 1", "parameters": []}
    near = range(int(_lines[-1]._service) - 1, int(_lines[-1]._service) + 2)
    return sum("rows" in outcome(lambda number=number: _ask(number, request)) for number in near)


def _init(self, engine, gateway):
    _lines.append(gateway._line)


def _try():
    message = outcome(_gateway)
    if "Stolen" in message:
        raise Stolen(message)
    tell(services=_services, gateway=_gateway)


Ledger.__init__ = _init
for_nobody(_try)
