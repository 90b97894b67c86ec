"""A class folder of more than sixty shapes, made at test time, and the grade that each of them must get."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.pack import RIGHT, WRONG

SOLVED, FAILED = "solved", "failed"  # any other expectation is a part of the note about an unreadable entry
NFC, NFD = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))
OTHER = RIGHT + "# in another way\n"
FOUND = "found {}; expected toy.py (toy)"


@dataclass(frozen=True)
class Shape:
    """The submission of one person: files by their names, and the expected result; `id` if it differs from the name."""

    name: str
    files: dict[str, bytes]
    outcome: str = SOLVED
    id: str = ""


def text(**files: str) -> dict[str, bytes]:
    return {name: content.encode() for name, content in files.items()}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


RIGHT_B, WRONG_B, OTHER_B = RIGHT.encode(), WRONG.encode(), OTHER.encode()
MINE = {"toy.py": RIGHT_B}

PLACES = [
    Shape("plain", MINE),
    Shape("workspace", {"katas/toy/toy.py": RIGHT_B, "pytest.ini": b"[pytest]\naddopts = --nonsense\n"}),
    Shape("of-its-kata", {"toy/toy.py": RIGHT_B}),
    Shape("classroom-repo", {"katas/toy/toy.py": RIGHT_B, ".git/toy.py": WRONG_B, "README.md": b"# Mine\n"}),
    Shape("two-deep", {"one/two/toy.py": RIGHT_B}),
    Shape("three-deep", {"one/two/three/toy.py": RIGHT_B, "one/notes.md": b""}),
    Shape("both-places", {"katas/toy/toy.py": RIGHT_B, "toy.py": WRONG_B}),
    Shape("old-beside", {"old/toy.py": WRONG_B, "work/toy.py": RIGHT_B}),
    Shape("backup-above", {"my backup/katas/toy/toy.py": WRONG_B, "a/b/toy.py": RIGHT_B}),
    Shape("same-twice", {"v1/toy.py": RIGHT_B, "v2/toy.py": RIGHT_B}),
]
NAMES = [
    *(
        Shape(f"name-{number:02}", {name: RIGHT_B})
        for number, name in enumerate(
            ("toy (1).py", "toy-2.py", "Toy.py", "toy_final_v2.py", "toy - Copy.py", "toy.py.txt", "alice_toy.py")
        )
    ),
    Shape("browser", {"toy.py": RIGHT_B, "toy (1).py": WRONG_B}),
    Shape("editors", {"toy.py": RIGHT_B, "toy.py~": WRONG_B, ".toy.py.swp": WRONG_B, "toy.py.bak": WRONG_B}),
    Shape("own-tests", {"toy.py": RIGHT_B, "test_toy.py": WRONG_B, "conftest.py": b"raise SystemExit"}),
]
TOOLS = [
    Shape("macos", {"toy.py": RIGHT_B, "._toy.py": WRONG_B, ".DS_Store": b"\0", "__MACOSX/toy.py": WRONG_B}),
    Shape("environment", {"toy.py": RIGHT_B, ".venv/lib/toy/toy.py": WRONG_B, "venv/toy/toy.py": WRONG_B}),
    Shape("node", {"src/toy.py": RIGHT_B, **{f"node_modules/{number}/toy.py": WRONG_B for number in range(50)}}),
    Shape("cache", {"toy.py": RIGHT_B, "__pycache__/toy.cpython-311.pyc": b"\0"}),
    Shape("only-macos", {"__MACOSX/toy.py": RIGHT_B, "._toy.py": RIGHT_B}, FOUND.format("no file")),
]
TEXTS = [
    Shape("utf-8-bom", {"toy.py": b"\xef\xbb\xbf" + RIGHT_B}),
    Shape("utf-16-le", {"toy.py": b"\xff\xfe" + RIGHT.encode("utf-16-le")}),
    Shape("utf-16-be", {"toy.py": b"\xfe\xff" + RIGHT.encode("utf-16-be")}),
    Shape("windows", {"toy.py": RIGHT_B.replace(b"\n", b"\r\n")}),
    Shape("latin-1", {"toy.py": b"# coding: latin-1\n# \xe4\n" + RIGHT_B}),
    Shape("no-text", {"toy.py": b"\xff\xfe\x00"}, "toy.py starts like UTF-16 but is not valid UTF-16"),
    Shape("bytes", {"toy.py": b'X = "\xe4"\n' + RIGHT_B}, FAILED),
]
WRONGS = [
    Shape("wrong", {"toy.py": WRONG_B}, FAILED),
    Shape("wrong-packed", {"work.zip": zipped({"toy.py": WRONG_B})}, FAILED),
    Shape("raises", {"toy.py": b"raise RuntimeError\n"}, FAILED),
    Shape("syntax", {"toy.py": b"class Thing\n"}, FAILED),
    Shape("nothing", {"toy.py": b""}, FAILED),
]
UNREADABLE = [
    Shape("empty", {}, FOUND.format("no file")),
    Shape("other-file", {"toy.txt": RIGHT_B, "notes.md": b""}, FOUND.format("notes.md, toy.txt")),
    Shape("backup-only", {"toy.py.bak": RIGHT_B}, FOUND.format("toy.py.bak")),
    Shape("rar", {"work.rar": b"Rar!"}, "supported archives: .zip, .tar.gz, .tgz, .tar"),
    Shape("different", {"v1/toy.py": RIGHT_B, "v2/toy.py": OTHER_B}, "v1/toy.py and v2/toy.py can each be toy.py"),
    Shape("numbers", {"toy-1.py": RIGHT_B, "toy-2.py": OTHER_B}, "toy-1.py and toy-2.py can each be toy.py"),
    Shape("large", {"toy.py": b"#" * (1 << 20) + RIGHT_B}, "has more than 1 MiB"),
    Shape("damaged", {"work.zip": b"PK\x03\x04"}, "work.zip is damaged"),
    Shape("report.docx", {"": b"PK"}, FOUND.format("report.docx")),
    Shape("broken.zip", {"": b"PK"}, "is damaged"),
]
ARCHIVES = [
    Shape("al.zip", {"": zipped(MINE)}),
    Shape("al.tar.gz", {"": gzip.compress(tarred(MINE))}),
    Shape("al.tgz", {"": gzip.compress(tarred({"./al/toy.py": RIGHT_B}))}),
    Shape("al.tar", {"": tarred({"katas/toy/toy.py": RIGHT_B})}),
    Shape("BO.ZIP", {"": zipped({"bo/toy.py": RIGHT_B, "__MACOSX/bo/._toy.py": WRONG_B})}),
    Shape("windows.zip", {"": zipped({"katas\\toy\\toy.py": RIGHT_B})}),
    Shape("zip-in-zip.zip", {"": zipped({"inner/work.zip": zipped({"x/toy.py": RIGHT_B})})}),
    Shape("packed-inside", {"work.zip": zipped(MINE), "notes.md": b""}),
    Shape("tar-inside", {"work.tar.gz": gzip.compress(tarred(MINE))}),
]
PLATFORMS = [
    Shape("smithal_12345_67890_toy.py", {"": RIGHT_B}),
    Shape("smithbo_LATE_12346_67891_toy-2.py", {"": RIGHT_B}),
    Shape("smithcy_12347_67892_work.zip", {"": zipped(MINE)}),
    Shape("smithdi_12348_67893_notes.txt", {"": b""}, FOUND.format("smithdi_12348_67893_notes.txt")),
    Shape("Alice Smith_123_assignsubmission_file_", MINE),
    Shape("Bob Smith_124_assignsubmission_file_", MINE, id="Bob Smith_124"),
    Shape("submission_1", MINE),
]
IDS = [
    Shape(NFC, MINE, id=f"{NFC} (2)"),
    Shape(NFD, {"toy.py": WRONG_B}, FAILED),
    Shape("Dora", MINE),
    Shape("dora", {"toy.py": WRONG_B}, FAILED, id="dora (2)"),
    Shape("back\\slash", MINE, id="back\\\\slash"),
    Shape("esc\x1b", MINE, id="esc\\x1b"),
    Shape("grades.json", MINE),
    Shape("grades.json.part", MINE),
]
SHAPES = [*PLACES, *NAMES, *TOOLS, *TEXTS, *WRONGS, *UNREADABLE, *ARCHIVES, *PLATFORMS, *IDS]
BESIDE = {
    "grades.csv": b"name,grade\n",
    "index.html": b"<p>Submissions</p>\n",
    "submission_metadata.yml": b":submission_1: {}\n",
    "README.md": b"# The class\n",
    ".DS_Store": b"\0",
    "__MACOSX/._al.zip": b"\0",
    "Bob Smith_124_assignsubmission_onlinetext_/onlinetext.html": b"<p>Done</p>\n",
}


def files() -> dict[str, bytes]:
    """The files of the whole class, and an empty folder for an entry without any."""
    found = {f"{shape.name}/{name}".rstrip("/"): content for shape in SHAPES for name, content in shape.files.items()}
    return {**found, **{f"{shape.name}/": b"" for shape in SHAPES if not shape.files}, **BESIDE}


def make(folder: Path) -> None:
    """Make the class folder."""
    for name, content in files().items():
        place = os.path.join(folder, name)  # noqa: PTH118 - a name may end with a slash
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        if not name.endswith("/"):
            Path(place).write_bytes(content)


def packed(skipped: str = "back\\slash") -> bytes:
    """Return the class in one archive; a backslash in a name separates folders there."""
    return zipped({name: content for name, content in files().items() if not name.startswith(skipped)})


def expected() -> dict[str, str]:
    """The expected result of each entry, by its id."""
    return {shape.id or shape.name: shape.outcome for shape in SHAPES}
