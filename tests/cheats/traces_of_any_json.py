"""Sends invalid trace ids with its calls, lists of 1 MB each, because the judge stores the trace id of a call.

A trace id without 32 hexadecimal digits is dropped, and all records of one check share one bound.
"""
# stops: strong, reduced, practice
# seen: limit: most of it calls to upstreams

import socket

_lines = []


def _call():
    line = _lines[0]
    there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    there.connect(line._address)
    there.sendall(b'{"service": "%s"}\n' % line._service.encode())
    for _ in range(600):
        there.sendall(b'{"method": "charge", "arguments": {}, "trace": [%s[]]}\n' % (b"[]," * 300_000))
        there.recv(65536)
    raise Stolen("10 GB of the judge's memory")


def _init(self, engine, gateway):
    _lines.append(gateway._line)


Ledger.__init__ = _init
for_nobody(_call)
