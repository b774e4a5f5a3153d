"""What an event still has of another from which its folder was copied, and would send with its own mails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mailer import event
from mailer.cli.desk import Desk, shipped
from mailer.errors import InputRefused, Problem
from mailer.model import Event


def left_over(desk: Desk) -> Iterator[Problem]:
    """Warnings: attachments of the shipped event, and addresses to which another event leads too."""
    file, samples = str(desk.event.folder / event.FILE_NAME), shipped() / "templates"
    if not (samples / desk.event.name).is_dir():
        for path in _attachments(desk.event, samples):
            problem = f"{path.name} is that of the sample event"
            fix = "Put your own file there, or take its name out of attachments."
            yield Problem(problem, fix, "warning", file, column="attachments")
    shared: dict[str, list[str]] = {}
    others = [*_others(desk.event, desk.templates), *_others(desk.event, samples)]
    for key, address in _addresses(desk.event).items():
        same = {one.starts: one.name for one in others if _addresses(one).get(key) == address}
        if len(same) == 1:  # what several events have is that of them all
            shared.setdefault(next(iter(same.values())), []).append(key)
    for name, keys in shared.items():
        problem = f"{' and '.join(keys)} {'is that' if len(keys) == 1 else 'are those'} of the event {name}"
        fix = "Write this event's own in event.toml; nothing, if one is meant for both."
        yield Problem(problem, fix, "warning", file, column=keys[0])


def _attachments(copy: Event, samples: Path) -> Iterator[Path]:
    theirs = {path.name: path for path in samples.glob("*/attachments/*")}
    for path in sorted({path for mailing in copy.mailings.values() for path in mailing.attachments}):
        if path.is_file() and path.name in theirs and path.read_bytes() == theirs[path.name].read_bytes():
            yield path


def _addresses(one: Event) -> Mapping[str, str]:
    """Where its mails lead, by key; a home page is of its owner, and not of an event."""
    links = {f"links.{name}": link for name, link in one.links.items() if urlsplit(link).path.strip("/")}
    return {"rsvp.url": one.rsvp.url, **links}


def _others(copy: Event, templates: Path) -> Iterator[Event]:
    """The sound events of the folder that are not the same one, as for another list of guests."""
    for name in event.names(templates):
        try:
            other, _ = event.load(templates, name)
        except InputRefused:
            continue  # whoever sends it is told
        if name != copy.name and (other.title, other.starts) != (copy.title, copy.starts):
            yield other
