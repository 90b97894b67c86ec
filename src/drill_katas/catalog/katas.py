"""Katas, their manifests, and the libraries that contain them.

A library is a folder with `katas/NAME/` and, beside it, `solutions/NAME/`:

- the library that is shipped with this package,
- the learner's workspace,
- packs: installed packages with an entry point in the group `drill_katas.packs`, which names a module beside both
  folders,
- folders of `--kata-path` or of the ini option `kata_paths`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar, get_args

import msgspec

from drill_katas.errors import UserError, nearest
from drill_katas.verdict import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEVELS: Final = {1: "Intern", 2: "Junior", 3: "Senior", 4: "Staff"}
Contract = Literal["calls", "http"]
ORIGINAL: Final = "original"  # the variant in the kata's own folder
GUARDRAIL: Final = "guardrail.py"  # the learner's own tests, beside the module
POSTMORTEM: Final = "POSTMORTEM.md"  # the learner's post-mortem, beside the module


WEIGHTS: Final = {
    Stage.SYMPTOM: 15.0,
    Stage.CAUSE: 35.0,
    Stage.REGRESSION: 20.0,
    Stage.STRESS: 15.0,
    Stage.SLA: 5.0,
    Stage.TRACE: 10.0,
}  # default weight of each stage in a grade


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of a SUT, for all its processes; seconds do not include waiting for a processor."""

    memory_mib: int = 512
    processes: int = 16
    call_seconds: float = 3.0
    check_seconds: float = 20.0


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`kata.toml`.

    | field | meaning |
    | --- | --- |
    | `minutes` | time for a practiced engineer |
    | `contract` | `calls`: the judge calls classes and functions; `http`: it sends requests to web applications |
    | `editable` | files that a fix may change; only these are taken from a submission |
    | `support_files` | other files of the kata that the SUT gets; it gets nothing else |
    | `preload` | modules to import before the learner's, to save time |
    | `weights` | weights of stages in a grade |
    """

    format: Literal[1]
    title: str
    level: Annotated[int, msgspec.Meta(ge=1, le=4)]
    minutes: Annotated[int, msgspec.Meta(ge=1)]
    contract: Contract
    editable: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    support_files: tuple[str, ...] = ("world.py",)
    preload: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    limits: Limits = Limits()
    weights: dict[Stage, Annotated[float, msgspec.Meta(gt=0)]] = {}

    @property
    def worth(self) -> dict[Stage, float]:
        """The weight of each stage in a grade."""
        return WEIGHTS | self.weights

    @property
    def guardrail_share(self) -> float:
        """The share of a grade that the guardrail decides; 0 if `weights` has no `guardrail`."""
        return self.worth.get(Stage.GUARDRAIL, 0.0) / sum(self.worth.values())

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules to import before the learner's, including those of the contract `http`."""
        return (*self.preload, *(["aiohttp.web"] if self.contract == "http" else []))


@dataclass(frozen=True)
class Kata:
    """One kata of a library."""

    name: str
    folder: Path
    manifest: Manifest

    @property
    def solutions(self) -> Path:
        """The folder with solutions and `answer.toml`: beside the library, else the shipped one. It may not exist."""
        beside = self.folder.parent.parent / "solutions" / self.name
        return beside if beside.is_dir() else shipped().katas.parent / "solutions" / self.name

    @property
    def original(self) -> Kata:
        """The kata of the library with the solutions: a learner's copy may be changed, and it has no variants."""
        own = self.folder.parent.parent == self.solutions.parent.parent
        return self if own else shipped().get(self.name)

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of all variants, the original first."""
        return (ORIGINAL, *self.manifest.variants)

    @property
    def has_incident(self) -> bool:
        """Whether the kata has an incident to replay."""
        return (self.folder / "incident.py").is_file()

    @property
    def tests(self) -> Path:
        """The file with the checks."""
        return self.folder / f"test_{self.name}.py"

    @property
    def guardrail(self) -> Path:
        """The file with the learner's own tests."""
        return self.folder / GUARDRAIL

    @property
    def guardrail_start(self) -> Path:
        """The file that a learner's guardrail starts from."""
        return self.folder / "guardrail_start.py"

    @property
    def postmortem(self) -> Path:
        """The learner's post-mortem."""
        return self.folder / POSTMORTEM

    @property
    def briefing(self) -> Path:
        """The page that the learner reads."""
        return self.folder / "BRIEFING.md"

    def variant_folder(self, variant: str) -> Path:
        """Return the folder with the broken files of a variant. Raises `UserError` for an unknown variant."""
        if variant == ORIGINAL:
            return self.folder
        if variant not in self.manifest.variants:
            raise UserError(f"{self.name} has no variant {variant!r}{nearest(variant, self.variants)}")
        return self.folder / "variants" / variant


@dataclass(frozen=True)
class Library:
    """A folder of katas, one folder each."""

    katas: Path
    _read: dict[str, Kata] = field(default_factory=dict, compare=False, repr=False)

    def names(self) -> list[str]:
        """Return the names of the katas, sorted."""
        return sorted(manifest.parent.name for manifest in self.katas.glob("*/kata.toml"))

    def get(self, name: str) -> Kata:
        """Return one kata. Raises `UserError` if its manifest is invalid."""
        if name not in self._read:
            folder = self.katas / name
            self._read[name] = Kata(name, folder, read_toml(folder / "kata.toml", Manifest))
        return self._read[name]

    def __iter__(self) -> Iterator[Kata]:
        """Yield all katas, the easiest first."""
        return iter(sorted(map(self.get, self.names()), key=lambda kata: (kata.manifest.level, kata.name)))


def shipped() -> Library:
    """Return the library that is shipped with this package: in the wheel, or beside `src/` in a checkout."""
    here = Path(__file__).parents[1]
    inside = here / "library" / "katas"
    return Library(inside if inside.is_dir() else here.parents[1] / "katas")


def packs() -> list[Library]:
    """Return the libraries of installed packs."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and needed only when a name is not found
    from importlib.util import find_spec  # noqa: PLC0415

    found = []
    for point in entry_points(group="drill_katas.packs"):
        spec = find_spec(point.module)
        if spec and spec.origin:
            found.append(Library(Path(spec.origin).parent / "katas"))
    return found


def find(name: str, libraries: Iterable[Library]) -> Kata:
    """Return the kata of that name from the first library that has it. Raises `UserError` if there is none."""
    libraries = list(libraries)
    for library in libraries:
        if name in library.names():  # not a path such as `fp_drift/`, because the journal stores names
            return library.get(name)
    known = {known for library in libraries for known in library.names()}
    if not known:
        raise UserError(no_katas(libraries))
    raise UserError(f"there is no kata {name!r}{nearest(name, known)}")


_Table = TypeVar("_Table", bound=msgspec.Struct)


def no_katas(libraries: Iterable[Library]) -> str:
    """Return the message that these libraries are empty, with the command that creates a workspace."""
    where = ", ".join(str(library.katas) for library in libraries)
    return f"there are no katas in {where}; `kata init` creates a workspace with katas in this folder"


def read_toml(path: Path, into: type[_Table]) -> _Table:
    """Return a TOML file as a record. Raises `UserError` with the file, the key, and the nearest known key."""
    try:
        with path.open("rb") as file:
            return msgspec.convert(tomllib.load(file), into)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise UserError(f"{path}: {_validation_message(str(error), into)}") from error


def _validation_message(problem: str, into: type[msgspec.Struct]) -> str:
    """Return msgspec's message in the terms of TOML, with the nearest known key for an unknown one."""
    unknown = re.search(r"unknown field `(.+?)`(?: - at `\$\.?(.*?)`)?", problem)
    if not unknown:
        return problem.replace("Object", "the table").replace(" - at `$.", ": `")
    key, table = unknown.group(1), unknown.group(2)
    record = into
    for part in (table or "").split("."):
        of_part = next((f.type for f in msgspec.structs.fields(record) if f.name == part.partition("[")[0]), record)
        record = (get_args(of_part) or (of_part,))[-1]  # the record type of a dict of records
    known = [f.name for f in msgspec.structs.fields(record)]
    return f"unknown key {key!r}{f' in [{table}]' if table else ''}{nearest(key, known)}"
