"""Writes to a file of the host: opens, truncates, renames, links, changes mode, owner, times, and attributes.

It has no permission, and its file system lacks the file; it can write only to its own folder.
"""
# stops: strong, reduced, practice as root
# seen: fail: write -> .*truncate -> .*rename -> .*chmod -> .*chown -> .*utime -> .*setxattr ->


def _write():
    with open(CANARY, "a") as file:
        file.write("changed")


tell(
    write=_write,
    truncate=lambda: os.truncate(CANARY, 0),
    rename=lambda: os.rename(CANARY, CANARY + ".moved"),
    remove=lambda: os.remove(CANARY),
    chmod=lambda: os.chmod(CANARY, 0o777),
    chown=lambda: os.chown(CANARY, os.getuid(), os.getgid()),
    utime=lambda: os.utime(CANARY),
    setxattr=lambda: os.setxattr(CANARY, "user.museum", b"changed"),
    proc=lambda: open(f"/proc/{os.getppid()}/oom_score_adj", "w").write("1000"),
)
