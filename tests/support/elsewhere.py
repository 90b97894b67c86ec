"""Runs a command on a machine that allows less than this one: python elsewhere.py WORLD FOLDER... -- COMMAND...

Worlds, all in a mount namespace of its own:
- user: by an ordinary user, who may read the FOLDERs even where the way to them leads through somebody else's
- no-namespaces: as above, where no user namespace can be made, as on some hosted runners
- no-unshare: by this user, who can make no namespaces
- no-proc: by this user, where nothing is mounted on /proc
- no-landlock: by this user, where neither namespaces can be made nor Landlock be used
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drill_katas.sandbox import namespaces, seccomp
from drill_katas.sandbox.syscalls import MACHINE, PR_SET_NO_NEW_PRIVS, call, prctl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOMEBODY = 12_345
ALL = "0 0 4294967295"
LANDLOCK = (444, 444)
MOVE = 0x2000


def main() -> None:
    world, *rest = sys.argv[1:]
    folders, command = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    if world == "no-proc":
        call("unshare", namespaces.UNSHARE[MACHINE], namespaces.NEWNS | (namespaces.NEWUSER if os.geteuid() else 0))
        namespaces._mount(None, "/", None, namespaces.REC | namespaces.PRIVATE)
        namespaces._mount("tmpfs", "/proc", "tmpfs", 0)
    elif world == "no-unshare":
        refuse(namespaces.UNSHARE)
    elif world == "no-landlock":
        refuse(namespaces.UNSHARE, {MACHINE: LANDLOCK[0]})
    else:
        if world == "no-namespaces":
            leave_for_a_namespace_without_any()
        if os.geteuid() == 0:
            call("unshare", namespaces.UNSHARE[MACHINE], namespaces.NEWNS)
            namespaces._mount(None, "/", None, namespaces.REC | namespaces.PRIVATE)
            open_the_way([Path(folder) for folder in folders])
            os.setgroups([])
            os.setresgid(SOMEBODY, SOMEBODY, SOMEBODY)
            os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
    os.execvp(command[0], command)


def refuse(*numbers: Mapping[str, int]) -> None:
    """Have these system calls refused from here on."""
    program = [(seccomp.LOAD, 0, 0, seccomp.NUMBER)]
    for number in numbers:
        program += [(seccomp.EQUAL, 0, 1, number[MACHINE]), seccomp.REFUSED]
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(seccomp.assembled([*program, seccomp.ALLOWED]))


def leave_for_a_namespace_without_any() -> None:
    """Go on in a user namespace that is like this one, but allows no more of them."""
    if os.geteuid() != 0:
        raise SystemExit("only root can tell a namespace what it allows")
    ready, message = os.pipe()
    go, said = os.pipe()
    child = os.fork()
    if child:
        os.close(message)
        os.read(ready, 1)
        for file in ("uid_map", "gid_map"):
            Path(f"/proc/{child}/{file}").write_text(ALL)
        os.write(said, b"!")
        raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    call("unshare", namespaces.UNSHARE[MACHINE], namespaces.NEWUSER)
    os.write(message, b"!")
    os.read(go, 1)
    os.setresuid(0, 0, 0)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def open_the_way(folders: Iterable[Path]) -> None:
    """Where a folder on the way is closed to others, put an open one over it, with what is asked for in it."""
    closed: dict[Path, list[Path]] = {}
    for folder in folders:
        shut = [parent for parent in reversed(folder.resolve().parents) if not parent.stat().st_mode & 0o001]
        if shut:
            closed.setdefault(shut[0], []).append(folder.resolve())
    namespaces._mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
    for number, (place, wanted) in enumerate(closed.items()):
        stage = Path("/run/elsewhere") / str(number)
        stage.mkdir(parents=True, exist_ok=True)
        namespaces._mount("tmpfs", str(stage), "tmpfs", 0, "mode=755")
        for folder in wanted:
            kept = stage / folder.relative_to(place)
            kept.mkdir(parents=True, exist_ok=True)
            namespaces._mount(str(folder), str(kept), None, namespaces.BIND | namespaces.REC)
        namespaces._mount(str(stage), str(place), None, MOVE)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
