"""Whose answer a response is: by reference, else by address, else by what points to one party; else a person says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mailer.answers.book import Book, candidate, name_key, same_person
from mailer.answers.parties import Meaning
from mailer.answers.response import Response
from mailer.model import (
    Address,
    AnswerState,
    Attendance,
    Candidate,
    Invitation,
    Party,
    PartyKind,
    Reference,
    Rule,
    fold,
)

# A domain of so few parties is worth a look at each of them; of more, too many reminders would wait for one answer.
_FEW = 3
_MISSION = re.compile(r"\b(?:mission|mision|delegation|delegacion|بعثة|البعثة)\b")


@dataclass(frozen=True, slots=True)
class Match:
    """Whose answer it is, by which evidence ("reference", "address", "cc", "domain", "name"), and why in words.

    `candidates` are all invitations that a person may choose from while the state is `suggested` or `review`.
    """

    state: AnswerState
    reference: str | None
    matched_by: str | None
    reason: str
    candidates: tuple[Candidate, ...] = ()


def match(response: Response, book: Book) -> Match:
    """The invitation that `response` answers, or whom it may come from (design.md section 5)."""
    found = _by_reference(response, book) or _by_address(response, book) or _by_party(response, book)
    doubts = [response.doubt] if response.doubt else []
    if response.attendance is Attendance.REVIEW:
        doubts.append(f"it does not say clearly whether anybody comes (“{response.words}”)")
    if not doubts:
        return found
    reason = "; ".join((*doubts, found.reason))
    return replace(found, state=AnswerState.REVIEW, reason=reason, candidates=_to_settle(found, book))


def _to_settle(found: Match, book: Book) -> tuple[Candidate, ...]:
    """What a person may choose from where a match is not to be believed after all."""
    own = (candidate(book.by_reference[found.reference], found.reason),) if found.reference else ()
    return found.candidates or own


def references_in(text: str) -> Iterator[str]:
    """Every reference that `text` holds, as printed, however it is grouped and whatever stands around it."""
    pieces = re.findall(r"[A-Z0-9]+", text.upper())
    for start in range(len(pieces)):
        signs = ""
        for piece in pieces[start:]:
            signs += piece
            if len(signs) >= 10:
                break
        try:
            yield str(Reference.parse(signs))
        except ValueError:
            continue


# --- the reference ----------------------------------------------------------------------------------------------------


def _by_reference(response: Response, book: Book) -> Match | None:
    typed = list(dict.fromkeys(references_in(response.reference)))
    own = [book.by_reference[reference] for reference in typed if reference in book.by_reference]
    if own:
        return _by_own_reference(response, own, book)
    for reference in typed:
        if reference in book.elsewhere:
            rest = _by_address(response, book) or _by_party(response, book)
            reason = f"the reference {reference} is of another event, {book.elsewhere[reference]}"
            return Match(AnswerState.REVIEW, None, None, f"{reason}; {rest.reason}", _to_settle(rest, book))
    if response.reference.strip():
        rest = _by_address(response, book) or _by_party(response, book)
        shown = response.reference.strip()[:40]
        reason = f"{rest.reason}; what was given as reference is mistyped or not ours (“{shown}”)"
        if rest.candidates or rest.reference:
            return replace(rest, reason=reason)
        near = tuple(
            candidate(book.by_reference[one], "what was typed is nearly its reference")
            for one in _nearly(response.reference, book)
        )
        return replace(rest, reason=reason, candidates=near)
    return None


def _nearly(text: str, book: Book) -> Iterator[str]:
    """References with one sign other than typed, or two neighbours exchanged: never taken, but for a person to see."""
    typed = "".join(re.findall(r"[A-Z0-9]+", text.upper()))
    if len(typed) == 10:
        wrong = (typed[:n] + sign + typed[n + 1 :] for n in range(10) for sign in Reference.ALPHABET)
        exchanged = (typed[:n] + typed[n + 1] + typed[n] + typed[n + 2 :] for n in range(9))
        meant = {f"{signs[:5]}-{signs[5:]}" for signs in (*wrong, *exchanged)}
        yield from sorted(meant & book.by_reference.keys())


def _by_own_reference(response: Response, own: Sequence[Invitation], book: Book) -> Match:
    invitation = own[0]
    parties = {book.key(one) for one in own}
    if len(parties) > 1:
        candidates = tuple(candidate(one, "its reference was given") for one in own)
        return Match(AnswerState.REVIEW, None, "reference", "the references of several parties were given", candidates)
    said = book.parties.meaning(response.party)
    if _contradicts(said, response.party, invitation.party, book):
        candidates = (
            candidate(invitation, "its reference was given"),
            *book.candidates(said.keys, "its name was given"),
        )
        reason = f"the reference is of {invitation.party.name}, but “{response.party}” was given as the party"
        return Match(AnswerState.REVIEW, invitation.reference, "reference", reason, candidates)
    return _unless_personal(response, invitation, book, "reference", "its reference was given")


# --- the address ------------------------------------------------------------------------------------------------------


def _by_address(response: Response, book: Book) -> Match | None:
    for key in map(_address_key, response.addresses):
        if invitation := book.by_recipient.get(key):
            return _unless_personal(response, invitation, book, "address", "it went to this address")
        if copied := book.by_copy.get(key):
            return _by_copy(response, copied, book)
    return None


def _by_copy(response: Response, copied: Sequence[Invitation], book: Book) -> Match:
    if len({book.key(invitation) for invitation in copied}) > 1:
        candidates = tuple(candidate(one, "a copy went to this address") for one in copied)
        return Match(AnswerState.REVIEW, None, "cc", "copies for several parties went to this address", candidates)
    # A colleague in copy answers for the invitation that may be passed on, rather than for a personal one.
    invitation = min(copied, key=lambda one: one.rule is Rule.PERSONAL)
    return _unless_personal(response, invitation, book, "cc", "a copy went to this address")


def _unless_personal(response: Response, invitation: Invitation, book: Book, evidence: str, reason: str) -> Match:
    if invitation.rule is Rule.PERSONAL and not _is_invitee(response, invitation, book):
        is_namesake = same_person(book.people.get(invitation.recipient.key, ""), response.name, 2)
        who = (
            "it was answered under the invitee's name from another address" if is_namesake else "somebody else answered"
        )
        doubt = f"the invitation is personal, and {who}; {reason}"
        return Match(AnswerState.REVIEW, invitation.reference, evidence, doubt, (candidate(invitation, reason),))
    return Match(AnswerState.MATCHED, invitation.reference, evidence, reason)


def _is_invitee(response: Response, invitation: Invitation, book: Book) -> bool:
    """Whether address and name, as far as they are given, are those of the person invited."""
    if response.addresses and _address_key(response.addresses[0]) != invitation.recipient.key:
        return False
    name = book.people.get(invitation.recipient.key, "")
    mine, theirs = _words(name), _words(response.name)
    return not mine or not theirs or bool(mine & theirs)


def _words(name: str) -> set[str]:
    return {word for word in fold(name).split() if len(word) > 2}


def _address_key(text: str) -> str:
    try:
        return Address.parse(text).key
    except ValueError:
        return text.strip().casefold()


# --- the party --------------------------------------------------------------------------------------------------------


def _by_party(response: Response, book: Book) -> Match:
    """A suggestion where domain or name point to one invited party and nothing speaks against it; else review."""
    domains = [_address_key(text).rpartition("@")[2] for text in response.addresses]
    owners = next((found for domain in domains if (found := book.parties.at(domain))), frozenset[str]())
    said = book.parties.meaning(response.party)
    if len(owners) == 1 and not _contradicts(said, response.party, book.party(next(iter(owners))), book):
        return _suggestion(next(iter(owners)), book, "domain", "the mail domain is this party's alone")
    if said.sure and (key := next(iter(said.keys))) in book.certain(said.keys) and (key in owners or not owners):
        return _suggestion(key, book, "name", f"“{response.party}” is a name of this party alone")
    candidates = {
        found.reference: found
        for found in (
            *book.candidates(said.keys, f"“{response.party}” may mean this party"),
            *book.candidates(owners if len(owners) <= _FEW else (), "it has addresses at this mail domain"),
            *_namesakes(response, book),
        )
    }
    return Match(
        AnswerState.REVIEW,
        None,
        None,
        _why_unclear(response, owners, said, book, is_namesake=bool(candidates)),
        tuple(candidates.values()),
    )


def _contradicts(said: Meaning, typed: str, party: Party, book: Book) -> bool:
    """Whether what was typed names another party than `party`.

    Forms ask for a country, and the people of an organisation give the one they live in: to contradict an organisation
    takes another organisation, or a mission called so.
    """
    if not said.named or said.keys & book.parties.readings(party):
        return False
    if party.kind is PartyKind.MISSION or _MISSION.search(fold(typed)):
        return True
    return any(one.party.kind is PartyKind.ORGANISATION for key in said.keys for one in book.by_party.get(key, ()))


def _suggestion(key: str, book: Book, evidence: str, reason: str) -> Match:
    invitations = book.by_party[key]
    open_to_all = [invitation for invitation in invitations if invitation.rule is not Rule.PERSONAL]
    candidates = tuple(candidate(one, reason) for one in open_to_all or invitations)
    reference = candidates[0].reference if len(candidates) == 1 else None
    if not open_to_all:
        doubt = f"the invitation is personal, and somebody else answered; {reason}"
        return Match(AnswerState.REVIEW, reference, evidence, doubt, candidates)
    return Match(AnswerState.SUGGESTED, reference, evidence, reason, candidates)


def _why_unclear(response: Response, owners: frozenset[str], said: Meaning, book: Book, *, is_namesake: bool) -> str:
    if len(owners) == 1:
        party = book.party(next(iter(owners)))
        return f"the mail domain is that of {party.name}, but “{response.party}” was given as the party"
    if said.named and len(said.keys) > 1:
        return f"“{response.party}” may mean several parties"
    if said.named and not said.keys & book.by_party.keys():
        return f"“{response.party}” was not invited"
    if owners:
        return "several parties have addresses at this mail domain"
    if said.keys:
        return f"“{response.party}” is not the name of a party, though one stands in it"
    if is_namesake:
        return "somebody invited has this name, but there is no reference, and the address is not known"
    return "no reference, and neither the address nor a name is known"


def _namesakes(response: Response, book: Book) -> Iterator[Candidate]:
    """Invitees who have the respondent's name: not enough to match, but enough not to remind them."""
    if key := name_key(response.name):
        for invitation in book.by_name.get(key, ()):
            yield candidate(invitation, "the person invited has this name")
