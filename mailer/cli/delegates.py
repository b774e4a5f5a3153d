"""Those who come in a colleague's place: contacts made from answers, as no sheet holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from mailer.cli.desk import Desk, addressed
from mailer.errors import Problem
from mailer.model import Address, Answer, Contact, Invitation, Place, Rule

_SHARED = (Rule.TRANSFERABLE, Rule.ONE_PER_PARTY)


def delegates(desk: Desk, language_of: Callable[[Contact], str]) -> Iterator[Contact]:
    """The respondents who come and whom the sheets do not hold, each under the own address and once.

    They are written to in the language of the contact whose invitation they answered.
    """
    from mailer.cli.invitees import contacts_of
    from mailer.cli.turnout import turnout_of

    with desk.ledger(create=False) as ledger:
        comes = turnout_of(desk, ledger).comes
        hosts = {invitation.reference: invitation for invitation in ledger.invitations(desk.event.name)}
    coming = [(key, answer, hosts[answer.reference or ""]) for key, answer in comes.items()]
    concerned = comes.keys() | {host.recipient.key for _, _, host in coming}
    listed = {found.address.key: found for found in contacts_of(desk.config) if found.address.key in concerned}
    for key, answer, host in coming:
        if key not in listed and (contact := _contact(answer, host, listed)):
            yield _presentable(desk, contact, language_of(contact))


def _address(answer: Answer) -> Address | None:
    try:
        return Address.parse(answer.respondent_email)
    except ValueError:
        return None


def _contact(answer: Answer, invitation: Invitation, listed: Mapping[str, Contact]) -> Contact | None:
    address = _address(answer)
    if address is None:
        return None
    host = listed.get(invitation.recipient.key)
    return Contact(
        place=Place(f"answer {answer.id}", None, 0),
        party=invitation.party,
        address=address,
        name=answer.respondent_name,
        language=host.language if host else None,
        # What is open to the party stays so in the delegate's hands; a seat that is one person's ends there.
        rule=invitation.rule if invitation.rule in _SHARED else Rule.PERSONAL,
    )


def _presentable(desk: Desk, contact: Contact, language: str) -> Contact:
    """The delegate with the name that was typed, or without one where that is no name to address anybody by."""
    found = addressed(contact, language, desk.directory)
    return replace(contact, name="") if any(isinstance(one, Problem) and one.is_error for one in found) else contact
