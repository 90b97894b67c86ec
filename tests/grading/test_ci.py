"""Grading where pull requests and submissions arrive: the action's own steps, and the files that `kata ci` writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xmlschema
import yaml

from drill_katas.catalog.katas import shipped
from drill_katas.grading.setups import SETUPS, TEMPLATES
from tests.grading.test_formats import commands
from tests.support.commands import done, kata, refused, words
from tests.support.pack import ELSEWHERE
from tests.support.places import REPOSITORY, TESTS

ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
SCHEMAS = TESTS / "schemas"
FP_DRIFT = shipped().get("fp_drift")
RAISES = "class Ledger:\n    def __init__(self, *args):\n        raise ValueError('::error::x')\n"
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # as GitHub's runner calls it for `shell: bash`

LESS = (sys.executable, ELSEWHERE, "no-landlock", "--")


def ran(command, folder, environment):
    """Run a script to its end, and return its result even if it failed."""
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


class Runner:
    """A runner of GitHub's as far as a composite action sees it, at a step's `run`."""

    def __init__(self, root, **inputs):
        self.workspace, self.temp = root / "workspace", root / "temp"
        for folder in (self.workspace, self.temp):
            folder.mkdir(exist_ok=True)
        known = {name: each.get("default", "") for name, each in ACTION["inputs"].items()}
        assert inputs.keys() <= known.keys()
        self.inputs = known | inputs
        self.files = {name: root / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in self.files.values():
            file.touch()

    def run(self, step, wrapper=(), path=os.environ["PATH"]):
        (step,) = (each for each in ACTION["runs"]["steps"] if each["name"] == step)
        names = {name: re.fullmatch(r"\$\{\{ inputs\.(\S+) \}\}", value)[1] for name, value in step["env"].items()}
        environment = {
            "PATH": path,
            "HOME": str(self.temp),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_ACTION_PATH": str(REPOSITORY),
            "RUNNER_TEMP": str(self.temp),
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            **{name: str(file) for name, file in self.files.items()},
            **{name: self.inputs[given] for name, given in names.items()},
        }
        script = self.temp / "script.sh"
        script.write_text(step["run"])
        return ran([*wrapper, *BASH, str(script)], self.workspace, environment)

    def use_this_environment(self):
        """Leave the installation away: what is installed here does."""
        (self.temp / "kata").symlink_to(sys.prefix)

    @property
    def outputs(self):
        return dict(line.split("=", 1) for line in self.files["GITHUB_OUTPUT"].read_text().splitlines())


@pytest.fixture
def runner(tmp_path):
    def make(**inputs):
        made = Runner(tmp_path, **inputs)
        made.use_this_environment()
        return made

    return make


def learners_files(folder, source):
    """A repository with the learner's file at its path, and files that try to intercept imports."""
    place = folder / "katas" / "fp_drift" / "ledger.py"
    place.parent.mkdir(parents=True)
    place.write_text(source)
    for name in ("sitecustomize", "venv", "pip", "drill_katas", "json", "click", "conftest", "pytest"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'owned')!r}, 'w')\n")


# The action


@pytest.mark.long
def test_action_installs_itself_and_grades_pull_request(tmp_path):
    secret = "long and random"
    runner = Runner(tmp_path, packs="iniconfig\n# a pack\n", **{"seed-secret": secret})
    learners_files(runner.workspace, RAISES)
    installed = runner.run("Install drill-katas and packs")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert (runner.temp / "kata" / "bin" / "kata").is_file()
    graded = runner.run("Grade")
    assert graded.returncode == 1, graded.stdout + graded.stderr
    found = list(commands(graded.stdout))
    assert {name for name, *_ in found} == {"error"}
    assert {(place["file"], place["line"]) for _, place, _ in found if "line" in place} == {
        ("katas/fp_drift/ledger.py", "3")
    }
    assert "symptom: Accounts and book agree with the bank" in {place["title"] for _, place, _ in found}
    assert "| symptom | 0 of 2 | 0 of 15.79 |" in runner.files["GITHUB_STEP_SUMMARY"].read_text()
    assert (runner.outputs["submissions"], runner.outputs["solved"]) == ("1", "0")
    (grade,) = json.loads(Path(runner.outputs["json"]).read_text())["submissions"]
    assert (grade["kata"], grade["solved"], grade["places"]) == (
        "fp_drift",
        False,
        {"ledger.py": "katas/fp_drift/ledger.py"},
    )
    assert secret not in graded.stdout + graded.stderr
    assert not (runner.workspace / "owned").exists(), "something of the pull request's was run"


def test_the_action_reports_unjudged_and_missing_secret(runner):
    here = runner()
    learners_files(here.workspace, "x")
    (here.workspace / "katas" / "fp_drift" / "ledger.py").unlink()
    graded = here.run("Grade")
    assert graded.returncode == 1, graded.stderr
    found = list(commands(graded.stdout))
    assert found[0][:2] == ("notice", {"title": "drill-katas"})
    assert found[1][2].startswith("unreadable: ")
    assert not (here.workspace / "owned").exists()


def test_action_fails_only_if_configured(runner):
    here = runner(fail="false", path="handed in")
    for name in ("a", "b"):
        (here.workspace / "handed in" / name).mkdir(parents=True)
    graded = here.run("Grade")
    assert graded.returncode == 0, graded.stderr
    assert (here.outputs["submissions"], here.outputs["solved"]) == ("2", "0")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"path": "gone"}, "gone cannot be read"),
        ({"kata": "fp_drfit"}, "there is no kata 'fp_drfit'"),
    ],
)
def test_the_action_says_when_nothing_was_graded(runner, inputs, said):
    here = runner(fail="false", **inputs)
    graded = here.run("Grade")
    assert graded.returncode == 2, "that fails whatever `fail` says"
    assert said in graded.stderr
    assert list(commands(graded.stdout))[-1][:2] == ("error", {"title": "drill-katas"})


def test_the_action_requires_its_tier(runner):
    graded = runner(fail="false").run("Grade", LESS)
    assert graded.returncode == 2
    assert "--require-tier strong: only practice is available here" in graded.stderr


@pytest.mark.long
@pytest.mark.parametrize("text", ["$(touch owned)", "`touch owned`", "'; touch owned; '", '"; touch owned; "', "-h"])
@pytest.mark.parametrize("name", ["path", "kata", "require-tier", "fail"])
def test_inputs_of_the_action_are_data(runner, name, text):
    here = runner(**{name: text})
    here.run("Grade")
    assert not (here.workspace / "owned").exists()


def test_the_action_uses_sudo_if_possible(runner, tmp_path):
    here = runner(fail="false", **{"seed-secret": "hidden"})
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "id").write_text("#!/bin/sh\necho 1001\n")
    (tools / "sudo").write_text(
        '#!/bin/sh\n[ "$*" = "-n true" ] && exit 0\nprintf "%s " "$@" >"$RUNNER_TEMP/sudo"\n'
        'while [ "$1" != env ]; do shift; done\nexec "$@"\n'
    )
    for tool in tools.iterdir():
        tool.chmod(0o755)
    graded = here.run("Grade", path=f"{tools}:{os.environ['PATH']}")
    assert graded.returncode == 0, graded.stderr
    message = (here.temp / "sudo").read_text()
    assert message.startswith("-n --preserve-env=GITHUB_STEP_SUMMARY,GITHUB_WORKSPACE,KATA_SEED_SECRET env PATH=")
    assert f"{here.temp}/kata/bin/kata grade --format github" in message
    assert "hidden" not in message, "what a command line says, everybody on the machine may read"
    assert here.outputs["submissions"] == "1"


def test_no_expression_stands_in_a_script():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]


def valid(schema, file):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_action_and_the_templates_are_valid():
    valid("github-actions", REPOSITORY / "action.yml")
    valid("github-workflows", TEMPLATES / "github.yml")
    valid("gitlab-ci", TEMPLATES / "gitlab.yml")
    valid("github-workflows", TEMPLATES / "guardrails-github.yml")
    valid("gitlab-ci", TEMPLATES / "guardrails-gitlab.yml")


def test_the_workflow_gives_pull_requests_nothing():
    workflow = yaml.safe_load((TEMPLATES / "github.yml").read_text())
    assert workflow[True] == "pull_request"  # YAML 1.1 reads "on" so
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    checkout, *_, ours = job["steps"]
    assert checkout["with"]["persist-credentials"] is False
    assert ours["with"].keys() <= ACTION["inputs"].keys()
    assert "run" not in {key for step in job["steps"] for key in step}


# kata ci


@pytest.mark.parametrize("service", SETUPS)
def test_kata_ci_writes_files_and_next_steps(tmp_path, service):
    message = words(done(tmp_path, "ci", service, "new/folder"))
    wanted = [*SETUPS[service].files.values(), *filter(None, [SETUPS[service].archive])]
    for name in wanted:
        file = tmp_path / "new" / "folder" / name
        assert f"new/folder/{name}" in message
        assert file.stat().st_size > 0
        assert bool(file.stat().st_mode & stat.S_IXUSR) == (file.read_bytes()[:2] == b"#!")
        assert b"@VERSION@" not in file.read_bytes()
    assert "KATA_SEED_SECRET" in message or "autograder.zip" in message


def test_kata_ci_never_overwrites_a_file(tmp_path):
    (tmp_path / "run_autograder").write_text("mine")
    message = refused(kata(tmp_path, "ci", "gradescope"))
    assert message.startswith(
        "run_autograder exists already, and nothing was written; remove it, or write into another"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["run_autograder"]
    (tmp_path / ".gitlab-ci.yml").symlink_to("elsewhere")
    assert ".gitlab-ci.yml exists already" in refused(kata(tmp_path, "ci", "gitlab"))
    (tmp_path / "file").write_text("")
    assert "file" in (kata(tmp_path, "ci", "github", "file")).stderr


def test_gradescope_archive_has_executables_at_top(tmp_path):
    done(tmp_path, "ci", "gradescope")
    with zipfile.ZipFile(tmp_path / "autograder.zip") as packed:
        assert packed.namelist() == ["setup.sh", "run_autograder"]
        for member in packed.infolist():
            assert stat.S_IMODE(member.external_attr >> 16) == 0o755
            assert packed.read(member) == (tmp_path / member.filename).read_bytes()


# Gradescope


@pytest.fixture
def autograder(tmp_path):
    """An autograder's folders, as its image has them, with this environment for what setup.sh installs."""
    done(tmp_path, "ci", "gradescope", "source")
    (tmp_path / "submission").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "kata").symlink_to(sys.prefix)
    return tmp_path


def run_autograder(root, wrapper=(), **settings):
    script = (root / "source" / "run_autograder").read_text()
    for name, value in settings.items():
        script, changed = re.subn(rf"^{name}=\S*", f"{name}={value}", script, flags=re.MULTILINE)
        assert changed == 1, name
    (root / "run_autograder").write_text(script)
    (root / "run_autograder").chmod(0o755)
    environment = {**os.environ, "AUTOGRADER_ROOT": str(root)}
    return ran([*wrapper, root / "run_autograder"], root, environment)


def test_gradescope_gets_results_for_any_submission(autograder):
    (autograder / "submission" / "essay").mkdir()
    (autograder / "submission" / "essay" / "essay.txt").write_text("no code")
    (autograder / "submission" / "more").mkdir()
    (autograder / "source" / "seed-secret").write_text("long and random")
    ran = run_autograder(autograder, KATA="fp_drift")
    assert ran.returncode == 0, ran.stderr
    results = json.loads((autograder / "results" / "results.json").read_text())
    assert (results["score"], results["output"]) == (
        0,
        "unreadable: found essay/essay.txt; expected ledger.py (fp_drift)",
    )
    assert stat.S_IMODE((autograder / "source" / "seed-secret").stat().st_mode) == 0o600


def test_gradescope_gets_no_results_without_grading(autograder):
    ran = run_autograder(autograder, LESS)
    assert ran.returncode == 2
    assert "--require-tier reduced: only practice is available here" in ran.stderr
    assert not (autograder / "results" / "results.json").exists()


@pytest.mark.long
def test_gradescope_image_installs_wheel_beside_script(tmp_path):
    source = tmp_path / "source"
    done(tmp_path, "ci", "gradescope", "source")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", source, REPOSITORY],
        cwd=tmp_path, check=True, timeout=300,
    )  # fmt: skip
    installed = subprocess.run(
        ["bash", source / "setup.sh"], cwd=source, env={**os.environ, "AUTOGRADER_ROOT": str(tmp_path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stdout + installed.stderr
    (wheel,) = source.glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    for name in TEMPLATES.iterdir():
        assert f"drill_katas/grading/templates/{name.name}" in inside
    (tmp_path / "submission").mkdir()
    assert run_autograder(tmp_path).returncode == 0
    subprocess.run([tmp_path / "kata" / "bin" / "kata", "ci", "gitlab", tmp_path / "new"], check=True, timeout=60)
    assert f"drill-katas=={wheel.name.split('-')[1]}" in (tmp_path / "new" / ".gitlab-ci.yml").read_text()


# GitLab


def run_job(root, wrapper=(), **variables):
    """Run the job's script in a project, with this environment in place of what it would install."""
    job = yaml.safe_load((TEMPLATES / "gitlab.yml").read_text())["katas"]
    (script,) = job["script"]
    install = "bin/pip install --quiet --requirement requirements.txt\n"
    assert install in script
    script = script.replace(install, f"rm -r bin && ln -s '{sys.prefix}/bin' bin\n").replace(
        "-m venv .", "-m venv --without-pip ."
    )
    environment = {"PATH": os.environ["PATH"], **job["variables"], **variables}
    return ran([*wrapper, "bash", "-c", script], root, environment)


@pytest.mark.long
def test_gitlabs_job_leaves_report_and_grades(tmp_path):
    """It fails when something is not solved."""
    project, precious = tmp_path / "project", tmp_path / "precious"
    learners_files(project, "x")
    (project / "katas" / "fp_drift" / "ledger.py").unlink()
    precious.mkdir()
    (project / "kata-results").symlink_to(precious)
    ran = run_job(project, KATA="fp_drift", SUBMISSION="katas")
    assert ran.returncode == 1, ran.stderr
    assert "without a seed secret" in ran.stdout
    assert "0 of 1 solved; the Tests tab shows the failures" in ran.stdout
    results = project / "kata-results"
    xmlschema.validate((results / "junit.xml").read_text(), SCHEMAS / "junit-10.xsd")
    assert len(json.loads((results / "grades.json").read_text())["submissions"]) == 1
    assert not list(precious.iterdir()), "the job wrote where the merge request wanted it to"
    assert not (project / "owned").exists()
    assert "without a seed secret" not in run_job(project, KATA_SEED_SECRET="s").stdout
    assert run_job(project, LESS).returncode == 2


def test_gitlab_is_told_where_the_report_lies():
    artifacts = yaml.safe_load((TEMPLATES / "gitlab.yml").read_text())["katas"]["artifacts"]
    assert artifacts == {"when": "always", "paths": ["kata-results/"], "reports": {"junit": "kata-results/junit.xml"}}


def test_scripts_are_bash():
    for file in (TEMPLATES / "setup.sh", TEMPLATES / "run_autograder"):
        subprocess.run([shutil.which("bash"), "-n", file], check=True, timeout=10)
