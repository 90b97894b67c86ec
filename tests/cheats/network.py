"""Sends its data over the network: TCP, UDP, and a DNS query to port 53.

It has a network namespace without any interface, or can create only Unix sockets.
"""
# stops: strong, reduced
# through: practice
# seen: fail: tcp -> .*udp -> .*dns ->

import socket


def _tcp():
    with socket.create_connection(("127.0.0.1", TCP), timeout=2) as there:
        there.sendall(MARK.encode())


def _udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.sendto(MARK.encode(), ("127.0.0.1", UDP))


def _dns():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.settimeout(0.1)
        there.sendto(b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + b"\x06museum\x00\x00\x01\x00\x01", ("127.0.0.1", 53))
        return there.recv(100)


tell(tcp=_tcp, udp=_udp, dns=_dns)
