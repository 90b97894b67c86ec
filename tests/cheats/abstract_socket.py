"""Connects to an abstract Unix socket, which has no path in a file system.

Abstract sockets belong to a network namespace. Without a separate one, Landlock refuses the connection.
"""
# stops: strong, reduced
# through: practice
# seen: fail: abstract ->

import socket


def _abstract():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
        there.connect(f"\0museum-{TCP}")
        there.sendall(MARK.encode())


tell(abstract=_abstract)
