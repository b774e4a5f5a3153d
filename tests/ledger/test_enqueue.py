"""Who is invited, and what is queued: once for each recipient, however often it is asked for."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from mailer.ledger import Invitee, Ledger
from mailer.ledger.identity import Identity
from mailer.model import Address, Party, PartyKind, Reference, Rule, State
from tests.ledger.people import (
    DOMAIN,
    EVENT,
    GREYLISTED,
    MAILING,
    MISSION,
    NOW,
    RELAY,
    address,
    invitee,
    later,
    outcome,
    queue,
    raw,
    send,
    states,
)


def test_a_second_call_does_nothing(ledger: Ledger) -> None:
    """Queuing the same people again queues nobody and leaves their deliveries as they are."""
    assert ledger.enqueue(EVENT, MAILING, map(invitee, range(3)), domain=DOMAIN, now=NOW) == 3
    before = list(ledger.deliveries(EVENT))
    assert ledger.enqueue(EVENT, MAILING, map(invitee, range(4)), domain=DOMAIN, now=later(60)) == 1
    assert list(ledger.deliveries(EVENT))[:3] == before


def test_two_spellings_are_one_recipient(ledger: Ledger) -> None:
    """Capitals make no second recipient; the first spelling is kept."""
    spellings = [Address("Ada.Palm", "example.org"), Address("ada.palm", "example.org")]
    people = [Invitee(spelling, (), MISSION, Rule.PERSONAL) for spelling in spellings]
    assert ledger.enqueue(EVENT, MAILING, people, domain=DOMAIN, now=NOW) == 1
    [delivery] = ledger.deliveries(EVENT)
    assert str(delivery.recipient) == "Ada.Palm@example.org"
    assert list(ledger.due(EVENT, MAILING, NOW)) == ["ada.palm@example.org"]


def test_a_delivery_tells_all_that_a_report_shows(ledger: Ledger) -> None:
    """Recipient, Cc, party and reference come back as they went in, whatever their script."""
    party = Party("Misión Permanente de Ruritania", PartyKind.MISSION)
    guest, copy = Address("josé", "пример.example.org"), Address("office", "example.org")
    ledger.enqueue(EVENT, MAILING, [Invitee(guest, (copy,), party, Rule.PERSONAL)], domain=DOMAIN, now=NOW)
    [delivery] = ledger.deliveries(EVENT)
    assert (delivery.recipient, delivery.cc, delivery.party) == (guest, (copy,), party.name)
    assert (delivery.state, delivery.attempts, delivery.date, delivery.updated_at) == (State.QUEUED, 0, None, NOW)
    assert str(Reference.parse(delivery.reference)) == delivery.reference


def test_a_recipient_keeps_one_reference_in_all_mailings_of_an_event(ledger: Ledger) -> None:
    """A reminder prints the invitation's reference; another event has another; a Message-ID is never used twice."""
    queue(ledger, 1)
    queue(ledger, 1, mailing="reminder")
    ledger.enqueue("other-event", MAILING, [invitee(1)], domain=DOMAIN, now=NOW)
    first, second = ledger.deliveries(EVENT)
    [elsewhere] = ledger.deliveries("other-event")
    assert first.reference == second.reference != elsewhere.reference
    assert len({first.message_id, second.message_id, elsewhere.message_id}) == 3


def test_names_can_be_told_beforehand(ledger: Ledger) -> None:
    """The reference and Message-ID of a preview are those that the invitation will have."""
    reference = ledger.reference_of(EVENT, address(1))
    message_id = ledger.message_id(EVENT, MAILING, address(1), DOMAIN)
    queue(ledger, 1)
    [delivery] = ledger.deliveries(EVENT)
    assert (delivery.reference, delivery.message_id) == (reference, message_id)
    assert ledger.reference_of(EVENT, address(1)) == reference
    assert message_id.endswith("@example.org>")
    assert "guest1" not in message_id


def test_names_depend_on_the_secret(ledger: Ledger, url: str) -> None:
    """Whoever does not know the ledger's 32 octets cannot tell who is behind a name."""
    [(secret,)] = raw(url, "SELECT value FROM meta WHERE name = 'secret'")
    own, stranger = Identity(bytes.fromhex(str(secret))), Identity(bytes(32))
    assert len(own.secret) == 32
    assert own.reference(EVENT, address(1)) == ledger.reference_of(EVENT, address(1))
    assert stranger.reference(EVENT, address(1)) != ledger.reference_of(EVENT, address(1))
    assert repr(own.secret) not in repr(own)


def test_a_reference_that_is_taken_is_drawn_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two recipients whose references fall together get two different ones."""
    derived = Identity.reference

    def narrow(self: Identity, event: str, guest: Address, turn: int = 0) -> str:
        return derived(self, event, address(0) if turn == 0 else guest, turn)

    monkeypatch.setattr(Identity, "reference", narrow)
    assert len(queue(ledger, 1, 2, 3)) == 3
    expected = ledger.reference_of(EVENT, address(4))
    queue(ledger, 4)
    references = [delivery.reference for delivery in ledger.deliveries(EVENT)]
    assert len(set(references)) == 4
    assert references[3] == expected


def test_the_database_itself_forbids_a_second_delivery(ledger: Ledger, url: str) -> None:
    """One delivery for an invitation and mailing, one invitation for an event and address: by constraint."""
    queue(ledger, 1)
    with pytest.raises(DBAPIError):
        raw(
            url,
            "INSERT INTO deliveries (invitation_id, event, mailing, recipient, cc, message_id, state, reason, attempts,"
            " queued_at, updated_at) SELECT invitation_id, event, mailing, recipient, cc, 'x', 'queued', '', 0, "
            "queued_at, updated_at FROM deliveries",
        )
    with pytest.raises(DBAPIError):
        raw(
            url,
            "INSERT INTO invitations (event, digest, recipient, party, party_kind, rule, reference, created_at) "
            "SELECT event, digest, recipient, party, party_kind, rule, 'x', created_at FROM invitations",
        )


def test_a_long_list_may_come_as_a_stream(ledger: Ledger) -> None:
    """More people than one transaction takes are queued in order, from an iterator."""
    people = (invitee(number) for number in range(10_050))
    assert ledger.enqueue(EVENT, MAILING, people, domain=DOMAIN, now=NOW) == 10_050
    assert [str(one.recipient) for one in ledger.deliveries(EVENT)][::5000] == [
        str(address(number)) for number in (0, 5000, 10_000)
    ]


def test_suppressed_people_are_entered_but_not_queued(ledger: Ledger) -> None:
    """Who opted out before stands in the ledger as suppressed and is not counted as queued."""
    ledger.suppress(address(2), "opted out", NOW)
    assert len(queue(ledger, 1, 2, 3)) == 2
    assert states(ledger) == [State.QUEUED, State.SUPPRESSED, State.QUEUED]


def test_what_was_sent_is_not_queued_again(ledger: Ledger) -> None:
    """A rerun over the same sheet finds nothing due."""
    send(ledger, queue(ledger, 1, 2))
    assert queue(ledger, 1, 2) == []
    assert states(ledger) == [State.SENT, State.SENT]


def test_the_sheet_wins_until_the_first_attempt(ledger: Ledger, url: str) -> None:
    """A new Cc, party and rule reach what is queued or was given back; once attempted, all stays as it was."""
    numbers = queue(ledger, 1, 2, 3)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), numbers[1:], NOW)
        run.release(numbers[1:2], NOW)
        run.exchange([outcome(numbers[2], State.DEFERRED, GREYLISTED, due_at=NOW)], (), NOW)
    party = Party("International Chamber of Tulips", PartyKind.ORGANISATION)
    changed = [Invitee(address(number), (address(number + 10),), party, Rule.PERSONAL) for number in (1, 2, 3)]
    assert ledger.enqueue(EVENT, MAILING, changed, domain=DOMAIN, now=later(60)) == 0
    assert [one.cc for one in ledger.deliveries(EVENT)] == [(address(11),), (address(12),), ()]
    rows = raw(url, "SELECT party, party_kind, rule FROM invitations ORDER BY id")
    new, old = (party.name, party.kind, "personal"), (MISSION.name, MISSION.kind, "transferable")
    assert rows == [new, new, old]

    send(ledger, numbers, now=later(90))
    queue(ledger, 1, 2, 3, mailing="reminder")
    queue(ledger, 1, 2, 3)
    assert raw(url, "SELECT party, party_kind, rule FROM invitations ORDER BY id") == rows
    assert [one.cc for one in ledger.deliveries(EVENT, MAILING)] == [(address(11),), (address(12),), ()]


def test_an_invitation_after_a_save_the_date_says_party_and_rule_anew(ledger: Ledger, url: str) -> None:
    """What the sheet said months before holds no longer, but from the first attempt for the invitation on."""
    send(ledger, queue(ledger, 1, 2, mailing="save-the-date"))
    party = Party("International Chamber of Tulips", PartyKind.ORGANISATION)

    def invite(rule: Rule) -> list[tuple[str, ...]]:
        invitees = [Invitee(address(1), (), party, rule)]
        ledger.enqueue(EVENT, MAILING, invitees, domain=DOMAIN, now=later(60), invites=True)
        return raw(url, "SELECT party, party_kind, rule FROM invitations ORDER BY id")

    old = (MISSION.name, MISSION.kind, "transferable")
    assert invite(Rule.PERSONAL) == [(party.name, party.kind, "personal"), old]
    assert invite(Rule.PLUS_ONE) == [(party.name, party.kind, "plus_one"), old]
    send(ledger, list(ledger.due(EVENT, MAILING, later(60)).values()), now=later(90))
    assert invite(Rule.TRANSFERABLE) == [(party.name, party.kind, "plus_one"), old]


def test_who_is_to_have_no_copy_any_more_gets_none_at_the_next_attempt(ledger: Ledger) -> None:
    """A Cc that the sheet drops after an attempt is dropped from the retry; one that it adds then is not added."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 5, 6)], domain=DOMAIN, now=NOW)
    [number] = ledger.due(EVENT, MAILING, NOW).values()
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), [number], NOW)
        run.exchange([outcome(number, State.DEFERRED, GREYLISTED, due_at=NOW)], (), NOW)
    ledger.enqueue(EVENT, MAILING, [invitee(1, 6, 7)], domain=DOMAIN, now=later(60))
    [delivery] = ledger.deliveries(EVENT)
    assert delivery.cc == (address(6),)


def test_a_cc_that_is_only_spelled_otherwise_keeps_its_copy(ledger: Ledger) -> None:
    """Who corrects the capitals of a Cc between two attempts takes the copy from nobody."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 5)], domain=DOMAIN, now=NOW)
    [number] = ledger.due(EVENT, MAILING, NOW).values()
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), [number], NOW)
        run.exchange([outcome(number, State.DEFERRED, GREYLISTED, due_at=NOW)], (), NOW)
    capitals = Address(address(5).local.upper(), address(5).domain)
    ledger.enqueue(EVENT, MAILING, [replace(invitee(1), cc=(capitals,))], domain=DOMAIN, now=later(60))
    [delivery] = ledger.deliveries(EVENT)
    assert delivery.cc == (address(5),)


def test_what_a_claim_holds_is_not_changed(ledger: Ledger) -> None:
    """The Cc of a message that may be on its way stays as it is being sent."""
    [number] = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), [number], NOW)
        ledger.enqueue(EVENT, MAILING, [invitee(1, 2)], domain=DOMAIN, now=NOW)
        run.exchange([outcome(claimed)], (), NOW)
    [delivery] = ledger.deliveries(EVENT)
    assert delivery.cc == ()


def test_copies_to_suppressed_people_are_not_taken_in(ledger: Ledger) -> None:
    """Who opted out is in no Cc, whether the sheet named them before or names them still."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 5, 6)], domain=DOMAIN, now=NOW)
    ledger.suppress(address(5), "opted out", NOW)
    ledger.enqueue(EVENT, MAILING, [invitee(1, 5, 7), invitee(2, 5)], domain=DOMAIN, now=NOW)
    assert [one.cc for one in ledger.deliveries(EVENT)] == [(address(7),), ()]
