"""What somebody may do with a folder that may only be read: look, and be told what the looking does not show."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailer.cli import main
from tests.cli.conftest import BEN, NOW, Folder
from tests.rights import as_nobody

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no rights of this kind here")

Preview = Callable[..., tuple[int, str]]


@pytest.fixture
def read_only(folder: Folder) -> Iterator[Path]:
    """A copy of the folder that everybody may read and nobody may write to; `out` beside it is open to all."""
    with TemporaryDirectory() as name:
        top, copy = Path(name), Path(name, "event")
        shutil.copytree(folder.path, copy)
        (top / "out").mkdir()
        for path, mode in ((top, 0o755), (top / "out", 0o777), (copy, 0o555)):
            path.chmod(mode)
        folder.run("preview")  # so that every module is loaded while its file may be read
        yield copy
        copy.chmod(0o755)


@pytest.fixture
def preview(read_only: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Preview:
    """Runs `mailer preview` there without rights: the exit code, and what it complains of."""

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mailer", "preview", *words, "--now", NOW])
        capfd.readouterr()
        with contextlib.chdir(read_only), as_nobody(), pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capfd.readouterr().err

    return run


def test_who_may_not_write_may_look(read_only: Path, preview: Preview) -> None:
    """Without a ledger the messages can be looked at elsewhere, and nobody takes the references in them for true."""
    code, told = preview("--out", "../out/shown")
    assert code == 0
    assert (read_only.parent / "out/shown/invitation" / f"{BEN}.eml").exists()
    assert "references shown are samples" in told
    assert "right to write to its folder" in told
    assert "LEDGER_URL" not in told


def test_who_may_not_write_is_told_where_to_look(preview: Preview) -> None:
    """The folder that cannot be made is named, and what names another."""
    told = "mailer: preview cannot be made: Permission denied. Name another folder with --out.\n"
    assert preview() == (2, told)
