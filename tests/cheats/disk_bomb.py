"""Fills the disk: a file of 300 MB, and 20 files of 15 MB.

File size has a limit, and so has the only folder that it can write to.
"""
# stops: strong, reduced
# through: practice
# seen: fail: large -> .*many ->

import tempfile


def _large():
    with open(os.path.join(tempfile.gettempdir(), MARK), "wb") as file:
        try:
            for _ in range(300):
                file.write(b"x" * (1 << 20))
        finally:
            os.truncate(file.name, 0)
    raise Stolen("a file of 300 MB")


def _many():
    folder = os.path.join(tempfile.gettempdir(), MARK + "many")
    os.makedirs(folder, exist_ok=True)
    try:
        for number in range(20):
            with open(os.path.join(folder, str(number)), "wb") as file:
                file.write(b"x" * (15 << 20))
    finally:
        for name in os.listdir(folder):
            os.truncate(os.path.join(folder, name), 0)
    raise Stolen("300 MB of files")


def _try():
    large, many = outcome(_large), outcome(_many)
    raise (Stolen if "Stolen" in large + many else Tried)(f"large -> {large}; many -> {many}")


for_nobody(_try)
