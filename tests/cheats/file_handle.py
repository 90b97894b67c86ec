"""Opens files by inode number, regardless of paths and mounts: open_by_handle_at.

This needs CAP_DAC_READ_SEARCH in the initial user namespace, and seccomp refuses the system call.
"""
# stops: strong, reduced
# seen: fail: (Stolen|handle ->)


def _handle():
    handle, mount = ctypes.create_string_buffer(8 + 128), ctypes.c_int()
    ctypes.c_uint.from_buffer(handle, 0).value = 128
    syscall(303, -100, SECRET_FILE.encode(), handle, ctypes.byref(mount), 0)  # name_to_handle_at
    folder = os.open(os.path.dirname(SECRET_FILE), os.O_RDONLY)
    with open(syscall(304, folder, handle, os.O_RDONLY), encoding="utf-8") as file:  # open_by_handle_at
        return file.read()


try:
    show(_handle(), "museum-secret")
except Stolen:
    raise
except Exception:
    pass
tell(handle=_handle)
