"""What the mails that went out said otherwise of the event, who was not told of it yet, and what tells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from mailer.cli import console
from mailer.cli.command_line import command_of, where
from mailer.cli.mailing import facts_of
from mailer.errors import Problem
from mailer.model import Address, Answer, Audience, Invitation, Mailing, Standing, State

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk
    from mailer.ledger import Edition, History, Ledger

_NOT_HAD = (None, State.QUEUED, State.DEFERRED)


def changes(desk: Desk, ledger: Ledger) -> Iterator[Problem]:
    """A warning for each fact that no mail has told yet as it is now; else of those who were not told yet."""
    from mailer.cli.turnout import turnout_of

    editions, now = ledger.editions(desk.event.name), facts_of(desk.event)
    if len(editions) < 2 and not any(edition.changed(now) for edition in editions):
        return
    file = str(desk.event.folder / "event.toml")
    said, turnout = editions[-1], turnout_of(desk, ledger)
    changed = said.changed(now)
    if changed:
        fix = f"What was sent is not sent again; {_how_to_tell_all(desk, ledger, turnout)}."
        for key in changed:
            was, value = said.facts[key], now[key]
            problem = f"{key} was {was or 'empty'} in the mails since {said.at:%d %B %Y} and is {value or 'empty'} now"
            yield Problem(problem, fix, "warning", file, column=key, value=value or None)
    yield from (Problem(*untold, "warning", file) for untold in who_was_not_told(desk, ledger, turnout))
    if waiting := _who_may_come_untold(desk, ledger, turnout, None if changed else said.at):
        yield Problem(*waiting, "warning", file)


def who_was_not_told(desk: Desk, ledger: Ledger, turnout: Turnout | None = None) -> Iterator[tuple[str, str]]:
    """Who was last told otherwise than the latest mails say, of those who come and of those invited, and what to do.

    Nobody is named while the event is otherwise than these say too. `turnout` is where the event stands, if that is
    known.
    """
    from mailer.cli.turnout import turnout_of

    editions = ledger.editions(desk.event.name)
    if len(editions) < 2 or editions[-1].changed(facts_of(desk.event)):
        return
    turnout, histories = turnout or turnout_of(desk, ledger), ledger.histories(desk.event.name)
    for untold in (
        _coming_untold(desk, ledger, turnout, editions, histories),
        _invited_untold(desk, ledger, turnout, editions, histories),
    ):
        if untold:
            yield untold


def _coming_untold(
    desk: Desk, ledger: Ledger, turnout: Turnout, editions: Sequence[Edition], histories: Mapping[str, History]
) -> tuple[str, str] | None:
    """Somebody who was never written to knows what the mails to the person invited had said when the answer came."""
    hosts = {invitation.reference: invitation for invitation in ledger.invitations(desk.event.name)}
    heard = {key: histories[key].last_written for key in turnout.silent}
    heard |= {key: _heard(key, one, hosts[one.reference or ""], histories) for key, one in turnout.comes.items()}
    latest = editions[-1].facts
    untold = {key: said for key, at in heard.items() if at and (said := _in_force(editions, at)).changed(latest)}
    beyond = _beyond_reach(untold, ledger)
    untold = {key: said for key, said in untold.items() if beyond.get(key, True)}
    if not untold:
        return None
    were = "was" if len(untold) == 1 else "were"
    what = _changed(untold.values(), latest)
    problem = f"{len(untold)} of those who come {were} not told of the change ({what}): {console.few([*untold])}"
    ways = []
    off = _off_the_lists(desk, turnout, untold.keys() - beyond.keys())
    if within := untold.keys() - beyond.keys() - off:
        ways.append(f"Tell them with {_telling(desk, within, histories)}.")
    if silenced := [key for key in untold if key in beyond]:
        ways.append(f"No mail goes to {console.few(silenced)}: tell them yourself.")
    if unlisted := [key for key in untold if key in off]:
        ways.append(f"No row that may be written to names {console.few(unlisted)}: tell them yourself.")
    return problem, " ".join(ways)


def _invited_untold(
    desk: Desk, ledger: Ledger, turnout: Turnout, editions: Sequence[Edition], histories: Mapping[str, History]
) -> tuple[str, str] | None:
    """How many are still to get the mailing to all invited that has told some of them, as after --limit or Ctrl-C.

    Before there is one, who had the invitation as it was, of those who are still to answer: the event was changed while
    it went out.
    """
    from mailer.audience import ALREADY_SENT, Rules, main_mailing
    from mailer.cli.surveying import Records

    telling = _telling_all(desk, ledger, editions[-1].at)
    mailing = telling or main_mailing(desk.event)
    latest = editions[-1].facts
    told = {key: _in_force(editions, one.last_written) for key, one in histories.items() if one.last_written}
    behind = {
        key
        for key, said in told.items()
        if said.changed(latest) and (not telling or histories[key].states.get(telling.name) in _NOT_HAD)
    }
    contacts = [contact for contact in desk.invitees if contact.address.key in behind] if behind else []
    rules = Rules(mailing, desk.event, desk.clock())
    left = [
        contact.address.key
        for contact, record in Records(desk, ledger, mailing, turnout).of(contacts)
        if (why_not := rules.why_not(contact, record)) is None or (not telling and why_not == ALREADY_SENT)
    ]
    if not left:
        return None
    have, what = "has" if len(left) == 1 else "have", _changed([told[key] for key in left], latest)
    if not telling:
        problem = f"{len(left)} of those invited {have} read otherwise ({what}): {console.few(left)}"
        return problem, f"Where no reminder is to tell them, do so with {_way_to_all(desk, ledger)}."
    problem = f"{len(left)} of those invited {have} not had {telling.name}, which tells of the change ({what})"
    return problem, f"Send it to them with {command_of(telling, desk)}."


def _telling_all(desk: Desk, ledger: Ledger, since: datetime) -> Mailing | None:
    """The last mailing to all invited that has gone to somebody since then."""
    to_all = (mailing for mailing in desk.event.mailings.values() if mailing.audience is Audience.INVITED)
    begun = [
        mailing
        for mailing in to_all
        if any(one.date and one.date >= since for one in ledger.deliveries(desk.event.name, mailing.name, State.SENT))
    ]
    return begun[-1] if begun else None


def _changed(said: Iterable[Edition], latest: Mapping[str, str]) -> str:
    """The facts that any of the mails said otherwise than the latest."""
    return ", ".join(sorted({fact for edition in said for fact in edition.changed(latest)}))


def _who_may_come_untold(
    desk: Desk, ledger: Ledger, turnout: Turnout, since: datetime | None
) -> tuple[str, str] | None:
    """Whose answers wait to be settled, so that no mail of the change goes to them; mails tell it `since`, if any does.

    Before the first one, a mailing to those invited is still to come.
    """
    histories = ledger.histories(desk.event.name)
    untold = []
    for answer in turnout.may_come:
        history = histories.get(answer.respondent_email.casefold())
        heard = max(answer.at, history.last_written) if history and history.last_written else answer.at
        if heard < since if since else not _is_invited(desk, history):
            untold.append(answer.respondent_email or answer.respondent_name or f"answer {answer.id}")
    if not untold:
        return None
    were = "was" if len(untold) == 1 else "were"
    problem = f"{len(untold)} who may come {were} not told of the change, as the answer waits to be settled"
    return f"{problem}: {console.few(untold)}", f"Settle it with mailer answers review{where(desk)}, then check again."


def _beyond_reach(keys: Iterable[str], ledger: Ledger) -> dict[str, bool]:
    """Those of the keys that no mailing goes to, as they are suppressed or no address; and whether a person may."""
    from mailer.ledger import NOWHERE

    addresses: dict[str, Address] = {}
    beyond: dict[str, bool] = {}
    for key in keys:
        try:
            addresses[key] = Address.parse(key)
        except ValueError:
            beyond[key] = not key.endswith(f"@{NOWHERE}")
    return beyond | dict.fromkeys(ledger.suppressed(addresses.values()), True)


def _off_the_lists(desk: Desk, turnout: Turnout, keys: Set[str]) -> set[str]:
    """Those of the keys where no mailing finds anybody: left, or in no sound row, and not a delegate's own address."""
    standing = {one.address.key: one.status for one in desk.invitees if one.address.key in keys}
    own = {key for key in keys if key in turnout.comes and turnout.comes[key].respondent_email.casefold() == key}
    return {key for key in keys if standing.get(key, Standing.ACTIVE if key in own else None) is not Standing.ACTIVE}


def _heard(key: str, answer: Answer, host: Invitation, histories: Mapping[str, History]) -> datetime:
    """When somebody who comes was last told of the event."""
    own, invited = histories.get(key), histories.get(host.recipient.key)
    through_host = invited.last_written if invited and invited.last_written else answer.at
    if key not in {address.key for address in host.cc}:
        through_host = min(through_host, answer.at)
    return max(own.last_written, through_host) if own and own.last_written else through_host


def _in_force(editions: Sequence[Edition], at: datetime) -> Edition:
    """What the mails said at that moment."""
    return next((earlier for earlier, later in pairwise(editions) if at < later.at), editions[-1])


def _way_to_all(desk: Desk, ledger: Ledger) -> str:
    """What tells all invited, as it has not gone out yet, in words."""
    sent = ledger.counts(desk.event.name)
    unsent = [one for one in desk.event.mailings.values() if one.audience is Audience.INVITED and one.name not in sent]
    if not unsent:
        return 'a new mailing with audience = "invited" in event.toml'
    # Which text tells of it nobody knows but its writer: in a folder that was copied, others are left over.
    either = "one of these, whichever is meant for it: " if len(unsent) > 1 else ""
    return either + " or ".join(command_of(mailing, desk) for mailing in unsent)


def _how_to_tell_all(desk: Desk, ledger: Ledger, turnout: Turnout) -> str:
    how, histories = _way_to_all(desk, ledger), ledger.histories(desk.event.name)
    delegates = {key for key in turnout.comes if not _is_invited(desk, histories.get(key))}
    if not delegates:
        return f"tell those invited with {how}"
    return f"tell those invited with {how}, and the delegates with {_telling(desk, delegates, histories)}"


def _is_invited(desk: Desk, history: History | None) -> bool:
    """Whether somebody was written to as a contact: delegates have an invitation in the ledger too, once told."""
    contacts = (name for name, one in desk.event.mailings.items() if one.audience is Audience.CONTACTS)
    return history is not None and any(name in history.states for name in contacts)


def _telling(desk: Desk, keys: Set[str], histories: Mapping[str, History]) -> str:
    """The mailings that reach those of the keys, as they have not had them yet; as few as will do, in words."""
    reached = {
        mailing: {
            key
            for key in keys
            if mailing.audience is Audience.ATTENDING
            or (mailing.audience is Audience.INVITED and _is_invited(desk, histories.get(key)))
            if key not in histories or mailing.name not in histories[key].states
        }
        for mailing in desk.event.mailings.values()
    }
    templates = {mailing.template for mailing in reached if mailing.audience is Audience.INVITED}
    ways, left = [], set(keys)
    while left:
        best = max(reached, key=lambda mailing: (len(reached[mailing] & left), mailing.template in templates))
        if not reached[best] & left:
            ways.append('a new mailing with audience = "attending" in event.toml')
            break
        ways.append(command_of(best, desk))
        left -= reached[best]
    return " and ".join(ways)
