"""The nouns of the field as frozen values: parsed once at the border, trusted everywhere after it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

# The local parts of nearly every real address; anything else goes to the library whole.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")


def fold(text: str) -> str:
    """`text` for comparing: NFKC, accents and case folded, apostrophes straight, all else that is no letter a blank."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'").replace("`", "'"))
    letters = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return " ".join("".join(c if c.isalnum() or c == "'" else " " for c in letters).split())


# --- addresses --------------------------------------------------------------------------------------------------------


def _validated(text: str) -> ValidatedEmail:
    try:
        return validate_email(text, check_deliverability=False)
    except EmailNotValidError as exc:
        raise ValueError(str(exc)) from None


@lru_cache(maxsize=65_536)
def _domain(domain: str) -> str:
    return _validated(f"a@{domain}").domain


@dataclass(frozen=True, slots=True)
class Address:
    """One e-mail address, `local@domain` (RFC 5321 section 4.1.2), validated when it is made by `parse`.

    `local` is kept as typed: only its own server may say whether case matters. `domain` is in lower case and, where
    it is internationalised, in Unicode (U-labels, RFC 5890).
    """

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address that `text` is, white space around it ignored. Raises ValueError with a reason for people."""
        text = text.strip()
        local, at, domain = text.rpartition("@")
        if at and len(local) <= 64 and len(text) <= 254 and _PLAIN_LOCAL.fullmatch(local):
            return cls(local, _domain(domain))
        checked = _validated(text)
        return cls(checked.local_part, checked.domain)

    @property
    def key(self) -> str:
        """What makes two addresses the same one for us: the whole in lower case (no server in use tells them apart)."""
        return str(self).casefold()

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a relay that offers SMTPUTF8 (RFC 6531) can carry it: a non-ASCII local part."""
        return not self.local.isascii()

    @property
    def ascii(self) -> str:
        """The address for the wire, its domain as A-labels; the local part as it is (see `needs_smtputf8`)."""
        if self.domain.isascii():
            return f"{self.local}@{self.domain}"
        return f"{self.local}@{_validated(f'a@{self.domain}').ascii_domain}"

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, which may be empty, and an address (RFC 5322 section 3.4). Raises ValueError on line breaks."""

    address: Address
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name.isprintable() and any(unicodedata.category(c) == "Cc" for c in self.name):
            raise ValueError("a display name cannot hold line breaks or control characters")


# --- whom we write to -------------------------------------------------------------------------------------------------


class PartyKind(StrEnum):
    MISSION = "mission"
    ORGANISATION = "organisation"


class Rule(StrEnum):
    """Who may answer an invitation, and how many (`[rsvp] rule`, or the contact's own)."""

    TRANSFERABLE = "transferable"
    PERSONAL = "personal"
    PLUS_ONE = "plus_one"
    ONE_PER_PARTY = "one_per_party"
    REGRETS_ONLY = "regrets_only"


class Standing(StrEnum):
    """The contact's `status` cell: may this person be written to?"""

    ACTIVE = "active"
    DO_NOT_CONTACT = "do not contact"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Party:
    """The mission, UN office or organisation that is invited, called `name` by those who keep the sheet."""

    name: str
    kind: PartyKind

    @property
    def key(self) -> str:
        return fold(self.name)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contact stands: file name, sheet (None for text files) and 1-based row as the spreadsheet shows it.

    `columns` tells for each field of `Contact` its column letters and heading (`{"rank": ("F", "Diplomatic rank")}`);
    all rows of a sheet share one.
    """

    file: str
    sheet: str | None
    row: int
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)

    def cell(self, name: str) -> str | None:
        """The cell that holds the field `name` ("F7"), None where the sheet has no such column."""
        return f"{self.columns[name][0]}{self.row}" if name in self.columns else None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or mailbox of a party, as one row says it: cleaned, never guessed, names spelled as typed.

    Empty text means the cell is empty. `name` is the full name, put together from first and last where only those
    are given. `language` is a two-letter code or None. `rule`, `salutation`, `address_name` and `attachment` are the
    row's own words and win over what the event or the forms of address would say. `extra` holds the columns that
    have no meaning to us, by heading in lower_snake_case.
    """

    place: Place
    party: Party
    address: Address
    cc: tuple[Address, ...] = ()
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    name: str = ""
    position: str = ""
    rank: str = ""
    language: str | None = None
    rule: Rule | None = None
    status: Standing = Standing.ACTIVE
    salutation: str = ""
    address_name: str = ""
    attachment: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_mailbox(self) -> bool:
        """Whether nobody is named: an office's or records address."""
        return not (self.name or self.first_name or self.last_name)


# --- the event --------------------------------------------------------------------------------------------------------


class Audience(StrEnum):
    """Whom a mailing is for; all but `contacts` are read from the ledger."""

    CONTACTS = "contacts"
    UNANSWERED = "unanswered"
    ATTENDING = "attending"
    DECLINED = "declined"
    INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Mailing:
    """One wave of an event. `before_deadline` holds a reminder's offsets in days, largest first; empty otherwise.

    `template` is the file's stem in the event's folder. `attachments` are files, checked to exist inside that folder.
    `gap` is in calendar days, `days` are weekdays (0 is Monday), `hours` first and last clock time of sending; they and
    `maximum` bind reminders alone.
    """

    name: str
    template: str
    audience: Audience
    attachments: tuple[Path, ...] = ()
    calendar: bool = False
    before_deadline: tuple[int, ...] = ()
    gap: int = 2
    maximum: int = 2
    days: frozenset[int] = frozenset(range(5))
    hours: tuple[time, time] = (time(9), time(18))
    thread: bool = False

    @property
    def is_reminder(self) -> bool:
        return bool(self.before_deadline)


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """Who answers questions about the event."""

    name: str
    position: str
    address: Address

    @property
    def email(self) -> str:
        return str(self.address)

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.address, self.name)


@dataclass(frozen=True, slots=True)
class Rsvp:
    """How to answer: `url` with `{reference}` in it, aware `deadline`, event's `rule`, seats in the room or None."""

    url: str
    deadline: datetime
    rule: Rule = Rule.TRANSFERABLE
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What `event.toml` says. `starts` and `ends` are aware, in `timezone`. `hosts` are groups of display names.

    `online` is the name of the service ("Zoom"), True without a name, or False. `language` is that of the templates
    without a suffix. `translations` holds, by language, what `event.toml` says otherwise in that language; `tables`
    every further table, for the templates.
    """

    name: str
    folder: Path
    title: str
    starts: datetime
    ends: datetime
    timezone: ZoneInfo
    source: str
    rsvp: Rsvp
    contact_person: ContactPerson
    mailings: Mapping[str, Mailing]
    venue: str = ""
    online: str | bool = False
    cancelled: bool = False
    hosts: tuple[tuple[str, ...], ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    translations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    tables: Mapping[str, object] = field(default_factory=dict)

    def in_language(self, language: str) -> Event:
        """The event as it is told in `language`: what `event.toml` says otherwise in it lies over the rest.

        That may be title, source, venue, online and hosts, single links, what is said of the contact person, and the
        tables of the templates. Times and rules are the same in all languages.
        """
        over: dict[str, Any] = dict(self.translations.get(language, {}))
        if not over:
            return self
        words = {key: over.pop(key) for key in ("title", "source", "venue", "online", "hosts") if key in over}
        links = {**self.links, **over.pop("links", {})}
        person = replace(self.contact_person, **over.pop("contact_person", {}))
        return replace(self, **words, links=links, contact_person=person, tables=_laid_over(self.tables, over))

    def day_of(self, moment: datetime) -> date:
        """The calendar day of `moment` where the event takes place."""
        return moment.astimezone(self.timezone).date()


def _laid_over(below: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """`below` with the entries of `over`, tables within tables entry by entry."""
    merged = dict(below)
    for key, value in over.items():
        under = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = _laid_over(under, value) if both else value  # type: ignore[arg-type]
    return merged


# --- the reference ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """What ties an answer to its invitation: nine signs and a check sign, printed in two groups (`7KQ4M-P2XDA`).

    The 31 signs leave out 0, O, 1, I and L. As 31 is prime, the weighted sum finds every single wrong sign and every
    exchange of two (as ISBN-10 does with 11), so a mistyped reference is never taken for another's.
    """

    signs: str

    ALPHABET: ClassVar[str] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

    @classmethod
    def from_digest(cls, digest: bytes) -> Self:
        """The reference that stands for `digest`, of at least eight octets; equal digests give equal references."""
        number = int.from_bytes(digest[:8], "big")
        signs = ""
        for _ in range(9):
            number, rest = divmod(number, len(cls.ALPHABET))
            signs += cls.ALPHABET[rest]
        return cls(signs + cls._check_sign(signs))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference as typed, in any case, with or without hyphen and spaces. Raises ValueError if mistyped."""
        signs = "".join(c for c in text.upper() if c not in "-‐‑–—" and not c.isspace())
        if len(signs) != 10 or any(c not in cls.ALPHABET for c in signs) or cls._check_sign(signs[:9]) != signs[9]:
            raise ValueError(f"{text!r} is not a reference of ours: it is mistyped or comes from elsewhere")
        return cls(signs)

    @classmethod
    def _check_sign(cls, signs: str) -> str:
        return cls.ALPHABET[sum((n + 2) * cls.ALPHABET.index(c) for n, c in enumerate(signs)) * -1 % len(cls.ALPHABET)]

    def __str__(self) -> str:
        return f"{self.signs[:5]}-{self.signs[5:]}"


# --- what travels -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """How a contact is addressed: the salutation line, and the name as on an envelope (also the To display name)."""

    salutation: str
    address_name: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as its reader sees it. `html` is a whole document; `language` a two-letter code."""

    subject: str
    text: str
    html: str
    language: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the relay is told (RFC 5321 section 2.3.1), apart from any header.

    `forward_paths` begins with the addressee; the rest are the Cc of the same party. `envelope_id` is returned in a DSN
    where the relay offers that (RFC 3461). `size` is the content's octets.
    """

    reverse_path: Address | None
    forward_paths: tuple[Address, ...]
    envelope_id: str | None = None
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False

    def __post_init__(self) -> None:
        if not self.forward_paths:
            raise ValueError("an envelope has at least one recipient")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said: basic code (RFC 5321 section 4.2), enhanced status code (RFC 3463) or None, lines verbatim.

    `lines` are without code and line end but with the enhanced status code, as they came.
    """

    code: int
    enhanced_status: str | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The relay's words as one line, code first: `550 5.1.1 No such user`."""
        return f"{self.code} {' '.join(self.lines)}".rstrip()


# --- the ledger's row -------------------------------------------------------------------------------------------------


class State(StrEnum):
    """Where a delivery stands; the allowed transitions are in the ledger's schema."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient in one mailing of one event. `date` is that of the Date header, fixed when it is first claimed.

    `code`, `enhanced_status` and `reply` are the relay's last words, `attempts` how many transactions were tried.
    `due_at` is when a deferred one is to be tried again. `thread_id` is the Message-ID of the first mail to this
    recipient, for reminders. All times are aware, in UTC.
    """

    id: int
    event: str
    mailing: str
    recipient: Address
    cc: tuple[Address, ...]
    party: str
    reference: str
    message_id: str
    state: State
    attempts: int
    updated_at: datetime
    date: datetime | None = None
    due_at: datetime | None = None
    code: int | None = None
    enhanced_status: str | None = None
    reply: str | None = None


# --- answers ----------------------------------------------------------------------------------------------------------


class Attendance(StrEnum):
    """What an answer says: `attending` is a yes that does not say how, `waiting` is listed, `review` is unclear."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    ATTENDING = "attending"
    REGRETS = "regrets"
    WAITING = "waiting"
    REVIEW = "review"


class AnswerState(StrEnum):
    """How sure it is whose answer this is; `suggested` and `review` wait for a person, who may reject it."""

    MATCHED = "matched"
    SUGGESTED = "suggested"
    REVIEW = "review"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the ledger holds of one invitation, whatever mailings have carried it."""

    event: str
    recipient: Address
    cc: tuple[Address, ...]
    party: Party
    rule: Rule
    reference: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invitation that an answer may belong to, and why."""

    reference: str
    party: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One respondent's answer, and the invitation it was matched to (`reference`, `party`), if it was.

    `matched_by` names the evidence ("reference", "address", "cc", "domain", "name", "person"), `reason` says it in
    words. `file` and `row` tell where it came from, None for one that was recorded by hand. `at` is when the
    respondent answered; `late` that this was after the deadline.
    """

    id: int
    event: str
    state: AnswerState
    attendance: Attendance
    respondent_name: str
    respondent_email: str
    reference: str | None
    party: str | None
    matched_by: str | None
    reason: str
    at: datetime
    late: bool = False
    candidates: tuple[Candidate, ...] = ()
    file: str | None = None
    row: int | None = None
