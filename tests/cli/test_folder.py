"""`init`, `demo` and `--help`: what a newcomer meets first."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mailer.cli import group
from tests.cli.conftest import Folder

ROOT = Path(__file__).parents[2]


def test_a_new_folder_is_ready_to_look_at(folder: Folder) -> None:
    """`init` makes a folder whose check finds no error, and never writes over anything."""
    assert folder.run("init", "mine", now=None).code == 0
    assert {path.name for path in (folder.path / "mine").iterdir()} >= {"templates", "contacts", "config.env"}
    assert (folder.path / "mine" / "config.env").stat().st_mode & 0o077 == 0
    again = folder.run("init", "mine", now=None)
    assert again.code == 2
    assert "not empty" in again.err


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_no_secret_gets_into_git(folder: Folder) -> None:
    """In a new folder `git add .` leaves out the password, the token, the ledger and every copy of a message."""
    folder.run("init", "mine", now=None)
    private = ("config.env", "oauth-token.json", "ledger.db", "ledger.db-wal", "outbox/1-a.eml", "preview/index.html")
    for name in private:
        folder.write(f"mine/{name}", "hush")
    git = ["git", "-C", str(folder.path / "mine")]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True, capture_output=True)
    added = subprocess.run([*git, "ls-files"], check=True, capture_output=True, text=True).stdout.split()
    assert {".gitignore", "config.example.env", "templates/poc-week/event.toml"} <= set(added)
    assert not set(private) & set(added)


def test_the_demo_shows_the_whole_job(folder: Folder) -> None:
    """It sends to everybody once, takes in answers, and reminds the rest only: nobody whose colleague has answered."""
    shown = folder.run("demo", now=None)
    assert shown.code == 0
    assert "1 deferred, 1 failed" in shown.out
    assert "No such user here" in shown.out
    outbox = Path(next(line for line in shown.out.splitlines() if line.endswith("outbox")).rpartition(": ")[2])
    got = Counter(path.name.partition("-")[2].removesuffix(".eml") for path in outbox.glob("*.eml"))
    assert got["kamau.mfano@kenya.example.org"] == 2  # invited at the second try, and reminded
    assert got["aissatou.exemple@senegal.example.org"] == 1  # a colleague has answered
    assert got["omar.alnamudhaj@jordan.example.org"] == 1  # an answer in doubt holds the reminder
    assert set(got.values()) == {1, 2}
    assert "suggested, for a person to confirm" in shown.out


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_heavy(option: str) -> None:
    """`mailer --help` and `--version` answer without pandas, SQLAlchemy, templates or a web framework."""
    code = (
        "import sys; sys.argv = ['mailer', sys.argv[1]]\n"
        "from mailer.cli import main\n"
        "try: main()\n"
        "finally: print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stderr.split())
    heavy = {"pandas", "numpy", "sqlalchemy", "alembic", "jinja2", "openpyxl", "pydantic", "starlette", "icalendar"}
    assert not loaded & heavy
    assert "mailer" in done.stdout


def test_every_command_stands_in_the_readme() -> None:
    """The README's table and the command line name the same commands."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in group.commands:
        assert f"`mailer {name}" in readme
