"""The first text of a post-mortem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.evidence.records import clock_time, day
from drill_katas.postmortem.blocks import marked
from drill_katas.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.postmortem.facts import Facts

DRAFT: Final = """\
---
kata: {kata}
variant: {variant}
incident: {incident}
author:
status: draft
---

# Post-mortem: {title}

<!-- `kata postmortem {kata}` refreshes the blocks between "generated" and "end". Everything else is yours.
`kata postmortem {kata} --check` reads it and gives a score. Comments like this one may go. -->

## Impact

{impact}
<!-- Who was hurt, how badly, and for how long? Two sentences, with figures of the table. -->

## Timeline

### The incident

{timeline}
### The response

{response}
### From other sources

<!-- Rows that the tables above lack, in order of time. The evidence is an id, such as log-17, or an alert. -->

| time | what | evidence |
| --- | --- | --- |

## Alerts

{alerts}
{experiments}
<!-- One row for each alert. "it was" is caused or noise. The proof of noise is an experiment that ran: the alert goes
away and the harm stays, or the harm goes away and the alert stays. -->

| alert | it was | proof |
| --- | --- | --- |

## Contributing factors

<!-- One row for each factor, from F1 on.
kind: trigger, condition, amplifier, detection gap, or mitigation gap.
evidence: ids of log lines, traces, journal events (j-...), alerts, metrics, experiments; or the word unknown.
leads to: made possible F2, hid F3, prolonged F1; "harm" is the end of each path, such as: made possible harm. -->

| id | kind | factor | evidence | leads to |
| --- | --- | --- | --- | --- |

### Five Whys

<!-- Three paths through the table, from the first factor to the harm, such as: F1 -> F2 -> harm. -->

- Why it happened:
- Why it was noticed late:
- Why it took long to mend:

## What went well

<!-- What helped? Name the evidence. -->

## Where we were lucky

<!-- What could have made it worse, and did not? Name the evidence. -->

## Actions

<!-- kind: prevent, detect, or mitigate. date: such as 2026-04-01.
check: guardrail, alert NAME, or test NAME; it must exist. -->

| action | kind | owner | date | check |
| --- | --- | --- | --- | --- |

### The fix

{fix}"""


def draft(facts: Facts, contents: Mapping[str, str]) -> str:
    """Return the first text, with the generated blocks."""
    blocks = {name: marked(name, content) for name, content in contents.items()}
    kata = facts.kata
    title = printable(kata.manifest.title)
    return DRAFT.format(kata=kata.name, variant=facts.variant, title=title, incident=span_of(facts), **blocks)


def span_of(facts: Facts) -> str:
    """Return the day and the time of the incident, as in the front matter."""
    of = facts.incident.summary
    return f"{day(of.began)} {clock_time(of.began)[:5]} to {clock_time(of.ended)[:5]} UTC, seed {of.seed}"
