"""The readers of each format accept the output of `kata grade --format`, and submissions cannot inject markup."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import jsonschema
import msgspec
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from drill_katas.cli.grading import FORMATS as OFFERED
from drill_katas.errors import UserError
from drill_katas.grading.formats import FORMATS
from drill_katas.grading.formats.common import flat, plain
from drill_katas.grading.grades import CheckGrade, Grade, GradesFile
from drill_katas.grading.submission import printable
from drill_katas.verdict import Outcome, Stage
from tests.support.commands import done, kata, refused
from tests.support.places import TESTS

SCHEMAS = TESTS / "schemas"
FULLWIDTH = "".join(chr(ord(sign) + 0xFEE0) for sign in "=+-@")
HOSTILE = [
    "::error file=x::owned",
    "fine\n::warning::owned",
    "a\r::stop-commands::x",
    "##[error]owned",
    "\x1b[31mred\x07\x00",
    '=HYPERLINK("http://x")', "+1", "-1", "@x", "\t=1", " =1", f"{FULLWIDTH[0]}1",
    "<script>alert(1)</script>", "]]>", "a & b \" '", "&#0;",
    "a | b ` c ** d ~~ e ![x](http://x) @everyone $x$ www.x.org https://x.org",
    "100%,25:%0A%3A",
    "\ud800 \ufffe \u202e \u2028",
]  # fmt: skip


def check(name="test_it", stage=Stage.CAUSE, verdict=Outcome.FAIL, **more):
    points = 10.0 if verdict is Outcome.PASS else 0.0
    usual = {"title": f"About {name}", "message": "", "worth": 10.0, "seconds": 0.25, "points": points}
    return CheckGrade(**usual | more, name=name, stage=stage, verdict=verdict)


CHECKS = (
    check("test_a", Stage.SYMPTOM, Outcome.PASS),
    check("test_b", Stage.CAUSE, Outcome.FAIL, message="it is 1, not 2\nand more"),
    check("test_c", Stage.CAUSE, Outcome.HANG, message="no answer", file="ledger.py", line=12),
    check("test_d", Stage.STRESS, Outcome.CRASH, message="it ended"),
    check("test_e", Stage.SLA, Outcome.LIMIT, message="too much"),
    check("test_f", Stage.TRACE, Outcome.NOT_REACHED),
)


def right(id_="right"):
    passed = (check("test_a", Stage.SYMPTOM, Outcome.PASS), check("test_b", Stage.CAUSE, Outcome.PASS))
    return Grade(id=id_, kata="fp_drift", solved=True, score=100.0, seconds=1.5, checks=passed)


def wrong(id_="wrong", checks=CHECKS, **more):
    places = {"ledger.py": f"work/{id_}/ledger.py"}
    more = {"notes": ("ignored: x.py",), "places": places} | more
    return Grade(id=id_, kata="fp_drift", score=10.0, seconds=2.25, checks=checks, **more)


def unreadable(id_="empty"):
    return Grade(id=id_, notes=("unreadable: it does not hold ledger.py",))


def unjudged(id_="unjudged"):
    checks = (*CHECKS[:2], check("test_g", verdict=Outcome.NOT_JUDGED, points=None, message="not judged: it rained"))
    return Grade(id=id_, kata="fp_drift", score=None, seconds=0.5, checks=checks)


def hostile(text):
    checks = (check(text, title=text, message=text, file=text, line=3), check("test_z", title="", message=""))
    return wrong(printable(text), checks, notes=(text,), places={text: text})


def book(*grades):
    return GradesFile(tier="strong", submissions=grades)


BOOKS = {
    "ordinary": book(right(), wrong(), unreadable()),
    "empty": book(),
    "not judged": book(unjudged(), Grade(id="failed", score=None, notes=("not judged: the judge has ended",))),
    "twins": book(wrong(checks=(check("test_a", title="Twin"), check("test_b", title="Twin")))),
    "hostile": book(*map(hostile, HOSTILE), *(Grade(id=f"{printable(text)}2", notes=(text,)) for text in HOSTILE)),
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    """No variables of the CI that runs these tests."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def made(form, grades):
    text = "".join(FORMATS[form](grades))
    text.encode()  # fails on a surrogate
    return text


def test_the_command_offers_what_there_is():
    assert tuple(FORMATS) == OFFERED


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "gradescope"])
def test_no_format_shows_not_judged_as_verdict(form):
    """Neither for a pass nor for a failure, and nowhere as points."""
    text = made(form, BOOKS["not judged"])
    assert "not judged: it rained" in text
    match form:
        case "ctrf":
            statuses = [test["status"] for test in json.loads(text)["results"]["tests"]]
            assert statuses == ["passed", "failed", "other", "other"]
        case "junit":
            kinds = [(each.tag, each.get("type")) for case in ET.fromstring(text).iter("testcase") for each in case]
            assert kinds == [("failure", "fail"), ("error", "not judged"), ("error", "not judged")]
            assert text.count('<property name="score" value="not judged"/>') == 2
        case "github":
            assert [name for name, *_ in commands(text)] == ["error", "warning", "warning"]
            assert "## Katas: 0 of 2 solved, 2 not judged" in text
            assert "| cause | 0 of 2, 1 not judged | not judged |" in text
        case "csv":
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            assert [(row["solved"], row["score"]) for row in rows] == [("not judged", "")] * 2
            assert [rows[0][stage] for stage in (Stage.SYMPTOM, Stage.CAUSE)] == ["10", ""]
        case "html":
            assert "<p>0 of 2 solved, 2 not judged; " in text
            assert "? not judged</span> unjudged" in text


def test_gradescope_gets_no_document_without_a_score():
    for grade in BOOKS["not judged"]:
        with pytest.raises(UserError, match="has no score, so no results are printed: not judged"):
            made("gradescope", book(grade))


# Requirements of the formats' readers


@pytest.mark.parametrize("grades", BOOKS.values(), ids=BOOKS)
def test_ctrf_is_valid_and_counts_its_tests(grades):
    report = json.loads(made("ctrf", grades))
    jsonschema.validate(report, json.loads((SCHEMAS / "ctrf-schema-0.0.json").read_text()))
    summary, tests = report["results"]["summary"], report["results"]["tests"]
    assert summary["tests"] == len(tests)
    for status in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[status] == sum(test["status"] == status for test in tests)
    assert summary["stop"] - summary["start"] == 1000 * sum(grade.seconds for grade in grades)


def test_ctrf_knows_what_came_of_each_check():
    tests = json.loads(made("ctrf", BOOKS["ordinary"]))["results"]["tests"]
    of_wrong = [test for test in tests if test["suite"][0] == "wrong"]
    assert [(test["status"], test["rawStatus"]) for test in of_wrong] == [
        ("passed", "pass"),
        ("failed", "fail"),
        ("failed", "hang"),
        ("failed", "crash"),
        ("failed", "limit"),
        ("other", "not reached"),
    ]
    assert of_wrong[2]["trace"] == "work/wrong/ledger.py:12"
    assert (tests[-1]["status"], tests[-1]["message"]) == ("failed", "unreadable: it does not hold ledger.py")


@pytest.mark.parametrize("grades", BOOKS.values(), ids=BOOKS)
def test_junit_is_valid_and_counts_its_tests(grades):
    text = made("junit", grades)
    xmlschema.validate(text, SCHEMAS / "junit-10.xsd")
    root = ET.fromstring(text)
    for suite in [root, *root]:
        assert int(suite.get("tests")) == len(list(suite.iter("testcase")))
        assert int(suite.get("failures")) == len(list(suite.iter("failure")))
        assert int(suite.get("errors")) == len(list(suite.iter("error")))
    assert len(root) == len(grades)
    keys = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(keys)) == len(keys), "of tests with the same names GitLab shows one"


def test_junit_shows_only_passed_checks_as_passed():
    root = ET.fromstring(made("junit", BOOKS["ordinary"]))
    found = {
        (suite.get("name"), case.get("name").partition(" (")[0]): [(each.tag, each.get("type")) for each in case]
        for suite in root
        for case in suite.iter("testcase")
    }
    assert found["right", "About test_a"] == []
    assert found["wrong", "About test_b"] == [("failure", "fail")]
    assert found["wrong", "About test_c"] == [("error", "hang")]
    assert found["wrong", "About test_f"] == [("error", "not reached")]
    assert found["empty", "judged"] == [("error", "unreadable")]


@pytest.mark.parametrize("grade", [right(), wrong(), unreadable(), *map(hostile, HOSTILE)], ids=repr)
def test_gradescope_takes_the_results(grade):
    results = json.loads(made("gradescope", book(grade)))
    jsonschema.validate(results, json.loads((SCHEMAS / "gradescope.schema.json").read_text()))
    assert results["score"] == grade.score
    assert results["stdout_visibility"] == "hidden"
    assert len(results["tests"]) == len(grade.checks)


def test_gradescope_shows_stages_points_and_failures():
    results = json.loads(made("gradescope", book(wrong())))
    assert [(test["number"], test["name"], test["score"], test["max_score"]) for test in results["tests"]] == [
        ("1.1", "symptom: About test_a", 10, 10),
        ("2.1", "cause: About test_b", 0, 10),
        ("2.2", "cause: About test_c", 0, 10),
        ("3.1", "stress: About test_d", 0, 10),
        ("4.1", "sla: About test_e", 0, 10),
        ("5.1", "trace: About test_f", 0, 10),
    ]
    assert results["tests"][2]["output"] == "no answer\n(work/wrong/ledger.py:12)"
    assert [test["status"] for test in results["tests"]] == ["passed", *["failed"] * 5]
    assert results["output"] == "fp_drift: 1 of 6 checks pass, 10 points\nignored: x.py"
    assert json.loads(made("gradescope", book(unreadable())))["output"].startswith("unreadable: ")


def test_gradescope_takes_exactly_one_submission(tmp_path):
    for folder in ("one/src", "one/docs", "two"):
        (tmp_path / folder).mkdir(parents=True)
    output = refused(kata(tmp_path, "grade", "one", "two", "--format", "gradescope"))
    assert output.startswith("--format gradescope needs exactly one submission, got 2; give the path of one")
    results = json.loads(done(tmp_path, "grade", "one", "--format", "gradescope"))
    assert (results["score"], results["tests"]) == (0, [])
    assert results["output"].startswith("unreadable: found no file; expected ")


# GitHub


def commands(text):
    """The commands that GitHub's runner reads, as (name, properties, message)."""
    for line in text.split("\n"):
        assert "##[" not in line, "an old form of command, anywhere in a line"
        found = re.match(r"\s*::([^:\s]+)(?: (.*?))?::(.*)", line)
        if found:
            pairs = dict(each.partition("=")[::2] for each in (found[2] or "").split(","))
            yield found[1], {name: unescaped(value) for name, value in pairs.items()}, unescaped(found[3])


def unescaped(text):
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_github_marks_the_learners_lines():
    assert list(commands(made("github", BOOKS["ordinary"]))) == [
        ("error", {"file": "work/wrong/ledger.py", "line": "12", "title": "cause: About test_c"}, "no answer"),
        ("error", {"file": "work/wrong/ledger.py", "title": "cause: About test_b"}, "it is 1, not 2\nand more"),
        ("error", {"file": "work/wrong/ledger.py", "title": "stress: About test_d"}, "it ended"),
        ("error", {"file": "work/wrong/ledger.py", "title": "sla: About test_e"}, "too much"),
        ("error", {"file": "work/wrong/ledger.py", "title": "trace: About test_f"}, ""),
        ("error", {"title": "empty"}, "unreadable: it does not hold ledger.py"),
    ]


def test_github_names_no_uncertain_file():
    grade = wrong(checks=CHECKS[1:2], places={"a.py": "a.py", "b.py": "b.py"})
    assert [places for _, places, _ in commands(made("github", book(grade)))] == [{"title": "cause: About test_b"}]


def test_github_gets_paths_from_checkout_root(tmp_path, monkeypatch):
    (tmp_path / "checkout" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("checkout")
    monkeypatch.chdir(tmp_path / "checkout" / "deep")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "link"))
    for place in ("../katas/ledger.py", str(tmp_path / "link/katas/ledger.py"), "./../katas/./ledger.py"):
        grade = wrong(checks=CHECKS[2:3], places={"ledger.py": place})
        assert [output["file"] for _, output, _ in commands(made("github", book(grade)))] == ["katas/ledger.py"]


def test_github_summaries_are_appended(tmp_path, monkeypatch):
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    printed = made("github", BOOKS["ordinary"])
    summary = file.read_text()
    assert summary.startswith("before\n## Katas: 1 of 3 solved\n\nSandbox tier: strong.\n")
    assert "## Katas" not in printed
    assert "### ❌ wrong, fp&#95;drift\n\n| stage | passed | points |\n| --- | --- | --- |\n" in summary
    assert "| cause | 0 of 2 | 0 of 20 |\n" in summary
    assert "| **all** | 1 of 6 | **10** |\n" in summary
    assert "- cause, **About test&#95;c** (hang): no answer (work/wrong/ledger.py:12)\n" in summary
    assert "### ❌ empty\n\nunreadable: it does not hold ledger.py\n" in summary
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert made("github", BOOKS["ordinary"]) == printed + summary.removeprefix("before\n")


def test_github_summary_stays_below_size_limit(tmp_path, monkeypatch):
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    made("github", book(*[wrong(f"number {number}") for number in range(3000)]))
    assert 800_000 < file.stat().st_size < 1 << 20
    shown = file.read_text().count("### ")
    assert file.read_text().endswith(f"{3000 - shown} more submissions are not shown here.\n")


def test_github_summary_escapes_markdown_of_submissions():
    summary = made("github", BOOKS["hostile"]).partition("## Katas")[2]
    assert len(re.findall(r"^### ", summary, re.MULTILINE)) == len(BOOKS["hostile"])
    for line in summary.splitlines():
        said = re.sub(r"^\| .* \|$|^### ❌ |^- \w+, \*\*|^- |\*\* \(fail\): |&#?\w+;", "", line)
        assert not re.search(r"[`*_\[\]|~!$@<>\\#&]|://|www\.|^\s*[-+=] ", said), line


# Spreadsheets and pages


def test_csv_has_rows_and_stage_columns():
    rows = list(csv.DictReader(io.StringIO(made("csv", BOOKS["ordinary"]), newline="")))
    assert [(row["id"], row["solved"], row["score"]) for row in rows] == [
        ("right", "yes", "100"), ("wrong", "no", "10"), ("empty", "no", "0")
    ]  # fmt: skip
    assert [rows[1][stage] for stage in Stage] == ["10", "0", "", "0", "0", "0", ""]
    assert rows[1]["first problem"] == "cause: About test_b: it is 1, not 2 and more"
    assert rows[2]["first problem"] == "unreadable: it does not hold ledger.py"


def test_csv_has_no_formulas():
    rows = list(csv.reader(io.StringIO(made("csv", BOOKS["hostile"]), newline="")))
    assert len(rows) == 1 + len(BOOKS["hostile"])
    assert {len(row) for row in rows} == {14}
    assert not [cell for row in rows for cell in row if re.match(rf"\s*[=+\-@{FULLWIDTH}]", cell)]


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)


def test_html_shows_submissions_as_text():
    page = Page(made("html", BOOKS["hostile"]))
    assert set(page.tags) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "p", "details", "summary", "span", "table", "tr",
        "th", "td", "ul", "li", "pre",
    }  # fmt: skip
    assert page.attributes == {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert page.tags.count("details") == len(BOOKS["hostile"])
    assert "<script>alert(1)</script>" in "".join(page.text)


def test_html_tells_stages_and_what_went_wrong():
    page = made("html", BOOKS["ordinary"])
    assert "<p>1 of 3 solved; sandbox tier strong</p>" in page
    assert "<tr><td>cause</td><td>0 of 2</td><td>0 of 20</td></tr>" in page
    assert "<li>cause: About test_c (hang)<pre>no answer\n(work/wrong/ledger.py:12)</pre></li>" in page


# All of them


@pytest.mark.parametrize("form", FORMATS)
@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(), st.from_regex(r"(\n?(::error::|##\[error\])x?)+")))
def test_submissions_write_text_not_commands(form, text):
    printed = made(form, book(msgspec.structs.replace(hostile(text), id=text)))
    assert not [sign for sign in printed if not sign.isprintable() and sign not in "\r\n"]
    known = {("error", "title")} if form == "github" else set()
    found = list(commands(printed))
    assert {(name, "title") for name, properties, _ in found if "title" in properties} <= known
    assert len(found) == (2 if form == "github" else 0)
    if form == "github":
        assert found[0][1]["title"] == f"cause: {flat(text)}"
        assert found[0][2] == plain(text), "and what GitHub shows is what was said"


@pytest.mark.long
@pytest.mark.parametrize("form", [form for form in FORMATS if form != "gradescope"])
def test_only_what_is_printed_lies_in_memory(form, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))

    class Many:
        tier = "strong"

        def __len__(self):
            return 1500

        def __iter__(self):
            return (wrong(f"{number}" * 50) for number in range(1500))

    def measured():
        tracemalloc.start()
        size = sum(map(len, FORMATS[form](Many())))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size, peak

    for _ in FORMATS[form](book(wrong("first"))):  # the first run imports and caches, so it is not measured
        pass
    size, peak = min((measured() for _ in range(3)), key=lambda each: each[1])  # threads of earlier tests may allocate
    assert size > 300_000
    assert peak < 200_000
