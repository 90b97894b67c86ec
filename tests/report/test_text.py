"""How text is broken at the terminal's width: at spaces, and never within quotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill_katas.report.text import folded, plain, wrapped

WORDS = st.lists(st.text("abc-", min_size=1, max_size=9), min_size=1, max_size=4).map(" ".join)
QUOTES = st.sampled_from(["`{}`", '"{}"', "'{}'"])
TEXTS = st.lists(st.one_of(WORDS, st.builds(str.format, QUOTES, WORDS)), max_size=8).map(" ".join)


@pytest.mark.parametrize("broken", [wrapped, folded])
@given(text=TEXTS)
@settings(deadline=None)
def test_no_line_ends_within_quotes(broken, text):
    """Every quoted piece of the text is on one line, and nothing is lost but spaces at the ends of lines."""
    lines = broken(text, 60, "  ")
    lines = lines.splitlines() if isinstance(lines, str) else [plain(each) for each in lines]
    assert all(len(line) <= 60 for line in lines)
    for quoted in re.findall(r"`[^`]+`|\"[^\"]*\"|'[^']*'", text):
        assert any(quoted in line for line in lines), quoted
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


def test_a_command_is_not_broken_in_two():
    lines = [
        plain(each)
        for each in wrapped("mend katas/n_plus_one/models.py and run `pytest --kata n_plus_one` again", 60, "")
    ]
    assert lines == ["mend katas/n_plus_one/models.py and run", "`pytest --kata n_plus_one` again"]


def test_too_long_path_stays_whole():
    """It goes over the edge, from where it can be copied."""
    path = f'"/{"site-packages/" * 6}pool.py"'
    assert folded(f"File {path}, line 7", 60, "  ") == f"  File\n    {path},\n    line 7"


@pytest.mark.parametrize("around", ["{}", "({}),", "'it': {}'", "word:{}{}"])
def test_long_path_beside_text_stays_whole(around):
    """Text next to a quotation without a space belongs to the same word."""
    path = f"'/{'site-packages/' * 6}pool.py'"
    lines = folded(around.replace("{}", path), 60, "  ")
    assert path in lines


def test_apostrophes_quote_nothing():
    lines = folded("the customers' orders aren't the shop's, and theirs' are not", 30, "").splitlines()
    assert max(map(len, lines)) <= 30


def test_long_quotation_is_broken_at_spaces():
    lines = folded(f'it answers "{"word " * 40}end" at once', 60, "").splitlines()
    assert max(map(len, lines)) <= 60


def test_control_characters_do_not_break_folding():
    assert folded(f'\x01 "/{"a" * 99}" \x01\x00', 60, "").split() == [f'"/{"a" * 99}"']


def test_a_word_without_end_is_broken():
    assert folded("x" * 100, 60, "") == f"{'x' * 60}\n  {'x' * 40}"
