"""Leaves notes for the next check's program in the kernel keyring of its user, which is not in a file system.

Every program has its own user namespace, and seccomp refuses the system calls.
"""
# stops: strong, reduced
# seen: fail: keyring ->


def _keyring():
    name = (MARK + "key").encode()
    try:
        found = syscall(250, 10, -4, b"user", name, 0)  # keyctl: search the user keyring
    except OSError:
        found = 0
    if found:
        raise Stolen("a key of the program before")
    return syscall(248, b"user", name, b"notes", 5, -4)  # add_key


if "Stolen" in outcome(_keyring):
    raise Stolen("keyring -> a key of the program before")
tell(keyring=_keyring)
