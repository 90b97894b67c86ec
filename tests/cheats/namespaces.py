"""Creates namespaces in which it is root, mounts file systems, and changes its root folder.

unshare, mount, pivot_root, and chroot are refused.
"""
# stops: strong, reduced
# seen: fail: user ->


def _user():
    pid = os.fork()
    if pid == 0:
        try:
            syscall(272, 0x10000000 | 0x00020000)  # unshare: CLONE_NEWUSER and CLONE_NEWNS
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status, os.strerror(status) if status > 0 else "killed")
    return "root of its own"


_told = outcome(_user)
if "done" in _told:
    raise Stolen(f"user -> {_told}")
tell(
    user=_user,
    mount=lambda: syscall(165, b"none", b"/", None, 0x44000, None),
    chroot=lambda: os.chroot("/"),
    setns=lambda: syscall(308, os.open(f"/proc/{os.getppid()}/ns/mnt", os.O_RDONLY), 0),
)
