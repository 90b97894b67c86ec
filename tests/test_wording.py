"""No banned word of docs/wording.md in docstrings, help texts, documents, briefings and titles."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from drill_katas.cli import main

ROOT = Path(__file__).parents[1]
BANNED = {
    "told, tell, said": r"\b(told|tells|telling|said|tell (?!\w+( \w+)? from\b))",
    "held for sandboxed": r"\bheld\b(?! (by|as long as))(?<!workers held)|\bhow well .{0,40}\b(holds?|held)\b",
    "anew": r"\banew\b",
    "whoever": r"\b(who|what)(so)?ever\b(?<!whatever)",
    "who or what as a subject": (
        r"(?:^|\. )(?:Who|What) (?:is|are|was|were|has|have|had|does|do|can|may|must|a|an|the)\b(?![^.]*\?)"
    ),
    "is none": r"\b(that|which|it) (is|are|was|were) none\b",
    "be it": r"\bbe (it|they)\b",
    "come to": r"\bc(?:ome|omes|ame|oming) to (?!(a halt|rest)\b)",
    "so many": r"\bso (many|much)\b",
    "lie, stand for is": r"\b(lie|lies|lay|lain|stands?|stood)\b(?![- ](still|for|in|ins|alone)\b)",
    "twins": r"\btwins?\b",
    "odd": r"\bodd\b",
    "old-fashioned words": r"\b(lest|amidst|hindered|thereof|hereby|behold)\b",
}
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != "wording.md"),
    *sorted((ROOT / "katas").glob("*/BRIEFING.md")),
]


def banned_in(text):
    """The banned words of a text, each with what is around it."""
    return [
        f"{name}: {' '.join(text[max(0, found.start() - 40) : found.end() + 40].split())!r}"
        for name, pattern in BANNED.items()
        for found in re.finditer(pattern, text, 0 if "subject" in name else re.IGNORECASE)
    ]


def without_code(markdown):
    return re.sub(r"```.*?```|`[^`\n]*`", "", markdown, flags=re.DOTALL)


def docstrings(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), without_code(ast.get_docstring(node) or "")


@pytest.mark.parametrize("folder", ["src", "katas", "benchmarks"])
def test_docstrings_have_no_banned_word(folder):
    found = [
        f"{file.relative_to(ROOT)}:{line}: {word}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for line, text in docstrings(file)
        for word in banned_in(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_documents_have_no_banned_word(page):
    found = banned_in(without_code(page.read_text(encoding="utf-8")))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["", *sorted(main.commands)])
def test_help_has_no_banned_word(name):
    shown = CliRunner().invoke(main, [*name.split(), "--help"]).output
    assert not banned_in(shown), "\n".join(banned_in(shown))


@pytest.mark.parametrize("kata", sorted(path.parent.name for path in ROOT.glob("katas/*/kata.toml")))
def test_katas_show_no_banned_word(kata):
    """Title, hints, and the help for near misses."""
    manifest = tomllib.loads((ROOT / "katas" / kata / "kata.toml").read_text(encoding="utf-8"))
    answer = tomllib.loads((ROOT / "solutions" / kata / "answer.toml").read_text(encoding="utf-8"))
    texts = [manifest["title"], *answer["hints"], *(miss["help"] for miss in answer["near_misses"].values())]
    found = [word for text in texts for word in banned_in(without_code(text))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text", ["It is told.", "Who has it?", "Who is slow waits.", "So many bytes.", "a file that is none"]
)
def test_banned_words_are_found(text):
    """If this fails, the tests above may have passed for the wrong reason; questions may begin with "Who"."""
    assert bool(banned_in(text)) == (not text.endswith("?"))
