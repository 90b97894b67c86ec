"""Connects to a Unix socket of its user, such as a session bus or a key agent, and sends data.

The socket is in a folder of libraries, which every program may read. The judge connects on behalf of a program, and
only to itself; the kernel refuses the rest.
"""
# stops: strong, reduced
# seen: fail: stream -> (PermissionError|done).*datagram -> (PermissionError|done).*judge ->

import _socket
import contextlib
import ctypes
import socket
import struct


def _stream():
    with contextlib.closing(_socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as there:
        path = struct.pack("H108s", socket.AF_UNIX, DOOR.encode())
        if ctypes.CDLL(None).connect(there.fileno(), path, len(path)):
            raise PermissionError
        there.sendall(MARK.encode())


def _datagram():
    with contextlib.closing(_socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as there:
        there.sendto(MARK.encode(), DOOR + "-datagrams")


def _judge():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
        there.connect(DOOR)
        there.sendall(MARK.encode())


tell(stream=_stream, datagram=_datagram, judge=_judge)
