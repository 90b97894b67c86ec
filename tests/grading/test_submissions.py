"""Submissions: folders and archives, honest and hostile. Reading always returns a record."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.grading import files as files_of_entries
from drill_katas.grading import submission
from drill_katas.grading.archives import MIB
from drill_katas.grading.files import MOST_BYTES, MOST_FILES
from drill_katas.grading.intake import distinct, find
from drill_katas.grading.submission import Entry

KATAS = list(shipped())
FIX = b"class Ledger: ...\n"
TOO_MUCH = "it has too many files or too large headers; submit only your own files"


def read(path, katas=KATAS):
    return submission.read(Entry(path.name, path), katas)


def taken(path, katas=KATAS):
    """The kata, its files, and the notes."""
    of = read(path, katas)
    assert of.kata is not None, of.notes
    return of.kata.name, dict(of.files), of.notes


def refusal(path, katas=KATAS):
    of = read(path, katas)
    assert of.kata is None
    assert not of.files
    (note,) = of.notes
    assert note.startswith("unreadable: ")
    return note.removeprefix("unreadable: ")


def folder(place, files):
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return place


def zipped(place, files):
    path = place / "work.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(place, files, name="work.tar.gz"):
    path = place / name
    with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as archive:
        for member, content in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def in_folder(place, files):
    return folder(place / "work", files)


KINDS = pytest.mark.parametrize("make", [in_folder, zipped, tarred])


# Honest submissions


@KINDS
@pytest.mark.parametrize("place", ["", "fp_drift/", "katas/fp_drift/", "alice/", "alice/katas/fp_drift/", "./"])
def test_editable_files_are_found_in_any_folder(tmp_path, make, place):
    assert taken(make(tmp_path, {f"{place}ledger.py": FIX})) == ("fp_drift", {"ledger.py": FIX}, ())


@KINDS
def test_other_files_are_ignored_and_listed(tmp_path, make):
    more = dict.fromkeys(("conftest.py", "pytest.ini", "sitecustomize.py", "a.pth", "test_fp_drift.py", "z/z.py"), b"")
    name, files, (note,) = taken(make(tmp_path, {"ledger.py": FIX, **more}))
    assert (name, set(files)) == ("fp_drift", {"ledger.py"})
    assert note == "ignored: a.pth, conftest.py, pytest.ini, sitecustomize.py, test_fp_drift.py and 1 more"


def test_files_present_identify_the_kata(tmp_path):
    for kata in KATAS:
        work = folder(tmp_path / kata.name, dict.fromkeys(kata.manifest.editable, FIX))
        assert taken(work)[0] == kata.name
    both = folder(
        tmp_path / "both", {f"{kata.name}/{name}": FIX for kata in KATAS[:2] for name in kata.manifest.editable}
    )
    assert "choose one with --kata NAME" in refusal(both)
    assert taken(both, KATAS[:1])[0] == KATAS[0].name


def test_places_with_the_katas_name_win(tmp_path):
    files = {"ledger.py": b"old", "katas/fp_drift/ledger.py": b"new"}
    assert taken(folder(tmp_path / "work", files))[1] == {"ledger.py": b"new"}


def test_submissions_are_found_by_name(tmp_path):
    folder(tmp_path / "bob", {"ledger.py": FIX})
    (tmp_path / "carol").mkdir()
    zipped(tmp_path, {"ledger.py": FIX}).rename(tmp_path / "alice.zip")
    (tmp_path / "work.rar").write_text("")
    (tmp_path / "dave").symlink_to(tmp_path / "bob")
    (tmp_path / "grades.json").write_text("{}")
    for besides in (".git", "__MACOSX"):
        (tmp_path / besides).mkdir()
    found = find(tmp_path, KATAS, own=tmp_path / "grades.json")
    assert [entry.id for entry in found.entries] == ["alice.zip", "bob", "carol", "dave", "work.rar"]
    assert refusal(tmp_path / "dave") == "it is a link; submit the file or folder itself"
    assert refusal(tmp_path / "work.rar").startswith("found work.rar; expected ")
    for one in ("alice.zip", "bob"):
        assert [entry.id for entry in find(tmp_path / one, KATAS).entries] == [one]


# Hostile submissions


@KINDS
def test_what_is_missing_is_said(tmp_path, make):
    assert refusal(make(tmp_path, {"readme.md": b""}), [shipped().get("fp_drift")]) == (
        "found readme.md; expected ledger.py (fp_drift)"
    )
    assert "expected" in refusal(make(tmp_path, {"stock.py": FIX, "checkout.py": FIX}))


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", ["../ledger.py", "/ledger.py", "a/../../ledger.py", "C:\\ledger.py", "..\\ledger.py"])
def test_names_leading_outside_are_ignored(tmp_path, make, name):
    assert "; expected " in refusal(make(tmp_path, {name: FIX}))
    _, _, notes = taken(make(tmp_path, {"fp_drift/ledger.py": FIX, name: b""}))
    assert notes == (f"ignored: {submission.printable(name)}",)


def test_very_long_name_is_cut_in_messages(tmp_path):
    name = f"{'x' * 60_000}.py"
    ((_, _, (note,)), message) = (
        taken(zipped(tmp_path, {"ledger.py": FIX, name: b""})),
        refusal(zipped(tmp_path, {name: b"", f"./{name}": b""})),
    )
    assert note.endswith("x…")
    assert message.startswith("it has two files named xxx")
    assert max(len(note), len(message)) < 500


def test_links_and_devices_in_folder_are_ignored(tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_bytes(b"secret")
    for kind, make in {
        "link": lambda file: file.symlink_to(secret),
        "pipe": os.mkfifo,
        "folder": lambda file: file.mkdir(),
    }.items():
        work = tmp_path / kind
        work.mkdir()
        make(work / "ledger.py")
        assert "; expected " in refusal(work)
    elsewhere = folder(tmp_path / "elsewhere", {"ledger.py": b"secret"})
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "fp_drift").symlink_to(elsewhere)
    assert "; expected " in refusal(tmp_path / "outer")
    folder(tmp_path / "outer" / "katas" / "fp_drift", {"ledger.py": FIX})
    os.mkfifo(tmp_path / "outer" / "pipe")
    assert taken(tmp_path / "outer") == ("fp_drift", {"ledger.py": FIX}, ("ignored: fp_drift, pipe",))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_and_devices_in_tar_are_ignored(tmp_path, kind):
    path = tmp_path / "work.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("ledger.py")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    assert "; expected " in refusal(path)
    with tarfile.open(path, "a") as archive:
        content = tarfile.TarInfo("fp_drift/ledger.py")
        archive.addfile(content)
    listed = () if kind == tarfile.DIRTYPE else ("ignored: ledger.py",)
    assert taken(path) == ("fp_drift", {"ledger.py": b""}, listed)


def test_links_in_zip_archive_are_ignored(tmp_path):
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("ledger.py")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "; expected " in refusal(path)


@KINDS
def test_too_large_files_are_not_read(tmp_path, make):
    message = refusal(make(tmp_path, {"ledger.py": b"#" * (MOST_BYTES + 1)}))
    assert message == "ledger.py has more than 1 MiB"


def test_sparse_terabyte_file_is_refused_at_once(tmp_path):
    (tmp_path / "work").mkdir()
    with (tmp_path / "work" / "ledger.py").open("wb") as file:
        file.truncate(1 << 40)
    assert refusal(tmp_path / "work") == "ledger.py has more than 1 MiB"


def test_tar_bomb_is_refused_before_unpacking(tmp_path):
    path = tmp_path / "work.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive, Path("/dev/zero").open("rb") as zeros:
        info = tarfile.TarInfo("zeros")
        info.size = 600 * MIB
        archive.addfile(info, zeros)
    assert path.stat().st_size < 10 * MIB
    assert refusal(path) == "it has more than 500 MiB unpacked; submit only your own files"


def test_endless_headers_are_refused_before_filling_memory(tmp_path):
    """Folders without content, and a header that declares the size of the whole archive."""
    many, large = tmp_path / "many.tar.gz", tmp_path / "large.tar.gz"
    with tarfile.open(many, "w:gz", compresslevel=1) as archive:
        for number in range(40_000):
            info = tarfile.TarInfo(f"{number}")
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
    assert refusal(many) == TOO_MUCH
    header = tarfile.TarInfo("header")
    header.type, header.size = tarfile.XHDTYPE, 300 * MIB
    with gzip.open(large, "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        for _ in range(300):
            file.write(b"0" * MIB)
    tracemalloc.start()
    assert refusal(large) == TOO_MUCH
    assert tracemalloc.get_traced_memory()[1] < 120 * MIB
    tracemalloc.stop()


def test_names_that_are_no_text_are_escaped(tmp_path):
    work = os.fsencode(tmp_path) + b"/bad\xff\x1b[31m"
    os.mkdir(work)  # noqa: PTH102
    for name in (b"ledger.py", b"\xff\x1b[2J"):
        with open(work + b"/" + name, "wb"):  # noqa: PTH123
            pass
    (entry,) = distinct(find(tmp_path, KATAS).entries)
    of = submission.read(entry, KATAS)
    assert of.id == r"bad\udcff\x1b[31m"
    assert of.notes == (r"ignored: \udcff\x1b[2J",)


@pytest.mark.parametrize("make", [in_folder, zipped])
def test_too_many_files_are_refused(tmp_path, make, monkeypatch):
    """The bound is lowered here, because 100,001 files take long to make."""
    assert MOST_FILES == 100_000
    monkeypatch.setattr(files_of_entries, "MOST_FILES", 1_000)
    names = [f"{number}.py" for number in range(1_001)]
    if make is in_folder:
        (tmp_path / "work").mkdir()
        for name in names:
            (tmp_path / "work" / name).touch()
        message = refusal(tmp_path / "work")
    else:
        message = refusal(make(tmp_path, dict.fromkeys(names, b"")))
    assert message == "it has more than 1,000 files; submit only your own files"


def test_very_large_archive_is_never_opened(tmp_path):
    path = tmp_path / "work.zip"
    with path.open("wb") as file:
        file.truncate(501 * MIB)
    assert refusal(path) == "it has more than 500 MiB; submit only your own files"


def test_one_name_twice_is_refused(tmp_path):
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ledger.py", "one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ledger.py", "two")
    assert refusal(path) == "it has two files named ledger.py"


@pytest.mark.parametrize("name", ["work.zip", "work.tar.gz", "work.tgz", "work.tar"])
@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive at all", b"\x1f\x8b\x08\x00" + b"\xff" * 50])
def test_invalid_archive_is_reported_as_damaged(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path).startswith("it is damaged (")


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_cut_archive_gets_a_record(tmp_path, make):
    content = make(tmp_path, {"ledger.py": os.urandom(2000), "more.py": os.urandom(2000)}).read_bytes()
    for length in range(0, len(content) - 1, 97):
        path = tmp_path / make(tmp_path, {"x": b""}).name
        path.write_bytes(content[:length])
        of = read(path)
        assert of.kata is not None or of.notes[0].startswith("unreadable: ")


def test_an_encrypted_archive_is_refused(tmp_path):
    path = zipped(tmp_path, {"ledger.py": FIX})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1  # the flag "encrypted"
    path.write_bytes(content)
    assert "encrypted" in refusal(path)


def test_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "gone.zip") == "it does not exist"


def test_archive_name_may_be_in_capitals(tmp_path):
    assert taken(zipped(tmp_path, {"ledger.py": FIX}).rename(tmp_path / "WORK.ZIP"))[1] == {"ledger.py": FIX}


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_damaged_archive_gets_a_record(tmp_path, make):
    content = make(tmp_path, {"ledger.py": os.urandom(200), "more.py": FIX}).read_bytes()
    for place, value in itertools.product(range(len(content)), (0x00, 0x0E, 0xFF)):
        path = tmp_path / make(tmp_path, {"x": b""}).name
        path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        of = read(path)
        assert of.kata is not None or of.notes[0].startswith("unreadable: ")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zips_of_large_blocks_are_refused(tmp_path, method):
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w", method) as archive, archive.open("ledger.py", "w") as file:
        for _ in range(50):
            file.write(bytes(MIB))
    tracemalloc.start()
    assert "has an unsupported compression method" in refusal(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < MIB


@pytest.mark.long
@pytest.mark.parametrize(("files", "records"), [(1, 50_000), (8_000, 300)])
def test_tars_with_long_headers_are_refused(tmp_path, files, records):
    path = tmp_path / "work.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as archive:
        for number in range(files):
            info = tarfile.TarInfo(f"{number}.py")
            info.pax_headers = {f"key{each}": "value" for each in range(records)}
            archive.addfile(info)
    assert refusal(path) == TOO_MUCH


def test_tars_with_long_names_are_read(tmp_path):
    files = {f"{'folder/' * 20}{number}.py": FIX for number in range(1_000)}
    assert taken(tarred(tmp_path, {"ledger.py": FIX, **files}))[1] == {"ledger.py": FIX}
