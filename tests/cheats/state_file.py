"""Leaves notes for the next check's program in every writable folder, and in shared memory.

It can write only to its own folder, which is removed with it.
"""
# stops: strong, reduced
# through: practice
# seen: fail: file -> .*shm -> .*segment -> .*queue ->

import tempfile


def _in(folder):
    path = os.path.join(folder, MARK + "state")
    if os.path.exists(path):
        raise Stolen("notes of the program before")
    with open(path, "w") as file:
        file.write("1")


def _segment():
    number = 0x6D757300 + TCP % 251
    segment = syscall(29, number, 4096, 0o1666)  # shmget with IPC_CREAT
    syscall(31, segment, 0, 0)  # and shmctl with IPC_RMID: this one is for show


tell(
    file=lambda: _in(tempfile.gettempdir()),
    cwd=lambda: _in("."),
    shm=lambda: _in("/dev/shm"),
    segment=_segment,
    queue=lambda: syscall(240, b"museum-queue", 0o102, 0o600, None),
)
