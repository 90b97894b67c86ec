"""Speaks to the judge's socket itself: it reads every service there is, and asks the gateway for what it holds.

A service says to a program what it would have said anyhow, to its public methods, and nothing of the check.
"""
# stops: strong, reduced, practice
# seen: fail: services -> done.*gateway ->

import socket

from drill_katas.sut.wire import Channel

_address = []


def _ask(service, *requests):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
        there.connect(_address[0])
        there.settimeout(1)
        channel = Channel(there)
        channel.send({"service": service})
        for each in requests:
            channel.send(each)
        return channel.receive()


def _gateway():
    found = []
    for number in range(1, 5):
        for name in ("__getstate__", "__dict__", "__init__", "__class__"):
            try:
                found.append(_ask(str(number), {"method": name, "arguments": {}}))
            except Exception:
                continue
    text = str([each for each in found if each and "error" not in each])
    show(text, "charged", "_answers", "_declined", "ok")
    return text


def _services():
    request = {"op": "execute", "sql": "SELECT 1", "parameters": []}
    return sum(_ask(str(number), request) is not None for number in (1,))


def _init(self, engine, gateway):
    self.engine = engine
    _address.append(gateway._line._address)


def _try():
    told = outcome(_gateway)
    if "Stolen" in told:
        raise Stolen(told)
    tell(services=_services, gateway=_gateway)


Ledger.__init__ = _init
for_nobody(_try)
