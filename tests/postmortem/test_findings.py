"""The findings of `kata postmortem --check`, each with the line where it is."""

from __future__ import annotations

import pytest

from tests.support.commands import kata, words
from tests.support.studied import edit, found, review_of

EDITS = {
    "figure": ("0 of 18 requests in the worst part", "4711 of 18 requests in the worst part", "did not measure 4711"),
    "percentage": ("no customer could buy anything:", "31 % could buy nothing:", "did not measure 31 %"),
    "time": ("From 02:56 to the end", "From 04:56 to the end", "04:56 is not in the incident"),
    "log line": ("buyers than units, so many checkouts were refused as sold out. | log-2,", "x y z | log-999,",
                 "there is no log line log-999"),
    "experiment": ("| no_drop, restart |", "| no_drop, old_prices |", "run `kata experiment red_herring old_prices`"),
    "metric": ("| restart, checkout_error_ratio |", "| restart, checkout_error_ration |",
               "did you mean 'checkout_error_ratio'"),
    "order": ("| 02:51 | The alert of the export", "| 02:40 | The alert of the export", "02:40 comes after 02:45"),
    "agreement": ("| 02:56 | Checkouts failed", "| 02:59 | Checkouts failed", "CheckoutErrors was at 02:56"),
    "kind": ("| F1 | trigger |", "| F1 | root cause |", "F1 has the kind 'root cause'"),
    "evidence": ("| no_drop, restart | made", "| we just know | made", "F2 has no evidence; cite an id of the tables"),
    "target": ("| made possible harm |", "| made possible F9 |", "F3 leads to F9, which has no row"),
    "no effect": ("| made possible harm |", "| bad things |", "F3 leads to nothing"),
    "path": ("it happened: F2 -> F3", "it happened: F2 -> F6 -> F3", "F2 -> F6 is no arrow of the table"),
    "late": ("noticed late: F5 -> F2 -> F3", "noticed late: F2 -> F3", "this path has no detection gap"),
    "no path": ("mend: F6 -> harm", "mend:", "there is no path for: Why it took long to mend"),
    "noise": ("| worker_off: without the worker, the", "| the", "ExportWorkerCpuHigh was noise, by which experiment?"),
    "no proof": ("| worker_off: without the worker, the", "| restart: the",
                 "restart does not prove that ExportWorkerCpuHigh was noise"),
    "label": ("| CheckoutErrors | caused |", "| CheckoutErrors | maybe |", "CheckoutErrors has no label"),
    "owner": ("| on-call team | 2026-03-20 |", "| TODO | 2026-03-20 |", "the action has no owner"),
    "date": ("| 2026-03-20 |", "| soon |", "the date is 'soon'; write it such as 2026-04-01"),
    "action kind": ("| detect | platform", "| hope | platform", "the kind is 'hope'"),
    "alert check": ("| alert CheckoutErrors |", "| alert CheckoutErors |", "did you mean 'CheckoutErrors'"),
    "test check": ("guardrail, test test_failures_may_outnumber_connections", "test test_nothing",
                   "there is no test test_nothing"),
    "no check": ("| alert CheckoutErrors |", "| we will see |", "no check shows that the action is done"),
    "author": ("author: the on-call team", "author:", "author is empty"),
    "status": ("status: final", "status: perfect", "status is 'perfect'; write draft, in review, or final"),
    "heading": ("## Where we were lucky", "##Where we were lucky", "the section Where we were lucky is missing"),
}  # fmt: skip


@pytest.mark.parametrize("which", EDITS)
def test_each_mistake_is_found_at_its_line(reference, tmp_path, which):
    before, after, message = EDITS[which]
    line = edit(reference, before, after)
    findings = [finding for finding in review_of(tmp_path)["findings"] if message in finding["message"]]
    assert findings, which
    assert findings[0]["line"] in {line, 0}


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("It was human error.", "explains nothing"),
        ("The engineer forgot to close the session.", "blames a person"),
        ("Sam forgot the session.", "blames a person"),
        ("On-call should have looked at the pool.", "describes what did not happen"),
        ("If the pool had been larger, nothing happens.", "describes what did not happen"),
        ("A careless review.", "judges a person"),
        ("On-call failed to read the graph.", "describes a person by what did not happen"),
        ("It was a human\nerror.", "explains nothing"),
    ],
)
def test_blame_gets_a_better_sentence(reference, tmp_path, sentence, problem):
    line = edit(reference, "## What went well\n", f"## What went well\n\n{sentence}\n")
    (finding,) = [finding for finding in review_of(tmp_path)["findings"] if finding["rule"] == "words"]
    assert problem in finding["message"]
    assert "write instead: " in finding["message"]
    assert finding["line"] == line + 2


def test_facts_are_not_called_blame(reference, tmp_path):
    """Technical sentences, code, and what nearly happened are no blame."""
    fine = "Lazy loading missed the cache; `human error` is a tag. Checkout failed to return the connection (log-2)."
    edit(reference, "## Where we were lucky\n", f"## Where we were lucky\n\n{fine} It could have been worse.\n")
    assert found(review_of(tmp_path)) == []


def test_a_single_cause_is_not_enough(reference, tmp_path):
    text = reference.read_text(encoding="utf-8")
    lines = [
        line for line in text.splitlines(keepends=True) if not line.startswith(("| F2", "| F3", "| F4", "| F5", "| F6"))
    ]
    reference.write_text("".join(lines), encoding="utf-8")
    findings = " ".join(found(review_of(tmp_path)))
    assert "one single cause is listed" in findings
    assert "nothing is listed on detection" in findings
    assert "nothing is listed on the response" in findings


def test_alert_without_word_is_reported(reference, tmp_path):
    text = reference.read_text(encoding="utf-8")
    reference.write_text(text.replace("| ExportWorkerCpuHigh | noise |", "| Else | noise |"), encoding="utf-8")
    findings = " ".join(found(review_of(tmp_path)))
    assert "no word on ExportWorkerCpuHigh" in findings
    assert "no alert 'Else' fired" in findings


def test_findings_begin_with_file_and_line(reference, tmp_path):
    line = edit(reference, "author: the on-call team", "author:")
    result = kata(tmp_path, "postmortem", "red_herring", "--check")
    assert result.returncode == 1
    assert f"katas/red_herring/POSTMORTEM.md:{line}: author is empty" in words(result.stdout)
    assert "1 finding" in result.stdout


HOSTILE = {
    "brackets": "[" * 120_000,
    "comments": "<!--" * 50_000,
    "rows": "## Contributing factors\n| id | kind | factor | evidence | leads to |\n|---|---|---|---|---|\n"
    + "| F1 | x | y | log-1 log-99999 made_up_name | made possible F1, hid F77 |\n" * 2_500,
    "ids": "log-123456 j-abcdef " * 10_000,
    "controls": "## Impact\n\x00\x1b[31mred\x1b[0m \x07\u202e 12 % \ufeff\n",
    "markup": "## Impact\n<script>alert(1)</script> <img src=http://example.com/x>\n",
    "front matter": "---\n" * 40_000,
    "markers": "<!-- generated: impact -->\n" * 5_000,
}


@pytest.mark.parametrize("which", HOSTILE)
def test_hostile_text_gets_findings(reference, tmp_path, which):
    reference.write_bytes(HOSTILE[which].encode())
    review = review_of(tmp_path)
    assert review["findings"]
    assert review["score"] < 5
    shown = kata(tmp_path, "postmortem", "red_herring", "--check", timeout=60).stdout
    assert all(sign.isprintable() or sign == "\n" for sign in shown)
    kata(tmp_path, "postmortem", "red_herring")
    assert reference.read_bytes() == HOSTILE[which].encode()
