"""What lies in a folder in which incidents were replayed."""

from __future__ import annotations

import json

from drill_katas.catalog.katas import shipped
from drill_katas.evidence import store
from drill_katas.practice.journal import Journal
from tests.commands import done

NAMES = shipped().names()
FILES = {"incident.json", "logs.jsonl", "traces.json", "metrics.txt", "rules.yml"}


def incident(folder, name):
    return store.read(folder / ".kata" / "incidents" / name, name)


def events(folder, kind):
    journal = Journal(folder / ".kata" / Journal.NAME)
    return [event for event in journal.read().events if isinstance(event, kind)]


def asked(folder, *question):
    return json.loads(done(folder, *question, "--json"))
