"""Opens connections to its database endlessly, and starts a statement of megabytes on each without finishing it.

Connections and requests have a bound, and the process that serves them has 512 MiB.
"""
# stops: strong, reduced, practice
# seen: (fail|limit): connections -> |512 MiB

import socket

_held = []


def _init(self, engine, gateway):
    self.engine = engine


def _many():
    with _engine[0].connect() as tx:
        address = tx.connection.driver_connection._channel.socket.getpeername()
    alive = 0
    for _ in range(400):
        there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        there.connect(address)
        there.settimeout(1)
        _held.append(there)
        try:
            there.sendall(b'{"service": "1"}\n')
            there.sendall(b"x" * 3_000_000)
            alive += 1
        except OSError:
            pass
    if alive > 300:
        raise Stolen(f"{alive} connections")
    raise ConnectionError(f"{alive} of 400 took it")


_engine = []


def _try(self, account, currency):
    if account != "nobody":
        return "0"
    _engine[:] = [self.engine]
    message = outcome(_many)
    raise (Stolen if "Stolen" in message else Tried)(f"connections -> {message}")


Ledger.__init__, Ledger.balance = _init, _try
