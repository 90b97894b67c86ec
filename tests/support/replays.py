"""Reads a folder with replayed incidents."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any, TypeVar

from drill_katas.catalog.katas import shipped
from drill_katas.evidence import store
from drill_katas.evidence.replay import code_of, replay
from drill_katas.practice.journal import Journal
from tests.support.commands import done

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.evidence.replay import Replay
    from tests.support.shared import SharedFolder

E = TypeVar("E")

NAMES = shipped().names()
FILES = {"incident.json", "logs.jsonl", "traces.json", "metrics.txt", "rules.yml"}


def incident(folder: Path, name: str) -> IncidentRecord:
    return store.read(folder / ".kata" / "incidents" / name, name)


def events(folder: Path, kind: type[E]) -> list[E]:
    journal = Journal(folder / ".kata" / Journal.NAME)
    return [event for event in journal.read().events if isinstance(event, kind)]


def asked(folder: Path, *question: object) -> Any:
    return json.loads(done(folder, *question, "--json"))


def replay_once(shared: SharedFolder, what: Replay) -> IncidentRecord:
    """Return the record of a replay, which one test of the run makes for all that need it."""
    name = f"replay-{what.kata.name}-{what.variant}-{what.seed}-{what.ablation}-{code_of(what.arm)[:12]}"
    folder = shared.make(name, lambda folder: (folder / "record").write_bytes(pickle.dumps(replay(what))))
    record: IncidentRecord = pickle.loads((folder / "record").read_bytes())
    return record
