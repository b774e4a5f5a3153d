"""`mailer status`: where everything stands, what wants a person and what there is to do; nothing is changed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.audience import Rules, mailing_of, main_mailing, named_by
from mailer.cli import console
from mailer.cli.again import passed_over, why_no_more
from mailer.cli.arguments import event_argument, json_option, now_option, sandbox_option
from mailer.cli.command_line import command_of, event_meant, where
from mailer.errors import Problem, Severity
from mailer.model import AnswerState, State

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk
    from mailer.cli.roll import Roll
    from mailer.ledger import Ledger
    from mailer.model import Contact, Event
    from mailer.report import NotWritten


@click.command(short_help="Where everything stands.")
@event_argument
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a workbook.")
@sandbox_option
@json_option
@now_option
def status(event: str | None, xlsx: Path | None, sandbox: bool, as_json: bool, now: str | None) -> int:
    """Say where everything stands: each contact, its state, the relay's words."""
    from mailer import report
    from mailer.cli.desk import mind_older, open_desk
    from mailer.cli.turnout import turnout_of

    desk = open_desk(event, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        mind_older(ledger)
        counts = ledger.counts(desk.event.name)
        turnout = turnout_of(desk, ledger)
        missing, problems, people = _not_written(desk, ledger, turnout)
        sentences = list(_sentences(desk, ledger, counts, turnout, people)) if not as_json else []
        if xlsx:
            target = console.not_a_source(xlsx, desk.config.contact_paths)
            rows = report.status_rows(ledger.deliveries(desk.event.name), missing)
            report.write_workbook(target, "Status", report.STATUS_HEADINGS, rows)
        if as_json:
            deliveries = ledger.deliveries(desk.event.name)
            held = [(hold.party, hold.reason) for hold in turnout.holds]
            console.as_json(
                report.status_as_json(
                    desk.event.name,
                    desk.clock(),
                    counts,
                    deliveries,
                    problems.total(),
                    answers=turnout.current,
                    held=held,
                )
            )
            return 0
        # Of a long table, a terminal leaves the end in sight.
        rows = report.status_rows(ledger.deliveries(desk.event.name), missing, urgent_last=sys.stdout.isatty())
    console.table(report.STATUS_HEADINGS, rows, once=("Mailing",), beside=("Recipient", "State", "Tried"))
    console.say()
    for sentence in sentences:
        console.say(sentence)
    if errors := problems["error"]:  # what is only a warning may be meant, and then stays for ever
        console.say(f"{console.count(errors, 'error')} in the spreadsheets: see mailer check{event_meant(desk)}")
    if xlsx:
        console.say(f"Written to {xlsx}")
    return 0


def _sentences(
    desk: Desk, ledger: Ledger, counts: Mapping[str, Mapping[State, int]], turnout: Turnout, people: Roll[Contact]
) -> Iterator[str]:
    """How the mailings stand, in the order in which they go out, and the answers; and what there is to do about it."""
    from mailer.cli.changes import who_was_not_told

    for wave in sorted(counts, key=lambda wave: _turn(wave, desk.event)):
        states = counts[wave]
        ways_out = _ways_out(desk, ledger, turnout, wave, states, people=people)
        yield f"{wave}: {'; '.join((console.states(states), *ways_out))}"
    for untold in who_was_not_told(desk, ledger, turnout):
        yield ". ".join(untold)
    yield from _answers(desk, turnout)
    yield from _reminders(desk, ledger, turnout, people)


def _turn(wave: str, event: Event) -> tuple[int, int]:
    """Where what the ledger calls `wave` stands in event.toml, and of a reminder the earlier one first."""
    mailing = mailing_of(wave, event)
    if mailing is None:
        return len(event.mailings), 0
    _, offset = named_by(wave)
    return list(event.mailings).index(mailing.name), -(offset or 0)


def _ways_out(
    desk: Desk, ledger: Ledger, turnout: Turnout, wave: str, states: Container[State], *, people: Iterable[Contact]
) -> Iterator[str]:
    over = why_no_more(wave, desk)
    if State.IN_DOUBT in states:
        yield f"settle what is in doubt with mailer resolve{where(desk)}"
    if State.CLAIMED in states:  # by a run, or by one that is dead and cannot be settled now
        yield f"see whether anybody sends it with mailer resolve{where(desk)}"
    has_failed = State.FAILED in states
    waits = (State.QUEUED in states or State.DEFERRED in states) and State.CLAIMED not in states
    if over and (has_failed or waits):
        what = " or ".join(word for word, is_so in (("failed", has_failed), ("waits", waits)) if is_so)
        yield f"what {what} is sent no more: {over}"
    elif has_failed:
        failed = list(ledger.deliveries(desk.event.name, wave, State.FAILED))
        if len(passed_over(failed, people, desk, ledger, turnout)) < len(failed):
            yield f"see what failed with mailer resolve{where(desk)} --failed"
    if waits and not over:
        yield from _next_tries(desk, ledger, turnout, wave, people)


def _next_tries(desk: Desk, ledger: Ledger, turnout: Turnout, wave: str, people: Iterable[Contact]) -> Iterator[str]:
    """When and by which command what waits of a mailing is sent, and how much is not, and why."""
    now, name, mailing = desk.clock(), desk.event.name, mailing_of(wave, desk.event)
    waiting = [one for state in (State.QUEUED, State.DEFERRED) for one in ledger.deliveries(name, wave, state)]
    reasons = passed_over(waiting, people, desk, ledger, turnout)
    tries = [one.waits_until(now) or now for one in waiting if one.id not in reasons]
    if tries and mailing:
        at = f" from {console.moment_from(min(tries), now, desk.event.timezone)} on" if min(tries) > now else ""
        yield f"send what waits{at} with {command_of(mailing, desk)}"
    for reason, number in Counter(reasons.values()).items():
        yield f"{number} waiting in vain ({reason})"


def _answers(desk: Desk, turnout: Turnout) -> Iterator[str]:
    matched = [answer.attendance for answer in turnout.current if answer.state is AnswerState.MATCHED]
    if told := ", ".join(f"{n} {said.in_words}" for said, n in sorted(Counter(matched).items())):
        yield f"answers: {told}"
    for hold in turnout.holds:
        yield f"held: {hold.party}, {hold.reason}"
    if turnout.doubts:
        yield f"Answers to be settled: {len(turnout.doubts)}; see mailer answers review{where(desk)}"


def _reminders(desk: Desk, ledger: Ledger, turnout: Turnout, contacts: Iterable[Contact]) -> Iterator[str]:
    """For each reminder, how many are due at this moment, and why the others are not, in words."""
    from mailer.cli.surveying import Records

    for mailing in desk.event.mailings.values():
        if mailing.is_reminder:
            rules, known = Rules(mailing, desk.event, desk.clock()), Records(desk, ledger, mailing, turnout)
            reasons = Counter(rules.why_not(contact, record) for contact, record in known.of(contacts))
            yield f"{mailing.name} at this moment: {reasons.pop(None, 0)} due"
            for reason, number in reasons.most_common():
                yield f"{number:>7}  left out: {reason}"


def _not_written(
    desk: Desk, ledger: Ledger, turnout: Turnout
) -> tuple[list[NotWritten], Counter[Severity], Roll[Contact]]:
    """Who has no delivery of the invitation, and why; the problems of the sheets, counted; and all whom they name."""
    from mailer.cli.guests import CONTACTS, read_guests
    from mailer.cli.roll import Roll
    from mailer.cli.surveying import Records
    from mailer.report import NotWritten

    mailing = main_mailing(desk.event)
    contacts = Roll(packing=CONTACTS)
    problems = Counter[Severity]()
    unfit: dict[str, NotWritten] = {}
    for found in read_guests(desk.config.contact_paths, desk.directory):
        if isinstance(found, Problem):
            problems[found.severity] += 1
            if found.is_error and found.row:
                reason = f"{found.sentence}: see mailer check{event_meant(desk)}"
                row = replace(found, cell=None).place()
                unfit.setdefault(row, NotWritten(mailing.name, "", row, reason))
        else:
            contacts.append(found.contact)
    missing = [*unfit.values()]
    rules = Rules(mailing, desk.event, desk.clock())
    for contact, record in Records(desk, ledger, mailing, turnout).of(contacts):
        if mailing.name not in record.states:
            reason = rules.why_not(contact, record) or f"due: {command_of(mailing, desk)}"
            missing.append(NotWritten(mailing.name, str(contact.address), contact.party.name, reason))
    return missing, problems, contacts
