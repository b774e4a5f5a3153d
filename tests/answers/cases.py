"""Invitations and what came back, in families whose rule says who has answered: the label is never our own verdict.

A family makes cases by a rule that is written beside it. All cases stand in one event, so that domains, names and
references of one may mislead in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, islice, product

from mailer.answers.response import Response
from mailer.model import Attendance, Invitation, PartyKind, Rule, fold
from tests.answers.invited import DIRECTORY, hours, invitation, reference

YES, ONLINE, NO = Attendance.IN_PERSON, Attendance.ONLINE, Attendance.REGRETS
OTHER_EVENT = reference("elsewhere")


@dataclass(frozen=True)
class Case:
    """One party or two, what came back, and the recipients who are to be left alone; all others are silent."""

    family: str
    invitations: tuple[Invitation, ...]
    responses: tuple[Response, ...]
    answered: frozenset[str]
    people: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """An invited mission or organisation, as it is called in several languages, with a domain of its own."""

    names: tuple[str, ...]
    domain: str
    kind: PartyKind = PartyKind.MISSION


def _missions() -> Iterator[Host]:
    """The states of `templates/missions.csv` that nobody takes for another."""
    for found in DIRECTORY.missions:
        if not DIRECTORY.candidates(found.state):
            names = (found.state, *(found.name(language) for language in ("en", "fr", "es", "ar")))
            yield Host(names, f"{found.code.lower()}.example.org")


_COLOURS = (
    "Amber Azure Coral Crimson Emerald Golden Indigo Ivory Jade Lilac Maroon Ochre Olive Pearl Ruby Sepia Silver Teal"
)
_PLACES = (
    "Brook Cove Dale Delta Field Forest Glen Grove Harbour Hill Island Lake Meadow Orchard Ridge River Shore Valley"
)
_SORTS = ("Relief Fund", "Study Centre", "Peace Forum")


def _organisations() -> Iterator[Host]:
    """Fictional ones: each name is made of a colour, a place and a sort."""
    for number, (sort, colour, place) in enumerate(product(_SORTS, _COLOURS.split(), _PLACES.split())):
        yield Host((f"{colour} {place} {sort}",), f"organisation{number}.example.org", PartyKind.ORGANISATION)


_rows = count(2)
_people = count(1)


def answer(
    address: str = "",
    *,
    ref: str = "",
    name: str = "",
    party: str = "",
    says: Attendance = YES,
    words: str = "",
    after: float = 0,
    more: tuple[str, ...] = (),
) -> Response:
    addresses = tuple(filter(None, (address, *more)))
    return Response("export.csv", next(_rows), ref, name, addresses, party, says, words or says.value, hours(after))


def private() -> str:
    """An address at a provider of everybody's, never the same twice."""
    providers = ("gmail.com", "outlook.com", "yahoo.fr", "hotmail.com", "icloud.com", "proton.me", "gmx.net", "qq.com")
    number = next(_people)
    return f"sample.person{number}@{providers[number % len(providers)]}"


def case(
    invitations: Invitation | tuple[Invitation, ...],
    *responses: Response,
    answered: tuple[Invitation, ...] | None = None,
    people: dict[str, str] | None = None,
) -> Case:
    """A case in which all invitations are answered, or just those of `answered`."""
    invited = invitations if isinstance(invitations, tuple) else (invitations,)
    alone = invited if answered is None else answered
    return Case("", invited, responses, frozenset(one.recipient.key for one in alone), people or {})


def pair(host: Host, rule: Rule = Rule.TRANSFERABLE) -> tuple[Invitation, Invitation]:
    """Head and deputy, in lists that spell a mission differently."""
    return (
        invitation(f"head@{host.domain}", host.names[0], f"office@{host.domain}", rule=rule, kind=host.kind),
        invitation(f"deputy@{host.domain}", host.names[1 % len(host.names)], rule=rule, kind=host.kind),
    )


def organisation(recipient: str, name: str) -> Invitation:
    return invitation(recipient, name, kind=PartyKind.ORGANISATION)


def one(host: Host, rule: Rule = Rule.TRANSFERABLE) -> Invitation:
    return pair(host, rule)[0]


# --- the reference ----------------------------------------------------------------------------------------------------


def own_link(host: Host, n: int) -> Case:
    """The person invited answers by the link: the whole party has answered."""
    both = pair(host)
    return case(both, answer(str(both[0].recipient), ref=both[0].reference, says=(YES, ONLINE, NO)[n % 3]))


def forwarded_link(host: Host, n: int) -> Case:
    """A colleague answers by the forwarded link from a private address: the party has answered."""
    both = pair(host)
    return case(both, answer(private(), ref=both[n % 2].reference, name="Sample Colleague", says=(ONLINE, YES)[n % 2]))


def typed_reference(host: Host, n: int) -> Case:
    """The reference typed by hand, as people type: the party has answered."""
    both = pair(host)
    printed = both[0].reference
    typed = (printed.lower(), printed.replace("-", " "), f"our ref. is {printed}.", printed.replace("-", ""))[n % 4]
    return case(both, answer(private(), ref=typed))


def several_delegates(host: Host, n: int) -> Case:
    """Three colleagues, one of whom cannot come: the party has answered."""
    both = pair(host)
    says = (YES, ONLINE, NO)
    return case(both, *(answer(private(), ref=both[n % 2].reference, says=how, after=n) for how in says))


def borrowed_link(host: Host, n: int) -> Case:
    """The head's link used by the deputy: both have answered."""
    both = pair(host)
    return case(both, answer(str(both[1].recipient), ref=both[0].reference, says=(YES, NO)[n % 2]))


def mistyped_with_address(host: Host, n: int) -> Case:
    """One wrong sign in the reference, from the invited address: the address tells."""
    both = pair(host)
    return case(both, answer(str(both[0].recipient), ref=_mistyped(both[0].reference, n)))


def mistyped_alone(host: Host, n: int) -> Case:
    """One wrong sign in the reference and nothing else: it may be theirs, so they are left alone until settled."""
    invited = one(host)
    return case(invited, answer(private(), ref=_mistyped(invited.reference, n)))


def _mistyped(printed: str, n: int) -> str:
    signs = printed.replace("-", "")
    place = n % 10
    return signs[:place] + ("W" if signs[place] != "W" else "X") + signs[place + 1 :]


def other_events_reference(host: Host, n: int) -> Case:
    """Last year's reference from the invited address: an answer, to be looked at before anybody is reminded."""
    both = pair(host)
    return case(both, answer(str(both[n % 2].recipient), ref=OTHER_EVENT))


# --- the address ------------------------------------------------------------------------------------------------------


def own_address(host: Host, n: int) -> Case:
    """From the invited address without any reference, in capitals now and then: the party has answered."""
    both = pair(host)
    address = str(both[n % 2].recipient)
    return case(both, answer(address.upper() if n % 3 == 0 else address, name="Sample Person"))


def copied_office(host: Host, n: int) -> Case:
    """The office that had a copy answers: the party has answered."""
    both = pair(host)
    return case(both, answer(f"office@{host.domain}", says=(NO, YES)[n % 2]))


def bought_by_the_assistant(host: Host, n: int) -> Case:
    """A ticket for a private address, bought from the invited one: the party has answered."""
    both = pair(host)
    return case(both, answer(private(), more=(str(both[n % 2].recipient),)))


def mailbox(host: Host, n: int) -> Case:
    """The mission's mailbox was invited, and a person answers with its link, name and private address."""
    invited = invitation(f"mission@{host.domain}", host.names[-1], kind=host.kind)
    row = (
        answer(private(), ref=invited.reference, name="Sample Diplomat") if n % 2 else answer(f"mission@{host.domain}")
    )
    return case(invited, row)


def free_mail_mission(host: Host, n: int) -> Case:
    """A mission reachable at a free provider only answers from that address."""
    invited = invitation(
        f"sample.{host.domain.split('.')[0]}@{('gmail.com', 'yahoo.com')[n % 2]}", host.names[0], kind=host.kind
    )
    return case(invited, answer(str(invited.recipient), says=(YES, NO)[n % 2]))


# --- the party --------------------------------------------------------------------------------------------------------


def own_domain(host: Host, n: int) -> Case:
    """A colleague at the party's own domain without a reference: left alone until a person has said yes."""
    both = pair(host)
    return case(both, answer(f"colleague{n}@{host.domain}", name="Sample Colleague"))


def typed_name(host: Host, n: int) -> Case:
    """The mission's name in one of four languages, from a private address: left alone until a person has said yes."""
    both = pair(host)
    return case(both, answer(private(), party=host.names[n % len(host.names)], says=(YES, NO)[n % 2]))


def name_in_a_sentence(host: Host, n: int) -> Case:
    """The state's name among other words, from a private address: left alone until it is settled."""
    words = ("Embassy of {}, Washington", "{} (political section)", "Consulate General of {}")[n % 3]
    return case(pair(host), answer(private(), party=words.format(host.names[0])))


def private_address_of_the_invitee(host: Host, n: int) -> Case:
    """The person invited answers from home, with nothing but the own name: left alone until it is settled."""
    invited = one(host)
    name = f"Sample{'abcdefghij'[n % 10]} Personson{host.domain[:3]}"
    return case(invited, answer(private(), name=" ".join(reversed(name.split()))), people={invited.recipient.key: name})


def acronym(host: Host, n: int) -> Case:
    """An organisation's acronym, in brackets in the sheet or made of its initials: left alone until settled."""
    letters = host.domain[:3].upper()
    full = " ".join(f"{letter}{'amples'}" for letter in letters)
    written = (f"{full} ({letters})", full)[n % 2]
    typed = (letters, full)[n // 2 % 2]
    invited = organisation(f"head@org-{host.domain}", written)
    return case(invited, answer(private(), party=typed))


def shared_domain_with_name(host: Host, n: int) -> Case:
    """Two organisations at one host, and an answer from there that names one: the other is silent."""
    first, second = (
        organisation(f"north@host-{host.domain}", f"North Fund {host.domain[:3]}"),
        organisation(f"south@host-{host.domain}", f"South Fund {host.domain[:3]}"),
    )
    row = answer(f"somebody{n}@host-{host.domain}", party=first.party.name)
    return case((first, second), row, answered=(first,))


def shared_domain_alone(host: Host, n: int) -> Case:
    """The same, without a name: nobody can know whose it is, so a silent one waits with the one that answered."""
    first, second = (
        organisation(f"east@host2-{host.domain}", f"East Trust {host.domain[:3]}"),
        organisation(f"west@host2-{host.domain}", f"West Trust {host.domain[:3]}"),
    )
    return case((first, second), answer(f"somebody{n}@host2-{host.domain}"), answered=(first,))


def country_of_an_organisation(host: Host, n: int) -> Case:
    """The people of an organisation give the country where they live: it is the organisation that has answered."""
    invited = organisation(f"head@ngo-{host.domain}", f"Aid Circle {host.domain[:3]}")
    own = answer(private(), ref=invited.reference, party="Switzerland")
    return case(invited, own if n % 2 else answer(f"x@ngo-{host.domain}", party="Switzerland"))


# --- minds and rules --------------------------------------------------------------------------------------------------


def changed_mind(host: Host, n: int) -> Case:
    """A yes that becomes regrets or the other way round, in either order of the rows: answered all the while."""
    both, address = pair(host), private()
    rows = [answer(address, ref=both[0].reference, says=how, after=hour) for hour, how in enumerate((YES, NO, ONLINE))]
    return case(both, *(rows if n % 2 else reversed(rows)))


def unclear(host: Host, n: int) -> Case:
    """“Perhaps” is an answer, and a question to the organiser before anybody is reminded."""
    both = pair(host)
    row = answer(
        str(both[0].recipient), ref=both[0].reference if n % 2 else "", says=Attendance.REVIEW, words="perhaps"
    )
    return case(both, row)


def waiting(host: Host, n: int) -> Case:
    """A place on the waiting list is an answer."""
    both = pair(host)
    return case(both, answer(private(), ref=both[n % 2].reference, says=Attendance.WAITING))


def late(host: Host, n: int) -> Case:
    """After the deadline is late, and an answer all the same."""
    both = pair(host)
    return case(both, answer(str(both[n % 2].recipient), after=24 * 30))


def personal(host: Host, n: int) -> Case:
    """Personal invitations: the one that was answered by its person is closed, the colleague's is silent."""
    both = pair(host, Rule.PERSONAL)
    mine, other = both[n % 2], both[1 - n % 2]
    return case((mine, other), answer(str(mine.recipient), says=(YES, NO)[n % 2]), answered=(mine,))


def personal_by_another(host: Host, n: int) -> Case:
    """A personal invitation answered by somebody else is for the organiser; nobody is reminded meanwhile."""
    invited = one(host, Rule.PERSONAL)
    return case(invited, answer((private(), f"colleague{n}@{host.domain}")[n % 2], ref=invited.reference))


def guest_of_a_guest(host: Host, n: int) -> Case:
    """Two may come and three answer: answered; the other invitation of that rule is silent where no doubt is open."""
    both = pair(host, Rule.PLUS_ONE)
    rows = tuple(answer(private(), ref=both[0].reference, after=hour) for hour in range(2 + n % 2))
    return case(both, *rows) if n % 2 else case(both, *rows, answered=(both[0],))


def second_delegate(host: Host, n: int) -> Case:
    """One may come for each party, two answer: the party has answered."""
    both = pair(host, Rule.ONE_PER_PARTY)
    return case(both, *(answer(private(), ref=both[turn * (n % 2)].reference, after=turn) for turn in range(2)))


# --- who has not answered ---------------------------------------------------------------------------------------------


def silent(host: Host, n: int) -> Case:
    """Nobody has answered."""
    return case(pair(host), answered=())


def silent_neighbour(host: Host, n: int) -> Case:
    """A third organisation at a host whose others have answered: it has not."""
    name = f"Still Society {host.domain[:3]}"
    return case(invitation(f"quiet{n}@host-{host.domain}", name, kind=PartyKind.ORGANISATION), answered=())


def stranger(host: Host, n: int) -> Case:
    """Somebody who was never invited answers: nobody else has."""
    row = answer(private() if n % 2 else f"x@elsewhere{n}.example.org", name="Some Body", party=("", "Atlantis")[n % 2])
    return Case("", (), (row,), frozenset())


# Name as typed, state that is meant, and another that the name may mean, by the further evidence that there is.
_LOOK_ALIKES = {
    "reference": (("Austria", "Austria", "Australia"), ("Dominica", "Dominica", "Dominican Republic")),
    "domain": (("Slovakia", "Slovakia", "Slovenia"), ("Sudan", "Sudan", "South Sudan")),
    "nothing": (("Niger", "the Niger", "Nigeria"),),
}


def look_alikes(evidence: str) -> Iterator[Case]:
    """States taken for one another: with evidence the other is silent, without it nobody can know and both wait."""
    for typed, true, other in _LOOK_ALIKES[evidence]:
        ours, theirs = (invitation(f"head@{fold(name).replace(' ', '-')}.example.org", name) for name in (true, other))
        address = f"colleague@{ours.recipient.domain}" if evidence == "domain" else private()
        row = answer(address, party=typed, ref=ours.reference if evidence == "reference" else "")
        yield case((ours, theirs), row, answered=(ours,))


Family = Callable[[Host, int], Case]

# How many of each, of missions and of organisations, as in a usual event: nearly half are silent, many use the link.
ANSWERED: dict[Family, int] = {
    own_link: 6,
    forwarded_link: 12,
    typed_reference: 6,
    several_delegates: 6,
    borrowed_link: 4,
    mistyped_with_address: 3,
    mistyped_alone: 3,
    other_events_reference: 3,
    own_address: 6,
    copied_office: 5,
    bought_by_the_assistant: 4,
    mailbox: 6,
    free_mail_mission: 4,
    own_domain: 8,
    typed_name: 10,
    name_in_a_sentence: 4,
    private_address_of_the_invitee: 4,
    changed_mind: 6,
    unclear: 4,
    waiting: 3,
    late: 3,
    personal: 6,
    personal_by_another: 4,
    guest_of_a_guest: 4,
    second_delegate: 4,
}
OTHERS: dict[Family, int] = {
    acronym: 12,
    shared_domain_with_name: 12,
    shared_domain_alone: 2,
    country_of_an_organisation: 6,
    stranger: 10,
}
SILENT_ORGANISATIONS = 120


def cases() -> list[Case]:
    """The whole set, always the same; missions and organisations are dealt out in the order of their lists."""
    made: list[Case] = []

    def add(family: str, found: Case) -> None:
        made.append(replace(found, family=family))

    missions, organisations = _missions(), _organisations()
    for hosts in (missions, organisations):
        for family, number in ANSWERED.items():
            for n, host in enumerate(islice(hosts, number)):
                add(family.__name__, family(host, n))
    for n, host in enumerate((*missions, *islice(organisations, SILENT_ORGANISATIONS))):
        add("silent", silent(host, n))
    for family, number in OTHERS.items():
        for n, host in enumerate(islice(_missions(), number)):
            add(family.__name__, family(host, n))
    for n, host in enumerate(islice(_missions(), OTHERS[shared_domain_with_name])):
        add("silent_neighbour", silent_neighbour(host, n))
    for evidence in _LOOK_ALIKES:
        for found in look_alikes(evidence):
            add(f"look_alike_with_{evidence}", found)
    return made
