"""Those who come in a colleague's place: contacts made from answers, as no sheet holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mailer.cli.desk import Desk
from mailer.errors import Problem
from mailer.model import Address, Answer, Contact, Invitation, Place, Rule


def delegates(desk: Desk) -> Iterator[Contact | Problem]:
    """The respondents who come and whom the sheets do not hold, each under the own address and once.

    They are written to in the language of the contact whose invitation they answered, and by what the sheets call the
    party now. Whoever left no address, while the row of that contact is gone, is a warning.
    """
    from mailer.cli.turnout import turnout_of
    from mailer.ledger import NOWHERE

    with desk.ledger(create=False) as ledger:
        comes = turnout_of(desk, ledger).comes
        hosts = {invitation.reference: invitation for invitation in ledger.invitations(desk.event.name)}
    renamed = desk.invitees.renamed(hosts.values(), desk.directory)
    coming = [(key, answer, hosts[answer.reference or ""]) for key, answer in comes.items()]
    concerned = comes.keys() | {host.recipient.key for _, _, host in coming}
    listed = {found.address.key: found for found in desk.invitees if found.address.key in concerned}
    for key, answer, host in coming:
        if key not in listed and not key.endswith(f"@{NOWHERE}"):
            yield _contact(answer, replace(host, party=renamed.get(host.party, host.party)), listed)


def _address(answer: Answer) -> Address | None:
    try:
        return Address.parse(answer.respondent_email)
    except ValueError:
        return None


def _contact(answer: Answer, invitation: Invitation, listed: Mapping[str, Contact]) -> Contact | Problem:
    from mailer.contacts.names import family_name_in_capitals, title_and_name

    place, address = f"answer {answer.id}", _address(answer)
    if address is None:
        problem = f"one who comes has no address: {answer.respondent_name or 'somebody'} ({invitation.party.name})"
        return Problem(problem, f"Tell them yourself; no row holds {invitation.recipient} any more.", "warning", place)
    host = listed.get(invitation.recipient.key)
    title, name = title_and_name(answer.respondent_name)
    return Contact(
        place=Place(place, None, 0),
        party=invitation.party,
        address=address,
        title=title,
        last_name=family_name_in_capitals(name),
        name=name,
        language=host.language if host else None,
        # What is open to the party stays so in the delegate's hands; a seat that is one person's ends there.
        rule=invitation.rule if invitation.rule.is_shared else Rule.PERSONAL,
    )
