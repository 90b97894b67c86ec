"""Submissions that are hostile archives, folders, or modules. Each function makes one in a folder."""

from __future__ import annotations

import functools
import gzip
import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MIB = 1 << 20
BESIDE = {
    "conftest.py": b"def pytest_runtest_makereport(item, call):\n    raise SystemExit(0)\n",
    "pytest.ini": b"[pytest]\naddopts = --collect-only\n",
    "sitecustomize.py": b"import os\nos._exit(0)\n",
    "usercustomize.py": b"import os\nos._exit(0)\n",
    "museum.pth": b"import os; os._exit(0)\n",
    "test_till.py": b"def test_nothing():\n    pass\n",
    "oracle.py": b"raise SystemExit(0)\n",
    "world.py": b"raise SystemExit(0)\n",
    "till.py": b"raise SystemExit(0)\n",
    "sqlalchemy/__init__.py": b"raise SystemExit(0)\n",
    "kata.toml": b'editable = ["oracle.py"]\n',
}


def beside(place: Path, ledger: bytes) -> Path:
    """Brings its own conftest.py, pytest.ini, sitecustomize.py, .pth file, checks, oracle, and world."""
    return _zipped(place / "beside.zip", {"books.py": ledger, **BESIDE})


def beside_in_a_folder(place: Path, ledger: bytes) -> Path:
    """Has a folder with a conftest.py, pytest.ini, checks, and oracle, beside the fix and in the kata's folder."""
    for name, content in {"books.py": ledger, **BESIDE}.items():
        for file in (place / "beside_in_a_folder" / name, place / "beside_in_a_folder" / "katas" / "till" / name):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return place / "beside_in_a_folder"


def leads_out(place: Path, ledger: bytes) -> Path:
    """Unpacks to `..`, to absolute paths, and over files of the grader."""
    names = ("../canary", "../../canary", f"{place.parent}/canary", "a/../../../canary", "..\\canary", "/etc/museum")
    return _zipped(place / "leads_out.zip", {"books.py": ledger, **dict.fromkeys(names, b"changed")})


def links(place: Path, ledger: bytes) -> Path:
    """Instead of the fix, contains a symbolic link to a file of the grader, and writes through another link."""
    path = place / "links.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, target in (("books.py", f"{place.parent}/secret"), ("folder", str(place.parent))):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        _add(archive, "folder/canary", b"changed")
    return path


def hard_link(place: Path, ledger: bytes) -> Path:
    """Instead of the fix, contains a hard link to a file of the grader."""
    path = place / "hard_link.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("books.py")
        info.type, info.linkname = tarfile.LNKTYPE, f"{place.parent}/secret"
        archive.addfile(info)
    return path


def device(place: Path, ledger: bytes) -> Path:
    """Instead of the fix, contains the endless device /dev/zero, and a pipe without a writer."""
    path = place / "device.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("books.py", tarfile.CHRTYPE), ("till/books.py", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.devmajor, info.devminor = kind, 1, 5
            archive.addfile(info)
    return path


def pipe(place: Path, ledger: bytes) -> Path:
    """Has, in place of the fix, a folder with a pipe that nobody writes to."""
    (place / "pipe").mkdir()
    os.mkfifo(place / "pipe" / "books.py")
    return place / "pipe"


def linked_folder(place: Path, ledger: bytes) -> Path:
    """Has, in place of the fix, a folder with a symbolic link to a file of the grader."""
    (place / "linked_folder").mkdir()
    (place / "linked_folder" / "books.py").symlink_to(place.parent / "secret")
    return place / "linked_folder"


def zip_bomb(place: Path, ledger: bytes) -> Path:
    """Instead of the fix, is a zip file of 1 MB that unpacks to 1 GB."""
    return _written(place / "zip_bomb.zip", _zip_of_zeros(zipfile.ZIP_DEFLATED, 1000))


def tar_bomb(place: Path, ledger: bytes) -> Path:
    """Is a tar archive of 0.3 MB in which 300 MB of unpacked data come before the fix."""
    info = tarfile.TarInfo("zeros")
    info.size = 300 * MIB
    members = [gzip.compress(info.tobuf()), *[_packed_zeros()] * 300, gzip.compress(_tarred({"books.py": ledger}))]
    return _written(place / "tar_bomb.tar.gz", b"".join(members))


def zip_of_blocks(place: Path, ledger: bytes) -> Path:
    """Is a bzip2 zip file of less than 1 KB whose 150 MB unpack as one block."""
    return _written(place / "zip_of_blocks.zip", _zip_of_zeros(zipfile.ZIP_BZIP2, 150))


def long_headers(place: Path, ledger: bytes) -> Path:
    """Is a tar archive with a header of 4 MB per file, which is slow to read."""
    return _written(place / "long_headers.tar.gz", _long_headers() + gzip.compress(_tarred({"books.py": ledger})))


def no_name(place: Path, ledger: bytes) -> Path:
    """Contains a file without a name, which breaks archive readers."""
    path = _zipped(place / "no_name.zip", {"books.py": ledger, "nameless": b""})
    path.write_bytes(path.read_bytes().replace(b"nameless", b"\0ameless"))
    return path


def lying_zip(place: Path, ledger: bytes) -> Path:
    """Declares 10 bytes for a member of 1 GB."""
    content = bytearray(_zip_of_zeros(zipfile.ZIP_DEFLATED, 1000))
    start = content.rindex(b"PK\x01\x02")
    content[start + 24 : start + 28] = (10).to_bytes(4, "little")
    return _written(place / "lying_zip.zip", content)


def hundred_megabytes(place: Path, ledger: bytes) -> Path:
    """Is a module of 100 MB."""
    (place / "hundred_megabytes").mkdir()
    with (place / "hundred_megabytes" / "books.py").open("wb") as file:
        file.write(ledger + b"\n#")
        file.truncate(100 * MIB)
    return place / "hundred_megabytes"


def no_unicode(place: Path, ledger: bytes) -> Path:
    """Is a module with invalid UTF-8, NUL bytes, and an unknown encoding."""
    (place / "no_unicode").mkdir()
    (place / "no_unicode" / "books.py").write_bytes(b"# coding: museum\nname = '\xff\xfe'\n\x00" + ledger)
    return place / "no_unicode"


def encoded(place: Path, ledger: bytes) -> Path:
    """Is a module in UTF-7, which hides code from a reader."""
    (place / "encoded").mkdir()
    (place / "encoded" / "books.py").write_bytes(b"# coding: utf-7\n" + ledger.replace(b"+", b"+-"))
    return place / "encoded"


def nested_source(place: Path, ledger: bytes) -> Path:
    """Is a module with 200,000 opening brackets, to exhaust the parser's recursion."""
    (place / "nested_source").mkdir()
    (place / "nested_source" / "books.py").write_bytes(ledger + b"\nx = " + b"(" * 200_000)
    return place / "nested_source"


def constant_bomb(place: Path, ledger: bytes) -> Path:
    """Is a module with a constant expression that is too large to fold: [0] * 9 ** 9 ** 2."""
    (place / "constant_bomb").mkdir()
    (place / "constant_bomb" / "books.py").write_bytes(ledger + b"\nx = [0] * 9 ** 9 ** 2\n")
    return place / "constant_bomb"


def named_to_deceive(place: Path, ledger: bytes) -> Path:
    """Has a name with terminal escapes, workflow commands, and line breaks."""
    folder = place / "z\n::set-output name=solved::true\n\x1b[2J\r"
    folder.mkdir()
    (folder / "books.py").write_bytes(ledger)
    return folder


MAKERS = (
    beside, beside_in_a_folder, leads_out, links, hard_link, device, pipe, linked_folder, zip_bomb, zip_of_blocks,
    tar_bomb, long_headers, no_name, lying_zip, hundred_megabytes, no_unicode, encoded, nested_source, constant_bomb,
    named_to_deceive,
)  # fmt: skip


def _written(path: Path, content: bytes | bytearray) -> Path:
    path.write_bytes(content)
    return path


@functools.cache  # a gigabyte takes seconds to compress, and each tier gets the same
def _zip_of_zeros(method: int, mebibytes: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive, archive.open("books.py", "w") as file:
        for _ in range(mebibytes):
            file.write(bytes(MIB))
    return packed.getvalue()


@functools.cache
def _packed_zeros() -> bytes:
    return gzip.compress(bytes(MIB))


def _long_headers() -> bytes:
    """Return a gzip member with ten files of a tar archive, without the blocks that end it."""
    headers = [f"key{number}=value\n" for number in range(200_000)]
    body = "".join(f"{len(each) + 3} {each}" for each in headers).encode()  # a line's length counts its own digits
    info = tarfile.TarInfo("headers")
    info.type, info.size = tarfile.XHDTYPE, len(body)
    file = info.tobuf() + body.ljust(-(-len(body) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE, b"\0")
    return gzip.compress(file + tarfile.TarInfo("0.py").tobuf(), compresslevel=1) * 10


def _zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _tarred(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            _add(archive, name, content)
    return packed.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
