"""Leaves a setuid program and a device file, for another user to run.

Its folder is mounted without setuid and devices, and is removed with it.
"""
# stops: strong, reduced
# seen: fail: setuid -> .*device ->

import stat
import tempfile


def _setuid():
    path = os.path.join(tempfile.gettempdir(), MARK + "setuid")
    with open(path, "wb") as file:
        file.write(b"#!/bin/true\n")
    os.chmod(path, 0o6755)
    return oct(os.stat(path).st_mode)


tell(
    setuid=_setuid,
    device=lambda: os.mknod(os.path.join(tempfile.gettempdir(), MARK + "device"), 0o600 | stat.S_IFBLK, 0x801),
)
