"""`kata ci`: writes the files that grade submissions, or run a team's guardrails, on GitHub and similar services."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

from drill_katas import __version__
from drill_katas.errors import UserError

TEMPLATES: Final = Path(__file__).parent / "templates"
ARCHIVE: Final = "autograder.zip"
EXECUTABLE: Final = stat.S_IFREG | 0o755


class Setup(NamedTuple):
    """One service: the path of each template, the next step for the user, and the archive to upload, if any."""

    files: dict[str, str]
    next_step: str
    archive: str | None = None


SETUPS: Final = {
    "github": Setup(
        {"github.yml": ".github/workflows/katas.yml"},
        "Replace OWNER/drill-katas@REF by the repository and commit of drill-katas that you trust, and add a secret "
        "KATA_SEED_SECRET in the repository's settings.",
    ),
    "gitlab": Setup(
        {"gitlab.yml": ".gitlab-ci.yml"},
        "Add a masked variable KATA_SEED_SECRET in the project's settings.",
    ),
    "gradescope": Setup(
        {"setup.sh": "setup.sh", "run_autograder": "run_autograder"},
        f"Upload {ARCHIVE} as the autograder of a programming assignment of 100 points. After you change "
        f"the files, or add a file seed-secret or wheels, pack it again: zip {ARCHIVE} setup.sh run_autograder ...",
        ARCHIVE,
    ),
}

GUARDRAILS: Final = {
    "github": Setup(
        {"guardrails-github.yml": ".github/workflows/guardrails.yml"},
        "Commit it with SPEC.md and katas/. Each pull request then runs `kata spec --check`.",
    ),
    "gitlab": Setup(
        {"guardrails-gitlab.yml": ".gitlab-ci.yml"},
        "Commit it with SPEC.md and katas/. Each merge request then runs `kata spec --check`.",
    ),
}


def guardrails_setup(service: str) -> Setup:
    """Return the setup that runs a team's guardrails on a service. Raises `UserError` if there is none."""
    if service not in GUARDRAILS:
        known = " or ".join(f"`kata ci {each} --guardrails`" for each in GUARDRAILS)
        raise UserError(f"{service} has no pull requests to run guardrails on; use {known}")
    return GUARDRAILS[service]


def write(setup: Setup, folder: Path) -> list[Path]:
    """Write the files of a setup into a folder, and return their paths.

    Raises `UserError` if a file exists already (then nothing is written) or cannot be written.
    """
    texts = {folder / target: _text(template) for template, target in setup.files.items()}
    archive = [folder / setup.archive] if setup.archive else []
    for file in (*texts, *archive):
        if os.path.lexists(file):
            raise UserError(
                f"{file} exists already, and nothing was written; remove it, or write into another folder and copy "
                f"what you need: add DIR to the command"
            )
    try:
        for file, text in texts.items():
            _write(file, text)
        for file in archive:
            _pack(file, texts)
    except OSError as error:
        raise UserError(f"cannot write {error.filename or folder} ({error.strerror})") from error
    return [*texts, *archive]


def _text(template: str) -> str:
    return (TEMPLATES / template).read_text(encoding="utf-8").replace("@VERSION@", __version__)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8", newline="\n") as new:
        new.write(text)
    if text.startswith("#!"):
        file.chmod(0o755)


def _pack(archive: Path, texts: dict[Path, str]) -> None:
    """Write an archive with the files at its top, where Gradescope expects them."""
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as packed:
        for file, text in texts.items():
            member = zipfile.ZipInfo(file.name)
            member.external_attr = EXECUTABLE << 16
            packed.writestr(member, text)
