"""Near misses as patches: the strict applier, and `kata arm`, which writes and saves arms."""

from __future__ import annotations

import re

import pytest

from drill_katas.catalog.arm_files import MOST
from drill_katas.catalog.arms import arm_from, arm_named, near_misses_of
from drill_katas.catalog.katas import shipped
from drill_katas.catalog.patches import make_patch, read_patch
from drill_katas.errors import UserError
from drill_katas.grading.copies import LEAST, secrets_of
from tests.support.commands import done, kata, refused, words

BASE = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n"
CHANGED = "one\ntwo\n3\nfour\nfive\nsix\nseven\nadded\neight\n"
PATCH = """\
base: reference
--- a/toy.py
+++ b/toy.py
@@ -2,3 +2,3 @@
 two
-three
+3
 four
@@ -7,2 +7,3 @@
 seven
+added
 eight
"""


def applied(tmp_path, text, base=BASE, name="toy.py"):
    file = tmp_path / "wrong.patch"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_patch(file).apply({name: base.encode()})


def test_a_patch_changes_the_lines_it_names(tmp_path):
    assert applied(tmp_path, PATCH) == {"toy.py": CHANGED.encode()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BASE, CHANGED),
        ("", "one\n"),
        ("one\n", ""),
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        ("\u2028\x0c\nx\n", "\u2028\x0c\ny\n"),
        ("a\n" * 30, "b\n" + "a\n" * 28 + "c\n"),
    ],
    ids=["two hunks", "from nothing", "to nothing", "CRLF", "other line breaks", "far apart"],
)
def test_applied_patch_gives_the_same_bytes(tmp_path, old, new):
    text = make_patch("reference", {"toy.py": old.encode()}, {"toy.py": new.encode()})
    assert applied(tmp_path, text, old) == {"toy.py": new.encode()}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("base: reference\n", "", "line 1: expected 'base: ' and the name of an arm"),
        (" two\n", " twö\n", "line 5: expected 'twö', the base has 'two'"),
        ("-three\n", "-thre\n", "line 6: expected 'thre', the base has 'three'"),
        ("@@ -2,3 +2,3 @@", "@@ -3,3 +3,3 @@", "line 5: expected 'two', the base has 'three'"),
        ("@@ -2,3 +2,3 @@", "@@ -2,3 +3,3 @@", "line 4: expected '+2', the hunk has '+3'"),
        ("@@ -2,3 +2,3 @@", "@@ -2,2 +2,3 @@", "line 8: the hunk at line 4 counts fewer lines than it has"),
        ("@@ -2,3 +2,3 @@", "@@ -2,3 +2,4 @@", "line 9: expected 0 more old and 1 more new lines of the hunk"),
        ("@@ -2,3 +2,3 @@", "@@ -2,3 +2,3 @@ def f", "line 4: expected '@@ -LINE,COUNT +LINE,COUNT @@', the patch has"),
        ("@@ -7,2 +7,3 @@", "@@ -3,2 +3,3 @@", "line 9: the hunk begins at line 3, outside the rest of the base"),
        ("@@ -7,2 +7,3 @@", "@@ -8,2 +8,3 @@", "line 10: expected 'seven', the base has 'eight'"),
        (" seven\n+added\n eight\n", " seven\n+added\n", "line 12: expected 1 more old and 1 more new lines"),
        (" eight\n", " eight\n nine\n", "line 13: expected '@@ -LINE,COUNT +LINE,COUNT @@', the patch has ' nine'"),
        ("-7,2 +7,3 @@\n seven\n+added\n eight", "-8,2 +8,3 @@\n eight\n+x\n nine", "line 12: expected 'nine', the"),
        (" eight\n", " eight\n\\ No newline at end of file\n", "line 13: a file of a kata ends with a newline"),
        (" four\n", "four\n", "line 8: expected 1 more old and 1 more new lines of the hunk"),
        (" four\n", "\n", "line 8: expected 1 more old and 1 more new lines of the hunk"),
        ("+++ b/toy.py", "+++ b/top.py", "line 3: expected '+++ b/toy.py', the patch has '+++ b/top.py'"),
        ("a/toy.py\n+++ b/toy.py", "a/top.py\n+++ b/top.py", "line 2: top.py is not an editable file; did you"),
        ("--- a/toy.py", "--- /dev/null", "line 2: expected '--- a/FILE', the patch has '--- /dev/null'"),
        (PATCH.partition("@@")[2], "", "line 4: expected '@@ -LINE,COUNT +LINE,COUNT @@', the patch has '@@'"),
    ],
)  # fmt: skip
def test_fault_names_line_and_difference(tmp_path, old, new, fault):
    text = PATCH.replace(old, new, 1) if new or old.startswith("base") else PATCH.replace(old, "\n")
    with pytest.raises(UserError, match=re.escape(fault)) as refusal:
        applied(tmp_path, text)
    assert str(refusal.value).startswith(f"{tmp_path}/wrong.patch, line ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("base: reference\n", ", line 2: expected '--- a/FILE'; the patch changes nothing"),
        (
            "base: reference\n--- a/toy.py\n+++ b/toy.py\n",
            ", line 4: expected '@@ -LINE,COUNT +LINE,COUNT @@'; noth",
        ),
        (f"{PATCH}{PATCH.partition('reference')[2].lstrip()}", ", line 13: toy.py is in the patch twice"),
        (PATCH.rstrip("\n"), " is not UTF-8 text that ends with a newline"),
        (PATCH.encode("utf-16"), " is not UTF-8 text that ends with a newline"),
    ],
    ids=["no file", "no hunk", "a file twice", "no newline at the end", "not UTF-8"],
)
def test_invalid_patch_text_is_refused(tmp_path, text, fault):
    with pytest.raises(UserError, match=re.escape(f"wrong.patch{fault}")):
        applied(tmp_path, text)


def test_base_without_final_newline_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"line 2: the base's toy.py is not UTF-8 text that ends with a newline"):
        applied(tmp_path, PATCH, BASE.rstrip("\n"))


def test_a_missing_patch_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*gone\.patch: No such file"):
        read_patch(tmp_path / "gone.patch")


# The near misses of all katas

NEAR_MISSES = [(of, name) for of in shipped() for name in near_misses_of(of)]


def test_every_near_miss_survives_writing_and_saving(tmp_path):
    """The function behind `kata arm`; the test below runs the command itself."""
    for of, name in NEAR_MISSES:
        place = near_misses_of(of)[name]
        if place.is_dir():
            continue
        patch = read_patch(place)
        base, new = arm_named(of, patch.base).contents, arm_named(of, name).contents
        assert make_patch(patch.base, base, new).encode() == place.read_bytes(), place


def test_near_misses_are_patches_unless_too_long():
    for of, name in NEAR_MISSES:
        place = near_misses_of(of)[name]
        arm = arm_named(of, name).contents
        text = place.read_text(encoding="utf-8") if place.is_file() else whole(of, arm)
        lines = sum(content.count(b"\n") for each, content in arm.items() if f"+++ b/{each}\n" in text)
        assert (text.count("\n") <= MOST * lines) == place.is_file(), place


def whole(of, arm):
    return make_patch("reference", arm_named(of, "reference").contents, arm)


def test_patches_are_hidden_from_what_is_graded():
    hidden = secrets_of(shipped())
    sizes = [near_misses_of(of)[name].stat().st_size for of, name in NEAR_MISSES if near_misses_of(of)[name].is_file()]
    assert all(size in hidden for size in sizes if size >= LEAST)
    assert sum(size >= LEAST for size in sizes) > 0.95 * len(sizes)


def test_near_miss_suffix_is_optional():
    of = shipped().get("fp_drift")
    place = of.solutions / "near_misses" / "half_up"
    short, full = arm_from(of, str(place)), arm_from(of, f"{place}.patch")
    assert short.contents == full.contents != arm_from(of, "solutions").contents
    assert short.files["ledger.py"].shown == of.solutions / "near_misses" / "half_up.patch" / "ledger.py"


# The command

TOY = "".join(f"# {number}\n" for number in range(20)) + "class Thing:\n    def go(self):\n        return 'gone'\n"


@pytest.fixture
def patched(answered):
    """The kata `toy` whose solution has some lines, and a near miss that is a patch."""
    (answered.root / "solutions" / "toy" / "toy.py").write_text(TOY, encoding="utf-8")
    answered.module(TOY.replace("gone", "here"))
    answered.near_miss = answered.root / "solutions" / "toy" / "near_misses" / "late.patch"
    answered.near_miss.parent.mkdir()
    answered.near_miss.write_text(
        "base: original\n--- a/toy.py\n+++ b/toy.py\n@@ -20,4 +20,4 @@\n # 19\n class Thing:\n     def go(self):\n"
        "-        return 'here'\n+        return 'late'\n",
        encoding="utf-8",
    )
    return answered


@pytest.mark.parametrize("of", ["fp_drift", "n_plus_one"])
def test_arm_writes_out_what_save_makes_again(tmp_path, of):
    name, place = next((name, place) for name, place in near_misses_of(shipped().get(of)).items() if place.is_file())
    before = place.read_bytes()
    written = done(tmp_path, "arm", of, name, "out").split()
    assert sorted(written) == sorted(f"out/{each}" for each in shipped().get(of).manifest.editable)
    assert done(tmp_path, "arm", of, name, "out", "--save").split() == [str(place)]
    assert place.read_bytes() == before


@pytest.mark.parametrize(("arm", "word"), [("reference", "gone"), ("original", "here"), ("late", "late")])
def test_arm_writes_any_arm(patched, arm, word):
    done(patched.root, "arm", "toy", arm, "out")
    assert f"return '{word}'" in (patched.root / "out" / "toy.py").read_text(encoding="utf-8")


def test_arm_never_overwrites_a_file(patched):
    done(patched.root, "arm", "toy", "late", "out")
    assert "out/toy.py exists" in refused(patched.kata("arm", "toy", "late", "out"))


def test_save_keeps_base_unless_another_is_given(patched):
    done(patched.root, "arm", "toy", "late", "out")
    (patched.root / "out" / "toy.py").write_text(TOY.replace("gone", "later"), encoding="utf-8")
    done(patched.root, "arm", "toy", "late", "out", "--save")
    assert patched.near_miss.read_text(encoding="utf-8").startswith("base: original\n")
    done(patched.root, "arm", "toy", "late", "out", "--save", "--base", "reference")
    text = patched.near_miss.read_text(encoding="utf-8")
    assert text.startswith("base: reference\n")
    assert "-        return 'gone'\n+        return 'later'\n" in text


def test_save_bases_near_miss_on_nearest_arm(patched):
    out = patched.root / "out"
    out.mkdir()
    (out / "toy.py").write_text(TOY.replace("gone", "here").replace("# 3", "# three"), encoding="utf-8")
    done(patched.root, "arm", "toy", "fresh", "out", "--save")
    text = (patched.near_miss.parent / "fresh.patch").read_text(encoding="utf-8")
    assert text.startswith("base: original\n")
    (out / "toy.py").write_text("class Thing:\n    def go(self):\n        return 'rewritten'\n", encoding="utf-8")
    (patched.near_miss.parent / "fresh.patch").unlink()
    done(patched.root, "arm", "toy", "fresh", "out", "--save")
    assert (patched.near_miss.parent / "fresh" / "toy.py").read_bytes() == (out / "toy.py").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["lat", "out"], "toy has no arm 'lat'; did you mean 'late'?"),
        (["late", "nowhere", "--save"], "cannot read nowhere/toy.py: No such file or directory"),
        (["accepted/x", "katas/toy", "--save"], "only near misses can be saved; 'accepted/x' is not a name for one"),
        (["reference", "katas/toy", "--save"], "only near misses can be saved"),
        (["late", "katas/toy", "--save", "--base", "refrence"], "toy has no arm 'refrence' to patch; did you mean"),
        (["late", "katas/toy", "--save"], "the files in katas/toy equal those of original"),
        (["late", "out", "--base", "reference"], "--base names the arm that --save patches; give --save, too"),
    ],
)
def test_arm_tells_mistakes_in_a_sentence(patched, arguments, fault):
    assert fault in refused(kata(patched.root, "arm", "toy", *arguments))


def test_a_patch_is_judged_like_a_folder(patched):
    verdict = patched.verdict("--kata-from", "solutions/toy/near_misses/late.patch")
    assert verdict.checks[0].failed
    patched.near_miss.write_text(patched.near_miss.read_text().replace("# 19", "# 18"), encoding="utf-8")
    message = patched.pytest("--kata", "toy", "--kata-from", "solutions/toy/near_misses/late")
    assert message.returncode == 4
    assert "late.patch, line 5: expected '# 18', the base has '# 19'" in words(message.stderr)
    patched.near_miss.write_text(patched.near_miss.read_text().replace("original", "orignal"), encoding="utf-8")
    message = patched.pytest("--kata", "toy", "--kata-from", "solutions/toy/near_misses/late")
    assert "late.patch, line 1: toy has no arm 'orignal'; did you mean 'original'?" in words(message.stderr)
