"""Generate the parts of docs/ that follow from the code: `python docs/generate.py`, from the root of a clone.

It writes kit.md, the field tables and JSON Schemas of the file formats, and the table of the museum of cheats. With
`--check` it writes nothing, and exits 1 if something in docs/ is out of date.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import kit_page
import msgspec
from msgspec import inspect

from drill_katas.catalog.answer import AcceptedDesign, Answer, ExpectedDiagnosis, Factor, NearMiss
from drill_katas.catalog.katas import Limits, Manifest
from drill_katas.catalog.thresholds import Threshold, Thresholds
from drill_katas.evidence.records import Alert, ServiceLevel, Summary
from drill_katas.grading import grades
from drill_katas.guardrail.result import GuardrailResult, Trial
from drill_katas.practice import journal
from drill_katas.spec.result import Citation, GuardrailRun, SpecFinding, SpecReview, SpecUpdate
from drill_katas.verdict import CheckResult, Report, Verdict
from drill_katas.verify.matrix import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).parent
TABLE: Final = re.compile(r"(?<=<!-- fields: )(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
MUSEUM: Final = re.compile(r"(?<=<!-- museum -->\n).*?(?=<!-- end -->)", re.DOTALL)
ROW: Final = re.compile(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", re.MULTILINE)
STRUCTS: Final = {
    struct.__name__: struct
    for struct in (
        Report, Verdict, CheckResult, grades.GradesFile, grades.Grade, grades.CheckGrade,
        journal.Event, journal.Started, journal.Reset, journal.Ran, journal.Checked, journal.Hinted,
        journal.SolutionShown, journal.Replayed, journal.Queried, journal.Diagnosed, journal.Guarded, journal.Reviewed,
        Summary, ServiceLevel, Alert, Manifest, Limits, Answer, AcceptedDesign, NearMiss, ExpectedDiagnosis, Factor,
        Thresholds, Threshold,
        GuardrailResult, Trial, SpecReview, SpecFinding, GuardrailRun, SpecUpdate, Citation,
    )
}  # fmt: skip
SCHEMAS: Final[dict[str, Any]] = {
    "report": Report,
    "grades": grades.GradesFile,
    "certificate": Certificate,
    "journal": journal.Started
    | journal.Reset
    | journal.Ran
    | journal.Hinted
    | journal.SolutionShown
    | journal.Replayed
    | journal.Queried
    | journal.Diagnosed
    | journal.Guarded
    | journal.Reviewed,
    "guardrail": GuardrailResult,
    "kata": Manifest,
    "answer": Answer,
    "thresholds": Thresholds,
    "spec": SpecReview,
}


def generated() -> Iterator[tuple[Path, str]]:
    """Return every file that is generated or has generated parts, with its text as it should be."""
    yield DOCS / "kit.md", kit_page.page()
    for page in sorted({*DOCS.glob("*.md")} - {DOCS / "kit.md"}):
        text = page.read_text(encoding="utf-8")
        yield page, MUSEUM.sub(lambda _: f"\n{_museum()}\n", TABLE.sub(_filled, text))
    for name, struct in SCHEMAS.items():
        schema = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(struct))).decode()
        yield DOCS / "schemas" / f"{name}.json", f"{schema}\n"


def _filled(match: re.Match[str]) -> str:
    """Return the table of a struct; the meaning of each field stays as it is in the page."""
    name, end, table = match.groups()
    meanings = dict(ROW.findall(table))
    rows = ["| field | type | meaning |", "| --- | --- | --- |"]
    info = inspect.type_info(STRUCTS[name])
    assert isinstance(info, inspect.StructType)
    if isinstance(info.tag, str) and "kind" in meanings:
        rows.append(f"| `kind` | string | {meanings['kind']} |")
    of_every_event = journal.Event.__struct_fields__ if issubclass(info.cls, journal.Event) else ()
    for field in info.fields:
        if info.cls is journal.Event or field.name not in of_every_event:
            name_ = field.encode_name
            rows.append(f"| `{name_}` | {_type(field.type)} | {meanings.get(name_, 'TODO: describe this field')} |")
    return f"{name}{end}\n{chr(10).join(rows)}\n\n"


def _type(info: inspect.Type) -> str:  # noqa: PLR0911 - one line for each type
    match info:
        case inspect.UnionType():
            return " or ".join(sorted(map(_type, info.types), key="null".__eq__))
        case inspect.ListType() | inspect.VarTupleType():
            return f"list of {_type(info.item_type)}"
        case inspect.TupleType():
            return f"[{', '.join(map(_type, info.item_types))}]"
        case inspect.DictType():
            return f"map of {_type(info.value_type)}"
        case inspect.LiteralType():
            return "int" if isinstance(info.values[0], int) else "string"
        case inspect.StructType() | inspect.EnumType():
            return info.cls.__name__
        case inspect.Metadata():
            return _type(info.type)
    names = {"Str": "string", "Float": "number", "None": "null", "Any": "any", "DateTime": "time"}
    name = type(info).__name__.removesuffix("Type")
    return names.get(name, name.lower())


@functools.cache
def _museum() -> str:
    sys.path.insert(0, str(DOCS.parent))  # `tests` is a namespace package of the clone
    from tests.support import museum  # noqa: PLC0415 - it needs the path above

    return museum.table()


def main() -> int:
    """Write the files, or check them; return the exit code."""
    check = sys.argv[1:] == ["--check"]
    stale = [
        (file, text) for file, text in generated() if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    for file, text in stale:
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        print(f"{file.relative_to(DOCS.parent)} {'is out of date' if check else 'written'}")  # noqa: T201
    return int(check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
