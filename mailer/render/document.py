"""The HTML of a letter: body and foot in the house layout, styles inlined, images made parts of the message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import css_inline

from mailer.errors import Problem
from mailer.render.placeholders import Placeholders
from mailer.render.source import TemplateFile

# Gmail cuts a message off at about 102 kB; what is over this many octets of HTML is refused.
LARGEST_HTML = 90_000

# The pictures that every mail program shows begin so: PNG, JPEG, GIF. Gmail and Outlook show no SVG, and Outlook for
# Windows no WebP.
_SHOWN = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")
_SELDOM_SHOWN = {".svg", ".webp"}

_ELEMENT = re.compile(r'<[a-zA-Z](?:[^>"]|"[^"]*")*>|(?<=<title>)[^<]*')
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_IMAGE = re.compile(r'\b(src|background)="([^"]*)"')
_ELEMENT_WITH_TEXT = re.compile(r"<(title|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_BARE_TABLE = re.compile(r"(<table\b[^>]*>)(?=(?:\s|<!--[^>]*-->)*<tr\b)", re.IGNORECASE)
# What a mail program would fetch or run when the letter is read.
_LOADED = re.compile(
    r"url\(\s*['\"]?(?:https?:)?//|@import|\bsrcset=|<(?:link|script|iframe|object|embed|video|audio|form)\b",
    re.IGNORECASE,
)


def assemble(layout: str, parts: Mapping[str, str], placeholders: Placeholders) -> str:
    """The hidden `layout` with its `{{ body }}` and other `parts` in place and its styles inlined; tags still hidden.

    Block tags between elements stand as comments, because HTML moves any other text out of tables.
    """
    # With the body of each table written out, tags before its first row are inside of it, as its author meant.
    layout = _BARE_TABLE.sub(r"\1<tbody>", _tags_as_comments(layout, placeholders))
    document = placeholders.splice(layout, **parts)
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return with_attributes(str(inliner.inline(document)), placeholders)


def with_attributes(html: str, placeholders: Placeholders) -> str:
    """`html` with the values in its attributes and its title as these want them, those in links held to their rules."""

    def attribute(match: re.Match[str]) -> str:
        made = placeholders.as_link if match[1] == "href" else placeholders.as_attribute
        return f'{match[1]}="{made(match[2])}"'

    def element(match: re.Match[str]) -> str:
        return _ATTRIBUTE.sub(attribute, match[0]) if match[0][:1] == "<" else placeholders.as_attribute(match[0])

    return _ELEMENT.sub(element, html)


def _tags_as_comments(layout: str, placeholders: Placeholders) -> str:
    pieces: list[str] = []
    start = 0
    for element in _ELEMENT_WITH_TEXT.finditer(layout):
        pieces += [placeholders.blocks_as_comments(layout[start : element.start()]), element[0]]
        start = element.end()
    return "".join([*pieces, placeholders.blocks_as_comments(layout[start:])])


def with_images(
    document: str, folders: Sequence[Path], files: Sequence[TemplateFile], placeholders: Placeholders
) -> tuple[str, list[tuple[str, Path]], list[Problem]]:
    """`document` with `cid:` for each image of a file in one of `folders`; the images as (content id, file); faults.

    A content id is made from the file's octets, so that it is the same in every run. Nothing is ever loaded from
    elsewhere when the mail is read: any such image is a problem, of the one of `files` that names it.
    """
    images: dict[str, Path] = {}
    problems: list[Problem] = []

    def taken(match: re.Match[str]) -> str:
        name = unquote(unescape(match[2]))
        if name.startswith("cid:"):
            return match[0]
        try:
            path = None if placeholders.tags_in(name) or urlsplit(name).scheme else _inside(folders, name)
            octets = path.read_bytes() if path else b""
        except (OSError, ValueError) as exc:  # closed to us, gone since, or a name that no file can have
            problems.append(_unreadable(name, exc, files))
            return match[0]
        if path is None:
            problems.append(_refused(name, files, placeholders))
            return match[0]
        if not octets.startswith(_SHOWN) and path.suffix.lower() not in _SELDOM_SHOWN:
            problems.append(_no_picture(name, files))
        cid = f"{hashlib.sha256(octets).hexdigest()[:24]}@images.mailer"
        images[cid] = path
        return f'{match[1]}="cid:{cid}"'

    document = _ELEMENT.sub(lambda element: _IMAGE.sub(taken, element[0]), document)
    return document, list(images.items()), problems


def seldom_shown(images: Iterable[tuple[str, Path]], files: Sequence[TemplateFile]) -> Iterator[Problem]:
    """A warning for each of the `images` that many mail programs leave out, of the one of `files` that names it."""
    for _, path in images:
        if path.suffix.lower() in _SELDOM_SHOWN:
            file, line = _origin(path.name, files)
            problem = f"many mail programs do not show an image of the kind {path.suffix.lower()}"
            fix = "Save it as PNG and name that file."
            yield Problem(problem, fix, "warning", file, row=line, value=path.name)


def _inside(folders: Iterable[Path], name: str) -> Path | None:
    for folder in folders:
        path = (folder / name).resolve()
        if name and path.is_relative_to(folder.resolve()) and path.is_file():
            return path
    return None


def _refused(name: str, files: Sequence[TemplateFile], placeholders: Placeholders) -> Problem:
    tags = placeholders.tags_in(name)
    named = tags[0].body if tags else name
    file, line = _origin(named, files)
    if tags or urlsplit(name).scheme or name.startswith("//"):
        problem = "an image is not a file of ours, and no image is loaded from elsewhere when a mail is read"
        fix = "Put the image beside the template and name the file."
    else:
        problem, fix = (
            "an image is missing",
            "Put it beside the layout or into the event's folder, or correct its name.",
        )
    return Problem(problem, fix, file=file, row=line, value=named)


def _no_picture(name: str, files: Sequence[TemplateFile]) -> Problem:
    file, line = _origin(name, files)
    fix = "Show a PNG, JPEG or GIF there, or name the file among the mailing's attachments instead."
    return Problem("the file is no picture that mail programs show", fix, file=file, row=line, value=name)


def _unreadable(name: str, exc: Exception, files: Sequence[TemplateFile]) -> Problem:
    reason = exc.strerror if isinstance(exc, OSError) else exc
    file, line = _origin(name, files)
    fix = "See to it that the file is there and may be read, or correct its name."
    return Problem(f"an image cannot be read: {reason}", fix, file=file, row=line, value=name)


def _origin(named: str, files: Sequence[TemplateFile]) -> tuple[str, int]:
    """The file and line in which the image is `named`; the first of both where it is spelt otherwise there."""
    origin = next((file for file in files if named in file.text), files[0])
    return origin.file, origin.text.count("\n", 0, max(origin.text.find(named), 0)) + 1


def fetched(layout: TemplateFile) -> Iterator[Problem]:
    """What a mail program would fetch or run if it showed `layout`: nothing may be, as a mail holds all it needs."""
    for element in _ELEMENT_WITH_TEXT.finditer(layout.text):
        for match in _LOADED.finditer(element[0]):
            line = layout.text.count("\n", 0, element.start() + match.start()) + 1
            problem = "the layout would fetch or run something when it is read"
            yield Problem(
                problem, "Take it out: a mail holds all it needs.", file=layout.file, row=line, value=match[0]
            )
