"""The pages of a preview: each letter under what its header says, and the index to leaf through them."""

from __future__ import annotations

import base64
import email
import email.policy
import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from pathlib import Path

# By which an index is known as ours.
_MARK = '<meta name="generator" content="mailer preview">'
_INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">{mark}<title>{title}</title><style>
body {{ margin: 0; display: flex; height: 100vh; font: 15px/1.4 system-ui, sans-serif; color: #1b1b1b; }}
nav {{ width: 26rem; overflow: auto; border-right: 1px solid #ccc; padding: 0 1rem 2rem; box-sizing: border-box; }}
nav ol {{ padding: 0 0 0 2.6rem; }}
nav ol a {{ display: block; padding: .45rem .3rem; text-decoration: none; border-bottom: 1px solid #eee; }}
nav a:link {{ color: inherit; }}
nav a:visited {{ color: #75507b; }}
nav a:hover, nav a:focus {{ background: #eef3fa; }}
nav h1 {{ font-size: 1.2rem; }}
nav h2 {{ font-size: 1rem; margin: 1.5rem 0 0; }}
iframe {{ flex: 1; border: 0; background: #fff; }}
</style></head><body><nav><h1>{title}</h1>{contents}{groups}</nav>
<iframe name="message" title="The message" sandbox="allow-popups" src="{first}"></iframe></body></html>
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ margin: 0; display: flex; flex-direction: column; height: 100vh; font: 14px/1.4 system-ui, sans-serif; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; padding: .7rem 1rem;
  color: #1b1b1b; background: #f3f3f3; border-bottom: 1px solid #ccc; max-height: 40vh; overflow: auto; }}
dt {{ color: #555; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
dd:first-of-type {{ font-weight: bold; }}
iframe {{ flex: 1; border: 0; background: #fff; }}
</style></head><body><dl>{header}</dl>
<iframe title="The letter" sandbox="allow-popups" srcdoc="{letter}"></iframe></body></html>
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in the index: the `link` to its page, the `group` in which it stands, whom it is for, and a remark."""

    link: str
    group: str
    addressee: str
    remark: str


def is_index(page: Path) -> bool:
    """Whether the file is the index of an earlier preview."""
    try:
        return _MARK in page.read_text("utf-8", errors="replace")[:500]
    except OSError:
        return False


def index(title: str, entries: Sequence[Entry]) -> str:
    """The page that lists `entries`, numbered, group by group, and shows the message that is chosen."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    contents = "".join(
        f'<li><a href="#group-{number}">{escape(group)}</a>: {len(found)}</li>'
        for number, (group, found) in enumerate(groups.items())
    )
    lists, start = [], 1
    for number, (group, found) in enumerate(groups.items()):
        lists.append(f'<h2 id="group-{number}">{escape(group)}</h2><ol start="{start}">{"".join(_items(found))}</ol>')
        start += len(found)
    first = escape(next(iter(groups.values()))[0].link) if groups else ""
    return _INDEX.format(
        mark=_MARK, title=escape(title), contents=f"<ul>{contents}</ul>", groups="".join(lists), first=first
    )


def _items(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        link, addressee, remark = escape(entry.link), escape(entry.addressee), escape(entry.remark)
        yield f'<li><a href="{link}" target="message">{addressee}<br><small>{remark}</small></a></li>'


def page(octets: bytes, attached: str, letter: str, images: Sequence[tuple[str, Path]]) -> str:
    """The page of one message: its header as the wire's `octets` have it, what is `attached`, and the HTML `letter`.

    The letter stands in a frame of its own in which nothing is run, with its inline `images` (content id, file) in it,
    as a browser knows no `cid:`.
    """
    for cid, path in images:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        letter = letter.replace(f"cid:{cid}", f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}")
    message = _parsed(octets.partition(b"\r\n\r\n")[0])
    said = {name: str(message[name] or "none") for name in ("Subject", "From", "To", "Cc", "Reply-To")}
    said["Attachments"] = attached or "none"
    header = "".join(f'<dt>{name}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in said.items())
    return _PAGE.format(title=escape(said["Subject"]), header=header, letter=escape(letter))


def attached_to(octets: bytes) -> str:
    """The names and sizes of what is attached to the message `octets`."""
    parts = (part for part in _parsed(octets).walk() if part.get_content_disposition() == "attachment")
    sized = ((part.get_filename(), len(part.get_payload(decode=True))) for part in parts)
    return ", ".join(f"{name} ({-(-size // 1000)} kB)" for name, size in sized)


def _parsed(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets, policy=email.policy.default)
