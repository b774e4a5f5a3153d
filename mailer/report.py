"""Ledger rows -> counts, tables, workbook, JSON: what the organiser and the machines read."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from mailer.model import GIVEN_UP, Answer, AnswerState, Attendance, Contact, Delivery, Form, State

# What a person must look at first, in the order of urgency; everything else follows.
_URGENCY = (State.IN_DOUBT, State.FAILED, State.BOUNCED, State.DEFERRED, State.CLAIMED, State.QUEUED)

ANSWER_HEADINGS = ("ID", "Party", "Name", "E-mail", "Attendance", "State", "Answered", "Reference", "Why")
_STATUS_KEYS = (
    "reference", "party", "respondent_name", "respondent_email", "attendance", "state", "matched_by", "at",
)  # fmt: skip
STATUS_HEADINGS = ("Mailing", "Recipient", "Party", "State", "Tried", "The relay's words")


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A contact of the sheets whom a mailing has not reached, and why not (or that it is due)."""

    mailing: str
    recipient: str
    party: str
    reason: str


def delivery_as_json(delivery: Delivery) -> dict[str, object]:
    """One row of `status --json`."""
    return {
        "mailing": delivery.mailing,
        "recipient": str(delivery.recipient),
        "cc": [str(address) for address in delivery.cc],
        "party": delivery.party,
        "reference": delivery.reference,
        "state": delivery.state.value,
        "code": delivery.code,
        "enhanced_status": delivery.enhanced_status,
        "reply": delivery.reply,
        "attempts": delivery.attempts,
        "message_id": delivery.message_id,
        "updated_at": delivery.updated_at.isoformat(),
        "note": delivery.note or None,
    }


def counts_as_json(counts: Mapping[str, Mapping[State, int]]) -> dict[str, dict[str, int]]:
    """How many deliveries of each mailing stand in each state."""
    return {mailing: {state.value: number for state, number in states.items()} for mailing, states in counts.items()}


def status_as_json(
    event: str,
    now: datetime,
    counts: Mapping[str, Mapping[State, int]],
    deliveries: Iterable[Delivery],
    problems: int,
    *,
    answers: Iterable[Answer],
    held: Iterable[tuple[str, str]],
) -> dict[str, object]:
    """The whole of `status --json`; `problems` is how many the spreadsheets have, `held` party and reason."""
    return {
        "event": event,
        "now": now.isoformat(),
        "mailings": counts_as_json(counts),
        "deliveries": [delivery_as_json(delivery) for delivery in deliveries],
        "answers": [{key: row[key] for key in _STATUS_KEYS} for row in map(answer_as_json, answers)],
        "held": [{"party": party, "reason": reason} for party, reason in held],
        "problems": problems,
    }


def status_rows(
    deliveries: Iterable[Delivery], not_written: Iterable[NotWritten], *, urgent_last: bool = False
) -> list[Sequence[object]]:
    """The status table: what wants a person first, then the rest in the order queued, then who was not written to.

    With `urgent_last` these three the other way round, for a reader who sees the end.
    """
    rank = {state: number for number, state in enumerate(_URGENCY)}
    ordered = sorted(deliveries, key=lambda delivery: rank.get(delivery.state, len(rank)), reverse=urgent_last)
    written: list[Sequence[object]] = [
        (
            delivery.mailing,
            str(delivery.recipient),
            delivery.party,
            delivery.state.in_words,
            delivery.attempts,
            words(delivery),
        )
        for delivery in ordered
    ]
    unwritten: list[Sequence[object]] = [
        (missing.mailing, missing.recipient, missing.party, "not sent", 0, missing.reason) for missing in not_written
    ]
    return unwritten + written if urgent_last else written + unwritten


def words(delivery: Delivery) -> str:
    """The relay's last words about a delivery, code first, in one line; ours where it has said none.

    Ours stand before them where a copy (Cc) was refused of what was sent, or where what failed was given up.
    """
    text = " ".join((delivery.reply or delivery.note).split())
    said = f"{delivery.code} {text}".strip() if delivery.code else text
    has_both = delivery.reply and delivery.note
    is_told = delivery.state is State.SENT or delivery.note.startswith(GIVEN_UP)
    return f"{delivery.note}; {said}" if has_both and is_told else said


def answer_as_json(answer: Answer) -> dict[str, object]:
    """One row of `answers list --json`."""
    return {
        "id": answer.id,
        "state": answer.state.value,
        "reference": answer.reference,
        "party": answer.party,
        "respondent_name": answer.respondent_name,
        "respondent_email": answer.respondent_email,
        "attendance": answer.attendance.value,
        "matched_by": answer.matched_by,
        "reason": answer.reason,
        "candidates": [asdict(candidate) for candidate in answer.candidates],
        "late": answer.late,
        "file": answer.file,
        "row": answer.row,
        "at": answer.at.isoformat(),
        "guests": answer.guests,
        "guest_name": answer.guest_name,
    }


def answers_as_json(answers: Iterable[Answer], seats: Mapping[str, int | None]) -> dict[str, object]:
    """The whole of `answers list --json` and `answers review --json`."""
    return {"answers": [answer_as_json(answer) for answer in answers], "seats": dict(seats)}


def answer_rows(answers: Iterable[Answer], zone: tzinfo) -> list[Sequence[object]]:
    """The table of `answers list`: by party, those who come first; what waits for a person last."""
    order = {attendance: number for number, attendance in enumerate(Attendance)}
    states = {state: number for number, state in enumerate(AnswerState)}

    def rank(answer: Answer) -> tuple[object, ...]:
        return states[answer.state], (answer.party or "").casefold(), order[answer.attendance], answer.at

    return [
        (
            answer.id,
            answer.party or "",
            _with_guests(answer),
            answer.respondent_email,
            answer.attendance.in_words,
            answer.state.value,
            f"{answer.at.astimezone(zone):%d %B %Y %H:%M}" + (", late" if answer.late else ""),
            answer.reference or "",
            answer.reason,
        )
        for answer in sorted(answers, key=rank)
    ]


def _with_guests(answer: Answer) -> str:
    """The respondent's name and those of the guests, or how many there are."""
    if not answer.guests:
        return answer.respondent_name
    guests = answer.guest_name or f"{answer.guests} guest{'' if answer.guests == 1 else 's'}"
    return f"{answer.respondent_name} with {guests}".strip()


def contact_as_json(contact: Contact, form: Form) -> dict[str, object]:
    """One row of `contacts --json`; `salutation` is the one that will be used, the row's own or that of its form."""
    return {
        "file": contact.place.file,
        "sheet": contact.place.sheet,
        "row": contact.place.row,
        "party": contact.party.name,
        "party_kind": contact.party.kind.value,
        "title": contact.title,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.name,
        "position": contact.position,
        "rank": contact.rank,
        "email": str(contact.address),
        "cc": [str(address) for address in contact.cc],
        "language": contact.language,
        "rule": contact.rule.value if contact.rule else None,
        "status": contact.status.value,
        "salutation": form.salutation,
        "extra": dict(contact.extra),
    }


def write_workbook(path: Path, title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one sheet with a frozen header and a filter to `path` (.xlsx). No text can become a formula.

    Raises OSError where it cannot be written; what stood there before then still does.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import Cell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    cells = [[_cell_value(value) for value in row] for row in rows]
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for number, heading in enumerate(headings):
        longest = max((len(str(row[number])) for row in cells), default=0)
        sheet.column_dimensions[get_column_letter(number + 1)].width = min(max(longest, len(heading)) + 2, 60)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{len(cells) + 1}"

    top = Alignment(vertical="top")

    def cell(value: str | float | None) -> Cell:
        made: Cell = WriteOnlyCell(sheet, value=value)
        if isinstance(value, str):
            made.data_type = "s"
        made.alignment = top
        return made

    header = [cell(heading) for heading in headings]
    for made in header:
        made.font, made.alignment = Font(bold=True), Alignment(vertical="top", wrap_text=True)
    sheet.append(header)
    for line in cells:
        sheet.append([cell(value) for value in line])
    # In memory first: where its file fails, the library writes a traceback for each layer that it had begun.
    whole = io.BytesIO()
    book.save(whole)
    _put(path.resolve(), whole.getvalue())


def _put(path: Path, content: bytes) -> None:
    """The content in the place of what stands there, in one step unless that is a device. Raises OSError."""
    is_device = path.exists() and not path.is_file()
    beside = path if is_device else path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(content)
        if not is_device:
            beside.replace(path)
    except OSError as exc:
        if not is_device:
            beside.unlink(missing_ok=True)
        raise OSError(exc.errno, exc.strerror, str(path)) from None


def _cell_value(value: object) -> str | float | None:
    """`value` as a workbook can hold it: control characters out, anything but numbers as text."""
    if value is None or isinstance(value, int | float):
        return value
    return "".join(c for c in str(value) if c >= " " or c in "\t\n")
