"""Connects to a unix socket that has no path, which no file system keeps it from.

Such sockets belong to a network namespace; where there is none of its own, Landlock keeps it to itself.
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
