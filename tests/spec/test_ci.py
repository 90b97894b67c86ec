"""`kata ci SERVICE --guardrails`: the job that checks a team's spec."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from drill_katas import __version__
from tests.support.commands import done, kata, refused, words

FILES = {"github": ".github/workflows/guardrails.yml", "gitlab": ".gitlab-ci.yml"}


def steps_of(file):
    """The shell commands of a job, without the installation, and its variables."""
    text = yaml.safe_load(file.read_text(encoding="utf-8"))
    if "jobs" in text:
        steps = [step for step in text["jobs"]["spec"]["steps"] if "run" in step]
        assert not [step for step in steps if "${{" in step["run"]]
        commands, variables = [step["run"] for step in steps], {}
    else:
        commands, variables = text["guardrails"]["script"], text["guardrails"]["variables"]
    install, *rest = commands
    assert install.startswith("pip install ")
    assert f"drill-katas=={__version__}" in install.replace("$REQUIREMENTS", variables.get("REQUIREMENTS", ""))
    return rest, variables


@pytest.mark.parametrize("service", FILES)
def test_job_fails_with_the_check(agreed, service):
    shown = words(done(agreed.root, "ci", service, "--guardrails"))
    assert shown.startswith(f"{FILES[service]} Commit it with SPEC.md and katas/.")
    commands, variables = steps_of(agreed.root / FILES[service])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def job():
        script = "\n".join(["set -eu", *commands])
        return subprocess.run(
            ["bash", "-c", script], cwd=agreed.root, env={**os.environ, **variables, "PATH": path}, check=False
        )

    assert job().returncode == 0
    agreed.guardrail(agreed.citing("R1", "R3"))
    assert job().returncode == 1


def test_workflow_gets_no_rights(tmp_path):
    done(tmp_path, "ci", "github", "--guardrails")
    workflow = yaml.safe_load((tmp_path / FILES["github"]).read_text(encoding="utf-8"))
    assert workflow[True] == "pull_request"  # YAML 1.1 reads "on" as a bool
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    assert job["steps"][0]["with"]["persist-credentials"] is False
    assert "secrets" not in (tmp_path / FILES["github"]).read_text(encoding="utf-8").partition("name:")[2]


@pytest.mark.parametrize("service", FILES)
def test_job_never_overwrites_a_file(tmp_path, service):
    file = tmp_path / FILES[service]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    assert f"{FILES[service]} exists already, and nothing was written" in refused(
        kata(tmp_path, "ci", service, "--guardrails")
    )
    assert file.read_text() == "mine"


def test_github_has_both_jobs_side_by_side(tmp_path):
    done(tmp_path, "ci", "github")
    done(tmp_path, "ci", "github", "--guardrails")
    assert len(list((tmp_path / ".github" / "workflows").iterdir())) == 2


def test_gradescope_runs_no_guardrails(tmp_path):
    message = refused(kata(tmp_path, "ci", "gradescope", "--guardrails"))
    assert message.startswith("gradescope has no pull requests to run guardrails on; use `kata ci github --guardrails`")
    assert not list(tmp_path.iterdir())
