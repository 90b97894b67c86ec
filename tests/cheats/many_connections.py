"""Opens connections to the judge endlessly, and starts a request on each without finishing it.

Connections and the stored part of a request have a bound.
"""
# stops: strong, reduced, practice
# seen: fail: connections -> \w*Error

import socket
import time

_held = []
_address = []


def _many():
    for _ in range(600):
        there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        there.connect(_address[0])
        there.settimeout(1)
        there.sendall(b'{"service": "1"}\n')
        there.sendall(b"x" * 200_000)
        _held.append(there)
    time.sleep(0.5)
    alive = sum(_is_open(each) for each in _held)
    if alive > 300:
        raise Stolen(f"{alive} connections")
    raise ConnectionError(f"{alive} of 600 are open")


def _is_open(there):
    try:
        return there.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _try():
    message = outcome(_many)
    raise (Stolen if "Stolen" in message else Tried)(f"connections -> {message}")


def _init(self, engine, gateway):
    _address.append(gateway._line._address)


Ledger.__init__ = _init
for_nobody(_try)
