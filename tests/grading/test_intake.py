"""Classes as files: entries, their ids, and their grades by `kata grade`."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tarfile
import tracemalloc
import unicodedata
import zipfile
from pathlib import Path

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.errors import UserError
from drill_katas.grading.archives import MIB
from drill_katas.grading.intake import Inbox, distinct, find
from drill_katas.grading.shapes import Layout
from drill_katas.grading.submission import Entry
from tests.support.commands import kata, refused
from tests.support.pack import RIGHT, WRONG, Pack

KATAS = list(shipped())
LEDGER = [shipped().get("fp_drift")]
SHOP = [shipped().get("red_herring")]
NFC, NFD = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


def folder(place, files):
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def packed(files):
    """The bytes of a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def read(path, katas=LEDGER, layout=Layout.AUTO):
    """The entries at a path: each id with its first file, or the reason without one."""
    with Inbox() as inbox:
        found = [inbox.read(entry, katas) for entry in distinct(find(path, katas, layout).entries)]
    return {of.id: next(iter(of.files.values())).decode() if of.kata else of.notes[-1] for of in found}


# Files


def test_equally_good_candidates_that_differ_are_refused(tmp_path):
    work = folder(tmp_path / "work", {"alice/v1/ledger.py": "1", "alice/v2/ledger.py": "2", "bob/x.zip": packed({})})
    assert read(work)["alice"] == (
        "unreadable: v1/ledger.py and v2/ledger.py can each be ledger.py, and their contents differ; submit one of them"
    )
    folder(work, {"alice/v2/ledger.py": "1"})
    assert read(work)["alice"] == "1"


def test_what_was_found_instead_is_listed(tmp_path):
    work = folder(
        tmp_path / "work", {"al/ledger.txt": "", "al/notes.md": "", "bo/ledger.py.bak": "", "cy/work.rar": ""}
    )
    assert read(work) == {
        "al": "unreadable: found ledger.txt, notes.md; expected ledger.py (fp_drift)",
        "bo": "unreadable: found ledger.py.bak; expected ledger.py (fp_drift)",
        "cy": "unreadable: found work.rar; expected ledger.py (fp_drift); supported archives: "
        ".zip, .tar.gz, .tgz, .tar",
    }


@pytest.mark.parametrize(
    "files",
    [
        {"alice/ledger.py": "a", "bob/ledger.py": "b"},
        {"class/alice/ledger.py": "a", "class/bob/ledger.py": "b", "class/grades.csv": ""},
        {"alice\\ledger.py": "a", "bob\\katas\\fp_drift\\ledger.py": "b"},
        {"alice/work.zip": packed({"ledger.py": "a"}), "bob/x/ledger.py": "b", "__MACOSX/alice/._ledger.py": ""},
    ],
)
def test_class_archive_is_read_as_class(tmp_path, files):
    (tmp_path / "class.zip").write_bytes(packed(files))
    assert read(tmp_path / "class.zip") == {"alice": "a", "bob": "b"}
    assert read(folder(tmp_path / "class", {n.replace("\\", "/"): c for n, c in files.items()})) == {
        "alice": "a",
        "bob": "b",
    }


def test_flat_class_archive_is_read_as_class(tmp_path):
    """As Canvas downloads all submissions: one zip of files alone."""
    files = {
        "smithal_12345_67890_ledger.py": "a",
        "smithbo_LATE_12346_67891_ledger-2.py": "b",
        "smithcy_12347_67892_ledger.py": "c",
    }
    (tmp_path / "submissions.zip").write_bytes(packed(files))
    assert list(read(tmp_path / "submissions.zip").values()) == ["a", "b", "c"]
    assert read(tmp_path / "submissions.zip") == read(folder(tmp_path / "class", files))


def test_archives_in_class_archive_are_entries(tmp_path):
    twice = packed({"inner/work.zip": packed({"b/ledger.py": "b"})})
    (tmp_path / "class.zip").write_bytes(packed({"alice.zip": packed({"ledger.py": "a"}), "bob.zip": twice}))
    assert read(tmp_path / "class.zip") == {"alice.zip": "a", "bob.zip": "b"}


def test_an_ambiguous_archive_needs_a_layout(tmp_path):
    (tmp_path / "al.zip").write_bytes(packed({"mine/ledger.py": "a", "pictures/x.png": ""}))
    with pytest.raises(UserError, match=r"only one contains a kata's files; --layout one, or --layout folders"):
        read(tmp_path / "al.zip")
    assert read(tmp_path / "al.zip", layout=Layout.ONE) == {"al.zip": "a"}
    assert list(read(tmp_path / "al.zip", layout=Layout.FOLDERS)) == ["mine", "pictures"]


@pytest.mark.long
def test_an_archive_with_an_environment_is_judged(tmp_path):
    """Thousands of files, of more bytes than any submission needs, and one that counts."""
    many = {f"{folder}/{number}.js": "" for folder in ("node_modules", "vendored") for number in range(10_500)}
    noise = os.urandom(12 * MIB)
    with zipfile.ZipFile(tmp_path / "al.zip", "w") as archive:
        for name, content in {"libs/whole.so": noise, "ledger.py": "a", **many}.items():
            archive.writestr(name, content)
    with tarfile.open(tmp_path / "bo.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, content in {".venv/libs.so": bytes(120 * MIB), "ledger.py": b"a", **dict.fromkeys(many, b"")}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "cy.zip").write_bytes(packed({"work.zip": (tmp_path / "al.zip").read_bytes()}))
    assert read(tmp_path) == {"al.zip": "a", "bo.tar.gz": "a", "cy.zip": "a"}


def test_many_equal_candidates_are_not_all_read(tmp_path):
    (tmp_path / "al.zip").write_bytes(packed({f"{number}/ledger.py": "a" for number in range(2_000)}))
    (refusal,) = read(tmp_path / "al.zip", layout=Layout.ONE).values()
    assert "2000 files can each be ledger.py, such as 0/ledger.py and 1/ledger.py; submit one of them" in refusal


def test_linked_entries_have_no_file(tmp_path):
    files = {"alice/ledger.py": "a", "bob/ledger.py": "b", "carol/toy": ""}
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name in ("dave", "carol/ledger.py"):
            link = zipfile.ZipInfo(name)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
        archive.writestr("../out.py", "")
    assert read(tmp_path / "class.zip") == {
        "alice": "a",
        "bob": "b",
        "carol": "unreadable: found ledger.py, toy; expected ledger.py (fp_drift)",
        "dave": "unreadable: found dave; expected ledger.py (fp_drift)",
    }


def test_archive_listing_millions_of_files_is_refused(tmp_path):
    """Each of its records takes 46 bytes of the archive, and ten times as much memory."""
    content = packed({"ledger.py": "a"})
    record = content[content.index(b"PK\x01\x02") : content.index(b"PK\x05\x06")]
    many = record * (17 * 2**20 // len(record))
    end = content[content.index(b"PK\x05\x06") :]
    path = tmp_path / "class.zip"
    path.write_bytes(content[: content.index(record)] + many + end[:12] + len(many).to_bytes(4, "little") + end[16:])
    tracemalloc.start()
    assert list(read(path).values()) == ["unreadable: it has too many files; submit only your own files"]
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_doubt_has_no_control_characters(tmp_path):
    folder(tmp_path, {"\x1b[2J_ledger.py": "", "b_ledger.py": ""})
    with pytest.raises(UserError) as message:
        find(tmp_path, LEDGER)
    assert "\\x1b[2J_ledger.py" in str(message.value)
    assert "\x1b" not in str(message.value)


def test_a_nul_makes_no_other_name(tmp_path):
    content = packed({"ledger.pyQx": "evil", "ledger.py": "fine"}).replace(b"ledger.pyQx", b"ledger.py\0x")
    (tmp_path / "al.zip").write_bytes(content)
    assert read(tmp_path / "al.zip") == {"al.zip": "fine"}


def test_utf_16_is_judged_and_noted(tmp_path):
    path = folder(tmp_path, {"ledger.py": "x = 'ä'\r\n".encode("utf-16")})
    with Inbox() as inbox:
        of = inbox.read(Entry("al", path), LEDGER)
    assert (of.files["ledger.py"].decode(), of.notes) == (
        "x = 'ä'\r\n",
        ("ledger.py is in UTF-16, which Python cannot read; judged as UTF-8",),
    )
    for codec, mark in (("utf-32", "UTF-32"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16")):
        folder(tmp_path, {"ledger.py": "x = 'ä'\r\n".encode(codec)})
        with Inbox() as inbox:
            of = inbox.read(Entry("al", path), LEDGER)
        assert (of.files["ledger.py"].decode(), of.notes[0].split(",")[0]) == ("x = 'ä'\r\n", f"ledger.py is in {mark}")
    folder(tmp_path, {"ledger.py": b"\xff\xfe\x00"})
    assert "ledger.py starts like UTF-16 but is not valid UTF-16" in read(tmp_path)[tmp_path.name]


# Ids


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ([NFC, NFD], [NFC, f"{NFD} (2)"]),
        (["Al", "al", "al (2)"], ["Al", "al (2)", "al (2) (2)"]),
        (["a\x1b", "a\\x1b"], ["a\\x1b", "a\\\\x1b"]),
        (["al.zip", "al.tar.gz", "al"], ["al.zip", "al.tar.gz", "al"]),
        (["Straße", "STRASSE"], ["Straße", "STRASSE (2)"]),
    ],
)
def test_ids_never_collide(names, ids):
    assert [entry.id for entry in distinct([Entry(name, Path(name)) for name in names])] == ids


# The command


def test_a_flat_class_is_graded_each_file(pack):
    folder(pack.work, {
        "smithal_12345_67890_toy.py": RIGHT,
        "smithbo_LATE_12346_67891_toy-2.py": WRONG,
        "smithcy_12347_67892_work.zip": packed({"x/toy.py": RIGHT}),
        "smithdi_12348_67893_notes.txt": "",
        "grades.csv": "",
    })  # fmt: skip
    result = kata(pack.root, "grade", pack.work, "--kata", "toy", "--json", pack.file, env=pack.env)
    assert "note: not graded, because they are not submissions: grades.csv" in result.stderr
    grades = pack.grades()
    assert [(id_[:7], grade["solved"]) for id_, grade in grades.items()] == [
        ("smithal", True), ("smithbo", False), ("smithcy", True), ("smithdi", False),
    ]  # fmt: skip
    assert [grade["score"] for grade in grades.values()] == [100, 0, 100, 0]
    assert list(grades.values())[3]["notes"] == [
        "unreadable: found smithdi_12348_67893_notes.txt; expected toy.py (toy)"
    ]


def test_encodings_python_reads_are_judged_unchanged(pack):
    for name, content in {
        "bom": b"\xef\xbb\xbf" + RIGHT.encode(),
        "crlf": RIGHT.replace("\n", "\r\n").encode(),
        "latin": b"# coding: latin-1\n# \xe4\n" + RIGHT.encode(),
        "utf16": RIGHT.encode("utf-16"),
    }.items():
        folder(pack.work / name, {"toy.py": content})
    grades = pack.grade()
    assert {name: grade["solved"] for name, grade in grades.items()} == dict.fromkeys(grades, True)
    assert [bool(grade["notes"]) for grade in grades.values()] == [False, False, False, True]


@pytest.mark.long
def test_ambiguous_files_require_a_layout_option(pack):
    folder(pack.work, {"toy.py": RIGHT, "toy (1).py": WRONG})
    message = refused(kata(pack.root, "grade", pack.work, "--kata", "toy", env=pack.env))
    assert message.endswith("toy (1).py, toy.py can each be toy.py; --layout one, or --layout flat for a class")
    assert {id_: grade["solved"] for id_, grade in pack.grade("--kata", "toy", "--layout", "flat").items()} == {
        "toy (1).py": False, "toy.py": True,
    }  # fmt: skip
    assert [grade["solved"] for grade in pack.grade("--kata", "toy", "--layout", "one").values()] == [True]
