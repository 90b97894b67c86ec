"""The file of a post-mortem: its first text, its generated blocks, and what a person wrote."""

from __future__ import annotations

import os
import re

import pytest

from drill_katas.postmortem.document import SECTIONS
from drill_katas.practice.journal import Journal, Reviewed
from tests.support.commands import done, kata, refused, words
from tests.support.studied import checked, edit, file_of, without_blocks
from tests.support.toy import add_kata


def journal(folder):
    return Journal(folder / ".kata" / Journal.NAME).read().events


def test_first_run_writes_all_sections(herring):
    assert "created" in done(herring, "postmortem", "red_herring")
    text = file_of(herring).read_text(encoding="utf-8")
    assert re.findall("^## (.+)", text, re.MULTILINE) == list(SECTIONS)
    assert "kata: red_herring\nvariant: original\n" in text
    assert re.search(r"\| good requests in the worst part \| \d+ of \d+ \(\d+%\) \|", text)
    assert re.search(r"\| 02:45:00 \| back-office: drop on sale \| log-\d+ \|", text)
    assert re.search(r"\| \d+:\d\d \| experiment no_drop: 100% of .* \| j-[0-9a-f]{6} \|", text)
    assert "+        with Session(self._engine) as session, session.begin():" in text


def test_second_run_changes_nothing(reference, tmp_path):
    before = reference.read_bytes()
    assert "unchanged" in done(tmp_path, "postmortem", "red_herring")
    assert reference.read_bytes() == before


def test_refresh_keeps_other_bytes(herring):
    done(herring, "postmortem", "red_herring")
    file = file_of(herring)
    edit(file, "## What went well\n", "## What went well\n\ttabs, trailing  \n\xa0Grüße ✓\u2028 x\n\n")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n") + b"last line without an end")
    before = file.read_bytes()
    module = file.with_name("checkout.py")
    module.write_text(module.read_text(encoding="utf-8") + "\n# another line\n", encoding="utf-8")
    assert "refreshed" in done(herring, "postmortem", "red_herring")
    after = file.read_bytes()
    assert "+# another line" in after.decode()
    assert without_blocks(after.decode()) == without_blocks(before.decode())
    assert b"\n" not in after.replace(b"\r\n", b"")


def test_words_in_a_block_are_kept(reference, tmp_path):
    edit(reference, "| worst part |", "| my own words | kept |\n| worst part |")
    before = reference.read_bytes()
    output = words(done(tmp_path, "postmortem", "red_herring"))
    assert "the generated block `impact` was edited by hand, so it is not refreshed" in output
    assert reference.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (r"<!-- generated: fix \w+ -->\n", "the generated block `fix` is missing"),
        (r"<!-- end -->\n(?=\nFrom 02:56)", "the block `impact` has no end"),
        (r"<!-- generated: alerts (?=\w+ -->)", "`<!-- end -->` ends no generated block"),
    ],
)
def test_a_damaged_marker_is_reported(reference, tmp_path, damage, message):
    text = reference.read_text(encoding="utf-8")
    damaged, times = re.subn(damage, "", text)
    assert times == 1
    reference.write_text(damaged, encoding="utf-8")
    assert message in words(done(tmp_path, "postmortem", "red_herring"))
    assert reference.read_text(encoding="utf-8") == damaged
    assert any(message in finding["message"] for finding in checked(tmp_path)["findings"])


def test_without_incident_the_command_is_named(tmp_path):
    done(tmp_path, "init", ".")
    assert "`kata incident red_herring`" in refused(kata(tmp_path, "postmortem", "red_herring"))
    module = tmp_path / "katas" / "red_herring" / "checkout.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    message = refused(kata(tmp_path, "postmortem", "red_herring"))
    assert re.search(r"`kata incident red_herring --from \S+/katas/red_herring`", message)
    assert not file_of(tmp_path).exists()


def test_a_kata_without_incident_is_refused(answered):
    add_kata(answered, "ferry", level=3, title="The ferry")
    assert "incident" in refused(kata(answered.root, "postmortem", "ferry"))


def test_another_variant_keeps_its_file(reference, tmp_path):
    edit(reference, "variant: original", "variant: harbour")
    before = reference.read_bytes()
    for options in ([], ["--check"]):
        message = refused(kata(tmp_path, "postmortem", "red_herring", *options))
        assert "is about the variant harbour, and you work on original now" in message
    assert reference.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# Störung\n".encode("latin-1"), "is not UTF-8 text (byte 0xf6 in line 1)"),
        (b"words " * 900_000, "has 5.4 MB, and a post-mortem has at most 0.26 MB"),
    ],
)
def test_an_unreadable_file_stays(herring, content, message):
    file_of(herring).write_bytes(content)
    for options in ([], ["--check"], ["--html", "page.html"]):
        assert message in refused(kata(herring, "postmortem", "red_herring", *options))
    assert file_of(herring).read_bytes() == content


def test_a_folder_in_its_place_is_reported(herring):
    file_of(herring).mkdir()
    assert "POSTMORTEM.md (Is a directory)" in refused(kata(herring, "postmortem", "red_herring"))


def test_check_before_the_first_text(herring):
    assert "`kata postmortem red_herring` writes one" in refused(kata(herring, "postmortem", "red_herring", "--check"))


def test_a_check_is_in_the_journal(reference, tmp_path):
    review = checked(tmp_path)
    (event,) = [event for event in journal(tmp_path) if isinstance(event, Reviewed)]
    assert (event.variant, event.score, event.findings) == ("original", review["score"], 0)
    assert os.fspath(reference)
    assert f"post-mortem: {event.score} points, 0 findings" in words(done(tmp_path, "history", "red_herring"))
