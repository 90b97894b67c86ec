"""`kata verify`: its proofs, its error messages, and the derivation of thresholds."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.support.commands import done, faults, kata, refused, words

# A kata with three checks, three broken versions, two accepted alternatives and four near misses

CHECKS = '''
def answer_is(sut, method, right):
    with sut.open("Thing") as thing:
        answer = getattr(thing, method)()
        assert answer == right, f"{method} answers {answer}, not {right}"


@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    answer_is(sut, "go", "gone")


@pytest.mark.stage("cause")
def test_sum(sut):
    """It adds up."""
    answer_is(sut, "sum", 6)


@pytest.mark.stage("regression")
def test_label(sut):
    """It has its label."""
    answer_is(sut, "label", "thing")
'''
ANSWER = """
format = 1
hints = ["one", "two", "three"]

[broken.original]
test_go = "go answers here"
test_sum = "sum answers 5"
[broken.harbour]
test_go = "go answers lost"
[broken.orchard]
test_go = "go answers None"
test_label = "label answers None"

[near_misses.rounded]
fails = ["test_sum"]
message = "answers 5"
help = "Do not round."
[near_misses.doubled]
fails = ["test_sum", "test_label"]
message = "answers 12"
help = "Do not double."
[near_misses.renamed]
fails = ["test_label"]
message = "not thing"
help = "Keep the label."
[near_misses.swallowed]
fails = ["test_go"]
message = "go answers None"
tempting = false
help = "Do not swallow."

[accepted.short]
design = "It is short."
better_when = "The thing is small."
[accepted.long]
design = "It is long."
better_when = "The thing is big."
"""

UNEXPLAINED = """
[diagnosis.original]
components = ["toy"]
mechanisms = ["lost-update"]
onset = []
alerts = { Late = "caused", Empty = "noise", Explained = "noise" }
evidence = ""
supports = {}
cause = " "
[diagnosis.original.why]
Empty = ""
Explained = "It fires every night."
Renamed = "It had another name."
"""


def thing(go="gone", total=6, label="thing"):
    answers = {"go": go, "sum": total, "label": label}
    methods = "\n".join(f"    def {method}(self):\n        return {answer!r}\n" for method, answer in answers.items())
    return f"class Thing:\n{methods}"


def guardrail(right):
    calls = "thing.go(), thing.sum(), thing.label()"
    return f'def test_thing(sut):\n    thing = sut.open("Thing")\n    assert ({calls}) == {right}\n'


ARMS = {
    "katas/toy/toy.py": thing("here", 5),
    "katas/toy/variants/harbour/toy.py": thing("lost"),
    "katas/toy/variants/orchard/toy.py": thing(None, label=None),
    "solutions/toy/toy.py": thing(),
    "solutions/toy/accepted/short/toy.py": f"# short\n{thing()}",
    "solutions/toy/accepted/long/toy.py": f"# long\n{thing()}",
    "solutions/toy/near_misses/rounded/toy.py": thing(total=5),
    "solutions/toy/near_misses/doubled/toy.py": thing(total=12, label="things"),
    "solutions/toy/near_misses/renamed/toy.py": thing(label="thang"),
    "solutions/toy/near_misses/swallowed/toy.py": thing(None),
    "solutions/toy/guardrail.py": guardrail('("gone", 6, "thing")'),
    "solutions/toy/guardrails/asserts_nothing.py": "def test_thing(sut):\n    pass\n",
    "solutions/toy/guardrails/forbids_right.py": guardrail('("gone", 7, "thing")'),
}


@pytest.fixture
def provable(toy):
    """A kata that can be certified; what a test does not need of it, it removes, for each arm is a run of pytest."""
    toy.checks(CHECKS)
    for name, text in ARMS.items():
        file = toy.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    answer(toy, ANSWER)
    variants(toy, "harbour", "orchard")
    return toy


@pytest.fixture
def small(provable):
    """The same with as few arms as there can be: broken, reference and one near miss."""
    solutions = provable.root / "solutions" / "toy"
    shutil.rmtree(solutions / "accepted")
    shutil.rmtree(solutions / "guardrails")
    (solutions / "guardrail.py").unlink()
    for name in ("doubled", "renamed", "swallowed"):
        shutil.rmtree(solutions / "near_misses" / name)
    answer(provable, ANSWER.partition("[near_misses.doubled]")[0])
    variants(provable)
    return provable


def answer(toy, text):
    (toy.root / "solutions" / "toy" / "answer.toml").write_text(text, encoding="utf-8")


def variants(toy, *names):
    manifest = (toy.folder / "kata.toml").read_text(encoding="utf-8").partition("variants")[0]
    toy.write("kata.toml", f"{manifest}\nvariants = {json.dumps(names)}\n")


def signs(output):
    """The cells of each row of the matrix, three columns each."""
    rows = [line for line in output.splitlines() if line.rstrip().endswith(" s")]
    return {row[:26].strip(): [row[place : place + 3].strip() for place in (26, 29, 32)] for row in rows}


@pytest.mark.long
def test_near_misses_run_only_the_refusing_checks(provable):
    file = provable.root / "matrix.json"
    output = done(provable.root, "verify", "toy", "--json", file)
    assert "toy: 10 arms × 3 checks × 1 seed" in output
    assert "every verdict is as declared" in output
    assert signs(output) == {
        "broken original": ["✗", "✗", "·"],
        "broken harbour": ["✗", "·", "·"],
        "broken orchard": ["✗", "·", "✗"],
        "reference": ["·", "·", "·"],
        "accepted short": ["·", "·", "·"],
        "accepted long": ["·", "·", "·"],
        "rounded": ["·", "✗", ""],
        "doubled": ["·", "✗", "✗"],
        "renamed": ["·", "", "✗"],
        "swallowed": ["✗", "", ""],
    }
    assert "blank: not run; `kata verify --full` runs every check on near misses" in output
    (matrix,) = json.loads(file.read_text(encoding="utf-8"))
    rounded = next(row for row in matrix["rows"] if row["arm"] == "rounded")
    assert [cell["seen"] for cell in rounded["cells"]] == [["pass"], ["fail"], []]
    assert [cell["declared"] for cell in rounded["cells"]] == ["pass", "fail", "pass"]


@pytest.mark.long
def test_verify_full_shows_every_cell(provable):
    file = provable.root / "matrix.json"
    output = done(provable.root, "verify", "toy", "--full", "--seeds", "1", "--json", file)
    assert "toy: 10 arms × 3 checks × 1 seed" in output
    assert "every verdict is as declared" in output
    assert "blank" not in output
    assert signs(output) == {
        "broken original": ["✗", "✗", "·"],
        "broken harbour": ["✗", "·", "·"],
        "broken orchard": ["✗", "·", "✗"],
        "reference": ["·", "·", "·"],
        "accepted short": ["·", "·", "·"],
        "accepted long": ["·", "·", "·"],
        "rounded": ["·", "✗", "·"],
        "doubled": ["·", "✗", "✗"],
        "renamed": ["·", "·", "✗"],
        "swallowed": ["✗", "·", "·"],
    }
    assert all(title in output for title in ("It goes", "It adds up", "It has its label"))
    assert all(len(line) <= 80 for line in output.splitlines())
    (matrix,) = json.loads(file.read_text(encoding="utf-8"))
    assert (matrix["format"], matrix["kata"], matrix["seeds"], matrix["faults"]) == (1, "toy", [0], [])
    assert [check["name"] for check in matrix["checks"]] == ["test_go", "test_sum", "test_label"]
    assert len(matrix["rows"]) == 10
    assert matrix["rows"][0]["cells"][0] | {"seen": ["fail"], "declared": "fail"} == matrix["rows"][0]["cells"][0]
    assert not (provable.root / ".kata").exists()  # judging an arm is not an attempt


@pytest.mark.long
def test_broken_may_fail_accepts_either_outcome(small):
    text = ANSWER.partition("[near_misses.doubled]")[0].replace('test_sum = "sum answers 5"\n', "")
    answer(small, text)
    assert any("test_sum: should pass" in fault for fault in faults(verified(small)))
    answer(small, text.replace("[broken.original]", '[broken_may_fail]\noriginal = ["test_sum"]\n[broken.original]'))
    output = verified(small)
    assert not any("test_sum" in fault for fault in faults(output))
    assert signs(output)["broken original"] == ["✗", "±", "·"]


def verified(toy):
    """The output of `kata verify` for a kata with too few arms."""
    return done(toy.root, "verify", "toy", "--seeds", "1", code=1)


@pytest.mark.long
def test_verify_explains_each_wrong_declaration(provable):
    wrong = ANSWER.replace('test_go = "go answers lost"', 'test_go = "go answers late"')  # a different message
    wrong = wrong.replace('fails = ["test_sum", "test_label"]', 'fails = ["test_sum"]')  # it fails more
    wrong = wrong.replace('fails = ["test_label"]', 'fails = ["test_label", "test_go"]')  # it fails less
    answer(provable, f'{wrong}\n[near_misses.imagined]\nfails = ["test_go"]\nmessage = ""\nhelp = ""\n')
    file = provable.root / "matrix.json"
    output = done(provable.root, "verify", "toy", "--full", "--seeds", "1", "--json", file, code=1)
    assert faults(output) == [
        "answer.toml declares imagined, but there is no such arm",
        "near miss renamed: declared tempting, but fails the symptom",
        "broken harbour, test_go: the message should match 'go answers late', but is 'go answers lost, not gone'",
        "near miss doubled, test_label: should pass, but the outcome is fail: label answers things, not thing",
        "near miss renamed, test_go: should fail, but the outcome is pass",
    ]
    assert "every verdict is as declared" not in output
    (matrix,) = json.loads(file.read_text(encoding="utf-8"))
    assert [words(fault) for fault in matrix["faults"]] == faults(output)


def test_verify_names_missing_parts_of_kata(small):
    *missing, guardrail = faults(done(small.root, "verify", "toy", "--seeds", "1", code=1))
    assert missing == [
        "3 broken versions are needed; the kata has 1",
        "2 versions with a real fault are needed; the kata has 1",
        "2 accepted designs are needed; the kata has 0",
        "4 near misses are needed; the kata has 1",
        "answer.toml declares harbour, but there is no such arm",
        "answer.toml declares orchard, but there is no such arm",
        "test_label: no arm is declared to fail it, so nothing proves that it can fail",
    ]
    assert guardrail.startswith("there is no guardrail.py in ")


def test_verify_names_undeclared_arm_and_failed_solution(small):
    answer(small, 'format = 1\nhints = ["one", "two", "three"]\n[broken.original]\ntest_go = "here"\n')
    (small.root / "solutions" / "toy" / "toy.py").write_text(thing(total=7), encoding="utf-8")
    output = done(small.root, "verify", "toy", "--seeds", "1", code=1)
    problems = faults(output)
    assert "near miss rounded: answer.toml does not declare which checks it fails" in problems
    assert "broken original, test_sum: should pass, but the outcome is fail: sum answers 5, not 6" in problems
    assert "reference reference, test_sum: should pass, but the outcome is fail: sum answers 7, not 6" in problems


def test_verify_names_what_a_diagnosis_leaves_unexplained(small):
    text = (small.root / "solutions" / "toy" / "answer.toml").read_text(encoding="utf-8")
    answer(small, text + UNEXPLAINED)
    output = done(small.root, "verify", "toy", "--seeds", "1", code=1)
    assert [fault for fault in faults(output) if fault.startswith("diagnosis")] == [
        "diagnosis of original: answer.toml does not explain the cause; add `cause`, in two sentences",
        "diagnosis of original: no word on why Late fired; add it to [diagnosis.original.why]",
        "diagnosis of original: no word on why Empty fired; add it to [diagnosis.original.why]",
        "diagnosis of original: [diagnosis.original.why] explains Renamed, which is not in its `alerts`",
    ]


def test_verify_names_declared_check_that_is_missing(small):
    text = (small.root / "solutions" / "toy" / "answer.toml").read_text(encoding="utf-8")
    answer(small, text.replace('fails = ["test_sum"]', 'fails = ["test_sum", "test_summ"]'))
    output = done(small.root, "verify", "toy", "--seeds", "1", code=1)
    assert any("rounded" in fault and "test_summ" in fault for fault in faults(output))


def test_verify_names_tempting_miss_that_fails_symptom(small):
    """Tempting is a fix with which what paged you is gone; this one does not even achieve that."""
    miss = small.root / "solutions" / "toy" / "near_misses" / "rounded" / "toy.py"
    miss.write_text(thing("here", 5), encoding="utf-8")
    text = (small.root / "solutions" / "toy" / "answer.toml").read_text(encoding="utf-8")
    answer(small, text.replace('fails = ["test_sum"]', 'fails = ["test_sum", "test_go"]'))
    output = done(small.root, "verify", "toy", "--seeds", "1", code=1)
    assert any("rounded" in fault and "tempting" in fault for fault in faults(output))


def test_verify_separates_arms_of_one_name(small):
    twin = small.root / "solutions" / "toy" / "accepted" / "rounded" / "toy.py"
    twin.parent.mkdir(parents=True)
    twin.write_text(thing(), encoding="utf-8")
    output = done(small.root, "verify", "toy", "--seeds", "1", code=1)
    assert not any(fault.startswith(("accepted rounded, ", "near miss rounded, ")) for fault in faults(output))


@pytest.mark.long
def test_verify_rejects_import_error_as_declared_failure(small):
    miss = small.root / "solutions" / "toy" / "near_misses" / "rounded" / "toy.py"
    miss.write_text("import nothing_of_that_name\n", encoding="utf-8")
    text = (small.root / "solutions" / "toy" / "answer.toml").read_text(encoding="utf-8")
    silent = text.replace('message = "answers 5"', 'message = ""')
    answer(small, silent.replace('["test_sum"]', '["test_sum", "test_label"]'))
    output = done(small.root, "verify", "toy", "--seeds", "1", code=1)
    for check in ("test_sum", "test_label"):
        assert any(fault.startswith(f"near miss rounded, {check}: ") for fault in faults(output))


def test_failed_patch_does_not_stop_other_arms(small):
    patch = small.root / "solutions" / "toy" / "near_misses" / "torn.patch"
    patch.write_text("base: reference\n--- a/toy.py\n+++ b/toy.py\n@@ -1 +1 @@\n-class Thong:\n+class Thing:\n")
    output = done(small.root, "verify", "toy", code=1)
    (torn,) = [fault for fault in faults(output) if fault.startswith("near miss torn: /")]
    assert torn.endswith("torn.patch, line 5: expected 'class Thong:', the base has 'class Thing:'")
    assert signs(output)["rounded"] == ["·", "✗", ""]


def test_near_miss_in_patch_is_judged(small):
    miss = small.root / "solutions" / "toy" / "near_misses" / "rounded"
    before = thing().splitlines()
    text = [f"@@ -1,{len(before)} +1,{len(before)} @@"]
    text += [f"-{line}\n+{line.replace('6', '5')}" if "6" in line else f" {line}" for line in before]
    head = ["base: reference", "--- a/toy.py", "+++ b/toy.py"]
    miss.with_name("rounded.patch").write_text("\n".join([*head, *text, ""]))
    shutil.rmtree(miss)
    assert signs(verified(small))["rounded"] == ["·", "✗", ""]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hints =", "hint =", ["answer.toml", "'hint'", "did you mean 'hints'?"]),
        ("message =", "mesage =", ["answer.toml", "'mesage'", "did you mean 'message'?"]),
        ("format = 1", "format = 2", ["answer.toml", "format", "2"]),
        ('"three"]', "]", ["answer.toml", "hints", "3"]),
        ("[broken.original]", "[broken.original", ["answer.toml", "not TOML"]),
        ("answers 5", "answers (5", ["answer.toml", "answers (5"]),
    ],
    ids=["wrong key", "wrong key of a near miss", "wrong format", "too few hints", "not TOML", "no regex"],
)
def test_answer_mistake_is_explained_in_a_sentence(small, old, new, said):
    answer(small, (small.root / "solutions" / "toy" / "answer.toml").read_text(encoding="utf-8").replace(old, new))
    result = kata(small.root, "verify", "toy", "--seeds", "1")
    refused(result)
    assert all(each in result.stderr for each in said), result.stderr


def test_verify_names_missing_reference_file(small):
    (small.root / "solutions" / "toy" / "toy.py").unlink()
    result = kata(small.root, "verify", "toy", "--seeds", "1")
    refused(result)
    assert "there is no toy.py of toy; looked in" in words(result.stderr)
    assert str(small.root / "solutions" / "toy") in words(result.stderr)


@pytest.mark.parametrize("place", ["/dev/full", "nowhere/matrix.json"])
def test_verify_reports_unwritable_output_file(small, place):
    shutil.rmtree(small.root / "solutions" / "toy" / "near_misses")
    sentence = refused(kata(small.root, "verify", "toy", "--seeds", "1", "--json", place))
    assert f"cannot write {place}" in sentence


@pytest.mark.parametrize("option", [["--seeds", "0"], ["--jobs", "0"], ["--seeds", "many"]])
def test_verify_refuses_invalid_numbers(small, option):
    assert option[0] in refused(kata(small.root, "verify", "toy", *option))


# Repeats, load, thresholds

MEASURES = """
@pytest.mark.stage("sla")
def test_pace(sut):
    \"""It keeps its pace.\"""
    with sut.open("Thing") as thing:
        pace = int(thing.pace()) / 100
        limit = sut.measured("pace", pace)
        assert pace <= limit, f"its pace is {pace}; it should be at most {limit}"
"""


def paced(pace, **more):
    return f"{thing(**more)}\n    def pace(self):\n        return {pace!r}\n"


@pytest.fixture
def measured(small):
    """A kata whose right arm has a pace of 1.5, and the wrong one of 40; the limit is still to be derived."""
    small.checks(f"{CHECKS}{MEASURES}")
    for name, pace in {
        "katas/toy/toy.py": paced("4000", go="here"),
        "solutions/toy/toy.py": paced("150"),
        "solutions/toy/near_misses/rounded/toy.py": paced("150", total=5),
    }.items():
        (small.root / name).write_text(pace, encoding="utf-8")
    text = ANSWER.partition("[near_misses.doubled]")[0].replace(
        'test_sum = "sum answers 5"', 'test_pace = "its pace is 40"'
    )
    answer(small, text)
    return small


@pytest.mark.long
def test_derived_threshold_is_stored_with_its_figures(measured):
    before = faults(done(measured.root, "verify", "toy", "--seeds", "1", code=1))
    assert "pace has no limit in thresholds.toml; `kata verify --derive` writes it" in before
    assert "broken original, test_pace: should fail, but the outcome is pass" in before
    done(measured.root, "verify", "toy", "--seeds", "1", "--derive", code=1)
    text = (measured.folder / "thresholds.toml").read_text(encoding="utf-8")
    assert "limit = 8.9\nhighest_right = 1.5\nlowest_wrong = 40\n" in text  # the root of (1.5 × 2) × (40 / 1.5)
    after = done(measured.root, "verify", "toy", "--seeds", "1", code=1)
    assert not [fault for fault in faults(after) if "pace" in fault]


@pytest.mark.parametrize(
    ("limit", "problems"),
    [
        (2.0, "pace: a right arm measures 1.5, too close to the limit of 2"),
        (34.0, "pace: a wrong arm measures 40, too close to the limit of 34"),
    ],
)
def test_limit_too_near_to_arm_is_fault(measured, limit, problems):
    figures = f"limit = {limit}\nhighest_right = 1.5\nlowest_wrong = 40\n"
    measured.write("thresholds.toml", f"format = 1\n\n[figures.pace]\n{figures}")
    assert problems in faults(done(measured.root, "verify", "toy", "--seeds", "1", code=1))


def test_a_learner_is_held_to_the_limit(measured):
    measured.write("thresholds.toml", "format = 1\n[figures.pace]\nlimit = 2.5\nhighest_right = 1\nlowest_wrong = 9\n")
    checks = {check.name: check for check in measured.verdict("--kata-all-stages").checks}
    assert checks["test_pace"].message == "its pace is 40.0; it should be at most 2.5"
    assert checks["test_pace"].figures == {"pace": 40.0}


def test_invalid_thresholds_file_is_explained(measured):
    measured.write("thresholds.toml", "format = 1\n[figures.pace]\nlimits = 2.5\n")
    output = measured.pytest("--kata", "toy")
    assert output.returncode == 4
    assert "unknown key 'limits' in [figures[...]]; did you mean 'limit'?" in words(output.stderr)


@pytest.mark.long
def test_repeats_under_load_count_flipped_results(small):
    """A coin on disk: the reference passes in every other run."""
    coin = small.root / "coin"
    coin.mkdir(mode=0o777)
    coin.chmod(0o777)
    tossed = f"import os; n = len(os.listdir({str(coin)!r})); open(f'{coin}/{{n}}', 'w')"
    flipping = thing().replace("return 'gone'", f"{tossed}; return 'gone' if n % 2 else 'x'")
    (small.root / "solutions" / "toy" / "toy.py").write_text(flipping, encoding="utf-8")
    file = small.root / "matrix.json"
    options = ["--seeds", "1", "--repeat", "4", "--load", "2", "--jobs", "1", "--json", file]
    output = done(small.root, "verify", "toy", *options, code=1)
    assert "2 flips in 4 repeats with 2 other busy processes" in output
    assert "reference reference, test_go: fail, pass, fail, pass" in words(output)
    (matrix,) = json.loads(file.read_text(encoding="utf-8"))
    assert (matrix["repeat"], matrix["load"]) == (4, 2)
    calm = next(row for row in matrix["rows"] if row["arm"] == "original")
    assert {cell["flips"] for cell in calm["cells"]} == {0}


# A healthy variant

HARBOUR = '[broken.harbour]\ntest_go = "go answers lost"\n'
HEALTHY = ANSWER.replace("format = 1", 'format = 1\nhealthy = ["harbour"]').replace(HARBOUR, "")


@pytest.fixture
def alarmed(provable):
    """A kata one of whose variants is a false alarm; with no more near misses than a test needs."""
    (provable.folder / "variants" / "harbour" / "toy.py").write_text(f"# other\n{thing()}", encoding="utf-8")
    answer(provable, HEALTHY)
    return provable


@pytest.mark.long
def test_healthy_version_passes_and_counts_toward_three(alarmed):
    output = done(alarmed.root, "verify", "toy", "--seeds", "1")
    assert "every verdict is as declared" in output
    [row] = [line for line in output.splitlines() if line.startswith("healthy harbour")]
    assert row.split()[2:5] == ["·", "·", "·"]


@pytest.mark.long
def test_healthy_version_that_fails_is_named(alarmed):
    (alarmed.folder / "variants" / "harbour" / "toy.py").write_text(thing("lost"), encoding="utf-8")
    few(alarmed, HEALTHY)
    problems = faults(done(alarmed.root, "verify", "toy", "--seeds", "1", code=1))
    assert "healthy harbour, test_go: should pass, but the outcome is fail: go answers lost, not gone" in problems


@pytest.mark.long
def test_at_least_two_versions_are_really_broken(alarmed):
    (alarmed.folder / "variants" / "orchard" / "toy.py").write_text(thing(), encoding="utf-8")
    broken = '[broken.orchard]\ntest_go = "go answers None"\ntest_label = "label answers None"\n'
    few(alarmed, HEALTHY.replace('"harbour"', '"harbour", "orchard"').replace(broken, ""))
    problems = faults(done(alarmed.root, "verify", "toy", "--seeds", "1", code=1))
    assert "2 versions with a real fault are needed; the kata has 1" in problems
    assert not any("3 broken versions" in fault for fault in problems)


@pytest.mark.long
def test_wrong_healthy_declarations_are_named(alarmed):
    declared = HEALTHY.replace('"harbour"', '"harbour", "quarry"')
    few(alarmed, declared.replace("[broken.orchard]", f"{HARBOUR}[broken.orchard]"))
    problems = faults(done(alarmed.root, "verify", "toy", "--seeds", "1", code=1))
    assert "healthy harbour: answer.toml declares failing checks, but a healthy variant passes all" in problems
    assert "answer.toml declares quarry, but there is no such arm" in problems


def few(kata, text):
    """Declare `text` without near misses, and take those and the accepted alternatives away: each arm is a pytest."""
    for kind in ("accepted", "near_misses"):
        shutil.rmtree(kata.root / "solutions" / "toy" / kind)
    answer(kata, text.partition("[near_misses")[0])
