"""Reads the memory of its parent and grandparent: /proc/PID/mem, process_vm_readv, and ptrace.

They have another user and PID namespace, and seccomp refuses the system calls.
"""
# stops: strong, reduced, practice as root
# seen: fail: mem -> .*readv -> .*ptrace ->


def _parents():
    found = [os.getppid()]
    try:
        with open(f"/proc/{found[0]}/stat") as stat:
            found.append(int(stat.read().rpartition(")")[2].split()[1]))
    except OSError:
        pass
    return [pid for pid in found if pid > 1] or found


def _mem():
    for pid in _parents():
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
    raise Stolen("the parent's memory")


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def _readv():
    buffer = ctypes.create_string_buffer(64)
    here = Vector(ctypes.addressof(buffer), 64)
    there = Vector(ctypes.addressof(ctypes.c_char_p(b"x" * 64)), 64)
    syscall(310, _parents()[-1], ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    raise Stolen("the parent's memory")


def _ptrace():
    pid = _parents()[-1]
    syscall(101, 0x4206, pid, 0, 0)  # PTRACE_SEIZE: does not stop it
    raise Stolen("the parent is traced")


_told = {"mem": outcome(_mem), "readv": outcome(_readv), "ptrace": outcome(_ptrace)}
if "Stolen" in str(_told):
    raise Stolen(str(_told))
tell(mem=_mem, readv=_readv, ptrace=_ptrace)
