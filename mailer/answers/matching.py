"""Whose answer a response is: by reference, else by address, else by what points to one party; else a person says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailer.answers.parties import Directory, Meaning, Parties
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


@dataclass(frozen=True, slots=True)
class Book:
    """The invitations of one event as a response may point to them; under each party's key, all that may be meant."""

    parties: Parties
    by_reference: Mapping[str, Invitation]
    by_recipient: Mapping[str, Invitation]
    by_copy: Mapping[str, Sequence[Invitation]]
    by_party: Mapping[str, Sequence[Invitation]]
    by_name: Mapping[str, Sequence[Invitation]]
    people: Mapping[str, str]
    elsewhere: Mapping[str, str]

    @classmethod
    def of(
        cls,
        invitations: Sequence[Invitation],
        directory: Directory,
        *,
        elsewhere: Mapping[str, str] | None = None,
        people: Mapping[str, str] | None = None,
    ) -> Book:
        """The book of `invitations`, all of one event, with the missions that `directory` knows.

        `elsewhere` tells the event of each reference that belongs to another one, `people` the name of the person
        behind a recipient's key, where there is one.
        """
        parties = Parties.of(invitations, directory)
        by_copy: dict[str, list[Invitation]] = {}
        by_party: dict[str, list[Invitation]] = {}
        by_name: dict[str, list[Invitation]] = {}
        people = people or {}
        for invitation in invitations:
            by_name.setdefault(_name_key(people.get(invitation.recipient.key, "")), []).append(invitation)
            for key in parties.readings(invitation.party):
                by_party.setdefault(key, []).append(invitation)
            for address in invitation.cc:
                by_copy.setdefault(address.key, []).append(invitation)
        by_reference = {invitation.reference: invitation for invitation in invitations}
        by_recipient = {invitation.recipient.key: invitation for invitation in invitations}
        return cls(parties, by_reference, by_recipient, by_copy, by_party, by_name, people, elsewhere or {})


def match(response: Response, book: Book) -> Match:
    """The invitation that `response` answers, or whom it may come from (design.md section 5)."""
    found = _by_reference(response, book) or _by_address(response, book) or _by_party(response, book)
    if response.attendance is Attendance.REVIEW and found.state is not AnswerState.REVIEW:
        own = book.by_reference[found.reference] if found.reference else None
        candidates = found.candidates or ((_candidate(own, found.reason),) if own else ())
        return replace(
            found,
            state=AnswerState.REVIEW,
            reason=f"it does not say clearly whether anybody comes (“{response.words}”); {found.reason}",
            candidates=candidates,
        )
    return found


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
            pointed = rest.candidates or _candidates(book, [rest.reference], rest.reason)
            return Match(AnswerState.REVIEW, None, None, f"{reason}; {rest.reason}", pointed)
    if response.reference.strip():
        rest = _by_address(response, book) or _by_party(response, book)
        shown = response.reference.strip()[:40]
        return replace(rest, reason=f"{rest.reason}; what was given as reference is mistyped or not ours (“{shown}”)")
    return None


def _by_own_reference(response: Response, own: Sequence[Invitation], book: Book) -> Match:
    invitation = own[0]
    parties = {_key(one, book) for one in own}
    if len(parties) > 1:
        candidates = tuple(_candidate(one, "its reference was given") for one in own)
        return Match(AnswerState.REVIEW, None, "reference", "the references of several parties were given", candidates)
    said = book.parties.meaning(response.party)
    if _contradicts(said, response.party, invitation.party, book):
        candidates = (
            _candidate(invitation, "its reference was given"),
            *_of_parties(said.keys, book, "its name was given"),
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
    if len({_key(invitation, book) for invitation in copied}) > 1:
        candidates = tuple(_candidate(one, "a copy went to this address") for one in copied)
        return Match(AnswerState.REVIEW, None, "cc", "copies for several parties went to this address", candidates)
    # A colleague in copy answers for the invitation that may be passed on, rather than for a personal one.
    invitation = min(copied, key=lambda one: one.rule is Rule.PERSONAL)
    return _unless_personal(response, invitation, book, "cc", "a copy went to this address")


def _unless_personal(response: Response, invitation: Invitation, book: Book, evidence: str, reason: str) -> Match:
    if invitation.rule is Rule.PERSONAL and not _is_invitee(response, invitation, book):
        doubt = f"the invitation is personal, and somebody else answered; {reason}"
        return Match(AnswerState.REVIEW, invitation.reference, evidence, doubt, (_candidate(invitation, reason),))
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
    if len(owners) == 1 and not _contradicts(said, response.party, _party(next(iter(owners)), book), book):
        return _suggestion(next(iter(owners)), book, "domain", "the mail domain is this party's alone")
    if said.sure and (key := next(iter(said.keys))) in _certain(book, said.keys) and (key in owners or not owners):
        return _suggestion(key, book, "name", f"“{response.party}” is a name of this party alone")
    candidates = {
        candidate.reference: candidate
        for candidate in (
            *_of_parties(said.keys, book, f"“{response.party}” may mean this party"),
            *_of_parties(owners if len(owners) <= _FEW else (), book, "it has addresses at this mail domain"),
            *_namesakes(response, book),
        )
    }
    return Match(AnswerState.REVIEW, None, None, _why_unclear(response, owners, said, book), tuple(candidates.values()))


def _certain(book: Book, keys: Iterable[str]) -> set[str]:
    """Those of the keys that stand for an invited party whose own name in the sheet leaves no doubt."""
    return {key for key in keys if key in book.by_party and all(_key(one, book) == key for one in book.by_party[key])}


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


def _party(key: str, book: Book) -> Party:
    return book.by_party[key][0].party


def _key(invitation: Invitation, book: Book) -> str:
    return book.parties.key(invitation.party)


def _suggestion(key: str, book: Book, evidence: str, reason: str) -> Match:
    invitations = book.by_party[key]
    open_to_all = [invitation for invitation in invitations if invitation.rule is not Rule.PERSONAL]
    candidates = tuple(_candidate(one, reason) for one in open_to_all or invitations)
    reference = candidates[0].reference if len(candidates) == 1 else None
    if not open_to_all:
        doubt = f"the invitation is personal, and somebody else answered; {reason}"
        return Match(AnswerState.REVIEW, reference, evidence, doubt, candidates)
    return Match(AnswerState.SUGGESTED, reference, evidence, reason, candidates)


def _why_unclear(response: Response, owners: frozenset[str], said: Meaning, book: Book) -> str:
    if len(owners) == 1:
        party = _party(next(iter(owners)), book)
        return f"the mail domain is that of {party.name}, but “{response.party}” was given as the party"
    if said.named and len(said.keys) > 1:
        return f"“{response.party}” may mean several parties"
    if said.named and not said.keys & book.by_party.keys():
        return f"“{response.party}” was not invited"
    if owners:
        return "several parties have addresses at this mail domain"
    if said.keys:
        return f"“{response.party}” is not the name of a party, though one stands in it"
    return "no reference, and neither the address nor a name is known"


def _namesakes(response: Response, book: Book) -> Iterator[Candidate]:
    """Invitees who have the respondent's name: not enough to match, but enough not to remind them."""
    if key := _name_key(response.name):
        for invitation in book.by_name.get(key, ()):
            yield _candidate(invitation, "the person invited has this name")


def _name_key(name: str) -> str:
    """A full name whatever the order of its parts; nothing for a single word, which many people share."""
    words = sorted(fold(name).split())
    return " ".join(words) if len(words) > 1 else ""


# --- candidates -------------------------------------------------------------------------------------------------------


def _candidate(invitation: Invitation, reason: str) -> Candidate:
    return Candidate(invitation.reference, invitation.party.name, reason)


def _candidates(book: Book, references: Iterable[str | None], reason: str) -> tuple[Candidate, ...]:
    return tuple(_candidate(book.by_reference[reference], reason) for reference in references if reference)


def _of_parties(keys: Iterable[str], book: Book, reason: str) -> tuple[Candidate, ...]:
    invited = {one.reference: one for key in sorted(keys) for one in book.by_party.get(key, ())}
    return tuple(_candidate(one, reason) for one in invited.values())
