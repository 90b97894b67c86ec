"""Linux namespaces of a SUT: user, processes, mounts, network and IPC.

The process that forks the SUT calls `enter`. The SUT, which is process 1 in its namespace, calls `build`.
"""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING, Final

from drill_katas.sandbox.syscalls import call, number_here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# https://man7.org/linux/man-pages/man2/unshare.2.html, mount.2, mount_setattr.2, umount2.2, pivot_root.2
UNSHARE: Final = {"x86_64": 272, "aarch64": 97}
MOUNT: Final = {"x86_64": 165, "aarch64": 40}
UMOUNT2: Final = {"x86_64": 166, "aarch64": 39}
PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
MOUNT_SETATTR: Final = 442  # the same number on every architecture
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 0x20, 0x1000, 0x4000, 0x40000
DETACH: Final = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
INSIDE: Final = 65534  # the uid and gid in a user namespace
SCRATCH: Final = "/tmp"
SCRATCH_OPTIONS: Final = "size=64m,nr_inodes=4096,mode=1777"
DEVICES: Final = ("null", "zero", "full", "random", "urandom")
HOST: Final = "/.host"  # mount point of the host's files while `build` runs


def enter(*, with_user: bool) -> None:
    """Leave the host's namespaces, so that the next fork is process 1 of a new one. Raises `OSError`.

    `with_user` adds a user namespace. An unprivileged user needs it; root does not, because its SUTs have another uid.
    """
    uid, gid = os.geteuid(), os.getegid()
    user = NEWUSER if with_user else 0
    call("unshare", number_here(UNSHARE, "unshare"), user | NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET)
    if user:
        for file, line in ("setgroups", "deny"), ("uid_map", f"{INSIDE} {uid} 1"), ("gid_map", f"{INSIDE} {gid} 1"):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as setting:
                setting.write(line)


def build(readable: Mapping[str, str], hidden: Sequence[str]) -> None:
    """Build a root that contains only `readable`, read-only and under the same paths. Raises `OSError`.

    `readable` maps paths to their real paths. Each folder of `hidden` is empty. `SCRATCH` is writable.
    """
    places = {**{source: source for source in readable.values()}, **readable}
    _mount(None, "/", None, REC | PRIVATE)
    _mount("tmpfs", SCRATCH, "tmpfs", NOSUID | NODEV, "size=1m,mode=755")
    os.mkdir(SCRATCH + HOST)
    call("pivot_root", number_here(PIVOT_ROOT, "pivot_root"), SCRATCH.encode(), (SCRATCH + HOST).encode())
    os.chdir("/")
    os.mkdir(SCRATCH)
    _mount("tmpfs", SCRATCH, "tmpfs", NOSUID | NODEV, SCRATCH_OPTIONS)
    for place in sorted(places):  # sorted, because a folder comes before its content
        _bind_read_only(places[place], place)
    for device in DEVICES:
        _bind(f"/dev/{device}", f"/dev/{device}")
    os.symlink(SCRATCH, "/dev/shm")
    for path in hidden:
        if os.path.isdir(path):
            _mount("tmpfs", path, "tmpfs", RDONLY | NOSUID | NODEV)
    call("umount2", number_here(UMOUNT2, "umount2"), HOST.encode(), DETACH)
    os.rmdir(HOST)
    _mount(None, "/", None, REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def _bind_read_only(source: str, place: str) -> None:
    """Bind a path of the host read-only at `place`, unless `place` exists or the source does not."""
    if os.path.lexists(HOST + source) and not os.path.lexists(place):
        _bind(source, place)
        attributes = struct.pack("=4Q", RDONLY | NOSUID | NODEV, 0, 0, 0)
        call(f"read-only {place}", MOUNT_SETATTR, AT_FDCWD, place.encode(), AT_RECURSIVE, attributes, 32)


def _bind(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if stat.S_ISDIR(os.stat(HOST + source).st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))
    _mount(HOST + source, target, None, BIND | REC)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    data = None if options is None else options.encode()
    call(f"mount {target}", number_here(MOUNT, "mount"), *texts, flags, data)
