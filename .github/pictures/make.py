"""Draw the README's pictures from real runs: `python .github/pictures/make.py` in a development environment."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from drill_katas.catalog.arm_files import write_arm
from drill_katas.catalog.arms import arm_named
from drill_katas.catalog.katas import shipped

HERE = Path(__file__).parent
WIDTH = 80
HEADER = r"^(platform|rootdir|plugins|benchmark|configfile|cachedir|Test order randomisation):? .*\n"
# rich's template without its web font, because a picture must not make network requests
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def run(command: list[str], cwd: Path) -> str:
    """Run a command on a pseudo-terminal, and return its output with ANSI colors."""
    reader, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "LINES": "60", "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    pieces = []
    try:
        while piece := os.read(reader, 65536):
            pieces.append(piece)
    except OSError:  # Linux raises EIO after the other end is closed
        pass
    process.wait()
    os.close(reader)
    text = b"".join(pieces).decode().replace("\r\n", "\n")
    return re.sub(r"[^\n]*\r", "", text)  # drops overwritten progress lines


def draw(name: str, title: str, command: list[str], cwd: Path) -> None:
    """Write the picture `name`.svg of a command's output."""
    program = str(Path(sys.executable).with_name(command[0]))
    output = f"$ {' '.join(command)}\n{run([program, *command[1:]], cwd)}"
    output = re.sub(HEADER, "", output, flags=re.MULTILINE)
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w", encoding="utf-8"), force_terminal=True)
    console.print(Text.from_ansi(output.rstrip()))
    svg = console.export_svg(title=title, theme=MONOKAI, code_format=SVG, unique_id=name)
    (HERE / f"{name}.svg").write_text(svg + "\n", encoding="utf-8")


def photograph(
    name: str, kata: str, workspace: Path, *, beside: tuple[str, ...] = ("solutions",), part: str | None = None
) -> None:
    """Write the picture `name`.png of an incident's page with other replays beside it, using Debian's Chromium.

    `part` is a CSS selector of the element to draw; None means the top of the page.
    """
    page = workspace / "page.html"
    program = str(Path(sys.executable).with_name("kata"))
    compared = [word for each in beside for word in ("--compare", each)]
    run([program, "incident", kata, "--html", str(page), *compared], workspace)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 700 * (1 + len(beside)), "height": 1180})
        opened.goto(page.as_uri())
        opened.wait_for_selector(".u-wrap")
        opened.wait_for_timeout(500)
        (opened.locator(part).first if part else opened).screenshot(path=HERE / f"{name}.png")
        browser.close()


def hand_in(folder: Path) -> None:
    """Fill a folder with submissions: two right fixes, a near miss, a module that exits, the broken file, a bad zip."""
    solutions = shipped().get("fp_drift").solutions
    exits = (
        (solutions / "ledger.py")
        .read_text()
        .replace("    def balance(", "    def balance(self, *of):\n        os._exit(0)\n\n    def was(")
    )
    sources = {
        "alice": (solutions / "ledger.py").read_text(),
        "bob": arm_named(shipped().get("fp_drift"), "round_at_the_end").contents["ledger.py"].decode(),
        "carol": (solutions / "accepted" / "decimal_text" / "ledger.py").read_text(),
        "dave": f"import os\n{exits}",
        "erin": (shipped().get("fp_drift").folder / "ledger.py").read_text(),
    }
    for name, source in sources.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "ledger.py").write_text(source)
    (folder / "frank.zip").write_bytes(b"PK")


def main() -> None:
    """Draw all pictures in a new workspace."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "drills"
        run([str(Path(sys.executable).with_name("kata")), "init", str(workspace)], Path(folder))
        for name in ("fp_drift", "circular_deadlock", "n_plus_one", "red_herring"):
            draw(name, "a first look", ["pytest", "--kata", name], workspace)
        photograph("incident", "red_herring", workspace)
        photograph("incident_fp_drift", "fp_drift", workspace, part=".picture")
        write_arm(shipped().get("n_plus_one"), "one_after_another", workspace / "sequential")
        beside = ("sequential", "solutions")
        photograph("incident_n_plus_one", "n_plus_one", workspace, beside=beside, part=".picture")
        photograph("incident_circular_deadlock", "circular_deadlock", workspace, part=".graphs")
        hand_in(workspace / "submissions")
        draw("grade", "submissions of a workshop", ["kata", "grade", "submissions"], workspace)
        draw("verify", "every arm of a kata", ["kata", "verify", "fp_drift", "--full", "--seeds", "1"], workspace)


if __name__ == "__main__":
    main()
