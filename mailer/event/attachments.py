"""Files that travel with an event's mails: inside its folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath


def attachment(folder: Path, name: str) -> Path:
    """The file that `name` stands for: in the event's `folder` or its `attachments`, never outside of it.

    `name` may lead into subfolders, with slashes of either kind, and over links that stay inside. Raises ValueError
    with a reason that goes on from the name: "is empty", "leads out of the event's folder".
    """
    parts = PurePosixPath(name.strip().replace("\\", "/"))
    if parts.is_absolute() or PureWindowsPath(parts).drive or ".." in parts.parts:
        raise ValueError("leads out of the event's folder")
    if not parts.name or not name.strip().isprintable():
        raise ValueError("is not the name of a file")
    try:
        return _found(folder.resolve(), parts)
    except OSError as exc:  # a name that is too long, a folder that may not be entered, a share that is gone
        raise ValueError(f"cannot be read: {exc.strerror or exc}") from None


def _found(home: Path, parts: PurePosixPath) -> Path:
    for place in (home, home / "attachments"):
        if (place / parts).exists():
            return _inside(home, place / parts)
    raise ValueError("is neither in the event's folder nor in its attachments folder")


def _inside(home: Path, path: Path) -> Path:
    if not path.resolve().is_relative_to(home):
        raise ValueError("is a link that leads out of the event's folder")
    if not path.is_file():
        raise ValueError("is not a file")
    if not path.stat().st_size:
        raise ValueError("is empty")
    return path
