"""Raises its own limits, priority, and privileges: setrlimit, nice, setuid, capset, prctl.

Limits are hard, and dropped privileges cannot be regained.
"""
# stops: strong, reduced, practice as root
# seen: fail: data -> ValueError.*nice -> PermissionError.*uid -> PermissionError

import resource


def _data():
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


tell(
    data=_data,
    nice=lambda: os.nice(-5),
    uid=lambda: os.setuid(0) if os.getuid() else (_ for _ in ()).throw(PermissionError("root")),
    gid=lambda: os.setgid(0) if os.getuid() else None,
    hostname=lambda: __import__("socket").sethostname("museum"),
)
