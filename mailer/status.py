"""What a relay's refusal means: temporary or permanent, for whom it holds, and why in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from mailer.model import Reply


class Stage(StrEnum):
    """Where in the dialogue something happened; `body` is what follows DATA, up to the reply to the final dot."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    RESET = "reset"
    QUIT = "quit"


class Verdict(StrEnum):
    """What became of a message. `unknown`: nobody can tell whether the relay took it."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """What a refusal holds for. `login` and `sender` hold for the whole run: no recipient is to blame."""

    DELIVERY = "delivery"
    CONNECTION = "connection"
    LOGIN = "login"
    SENDER = "sender"


class Trust(Enum):
    """What we are to the relay: nobody; an account, or one whose mail it took in earlier runs, though perhaps from
    another sender; or one whose messages it has taken in this run, by whatever connection."""

    STRANGER = 0
    ADMITTED = 1
    KNOWN = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """One reply, judged. `slow_down`: the relay asks for fewer connections or a slower pace."""

    verdict: Verdict
    scope: Scope = Scope.DELIVERY
    slow_down: bool = False
    reason: str = ""


_ACCEPTED = Judgement(Verdict.ACCEPTED)
_BEFORE_MAIL = {Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.AUTH}

# RFC 4954 section 6 (530, 534, 535, 538, 5.7.8, 5.7.9, 5.7.11; 4.7.12 is a password that a person must change);
# 5.7.30 is Microsoft 365 after the end of password logins.
_LOGIN_CODES = {530, 534, 535, 538}
_LOGIN_STATUS = {"4.7.12", "5.7.8", "5.7.9", "5.7.11", "5.7.30"}

# RFC 3463 X.1.7 and X.1.8 are about the sender's address; 5.7.60 and 5.2.252 are Microsoft's "send as denied".
_SENDER_STATUS = {"5.1.7", "5.1.8", "5.2.252", "5.7.60"}
# Postfix tells of a refused sender only at RCPT (smtpd_delay_reject), with 5.7.1 like any other policy; Exchange
# has said SendAsDenied, and its sentences about it, under several codes.
_SENDER_WORDS = re.compile(
    r"sender address rejected|sendasdenied|\bsend as this (?:sender|user)\b|\bnot allowed to send as\b", re.IGNORECASE
)

# RFC 3463 sections 3.2 and 3.3: an address or a mailbox, unless the detail is 0, which leaves open whose it is (Postfix
# says 5.1.0 of a sender that it does not know).
_ADDRESS_STATUS = re.compile(r"[45]\.[12]\.[1-9][0-9]*")
# What is said of a mailbox by relays without enhanced codes.
_MAILBOX_WORDS = re.compile(
    r"\b(?:user|mailbox|recipient|(?<!ip )address|unrouteable|unknown|no such|(?:not|n't) exist)\b", re.IGNORECASE
)

# RFC 1870 section 6.1 (552 5.3.4 and 5.2.3) and RFC 6531 section 3.5 (5.6.7): this message, not its sender.
_MESSAGE_STATUS = {"5.2.3", "5.3.4", "5.6.7"}

# A quota of our account, full until tomorrow: RFC 3463 X.4.5 is congestion, "useful only as a persistent transient
# error" (Google says 550 5.4.5); 5.7.232 and 5.7.233 are a Microsoft 365 tenant's daily external recipients.
_QUOTA_STATUS = {"5.4.5", "5.7.232", "5.7.233"}

# RFC 3463 X.3.2, X.4.5 and X.5.3, and what Google and Microsoft 365 answer to those who send too fast.
_PACE_STATUS = {"4.3.2", "4.4.5", "4.5.3", "4.7.28", "4.7.500"}
# X.2.1 is a mailbox that is switched off, which Google's relay says too when an account is over its peak.
_OVER_LIMIT = re.compile(r"\blimit exceeded\b", re.IGNORECASE)

# What servers say at RCPT to those who have not logged in, with 5.7.1 like any other policy.
_RELAY_WORDS = re.compile(
    r"\brelay(?:ing)? (?:access )?(?:is )?(?:denied|prohibited|not (?:permitted|allowed))"
    r"|\b(?:unable|not (?:permitted|allowed)) to relay",
    re.IGNORECASE,
)


def judge(stage: Stage, reply: Reply, trust: Trust = Trust.ADMITTED, *, has_begun: bool = False) -> Judgement:
    """What `reply`, given at `stage`, means for the message, for this connection or for the whole run.

    To a stranger, "relay access denied" at RCPT speaks of them, with a 4xx too (Postfix's defer_unauth_destination); to
    others, of one recipient. Once the relay knows us, whatever it says at RCPT is of that recipient, whose server may
    be the one whose words it repeats, and behind it only an enhanced code is of the sender: words are of the message.
    `has_begun`: MAIL was accepted on this connection before, so that neither sender nor login can be what it now
    refuses.

    The first digit of the basic code decides (RFC 5321 section 4.2.1; RFC 2034 section 4 binds the enhanced code's
    class to it), with the exceptions cited here. What we do not know is temporary.
    """
    expected = 3 if stage is Stage.DATA else 2
    if reply.code // 100 == expected:
        return _ACCEPTED
    if reply.code < 400:
        # Not an answer to what was asked. Behind the final dot nobody can say what it answers.
        lost = Verdict.UNKNOWN if stage is Stage.BODY else Verdict.TRANSIENT
        return Judgement(lost, Scope.CONNECTION, reason="the relay's answers do not follow the protocol")
    if _is_about_login(stage, reply, trust):
        judgement = Judgement(Verdict.PERMANENT, Scope.LOGIN, reason="the relay wants a login that it accepts")
    elif reply.code < 500:
        judgement = _temporary(stage, reply)
    else:
        judgement = _refusal(stage, reply, trust)
    if has_begun and stage is Stage.MAIL and judgement.scope in {Scope.LOGIN, Scope.SENDER}:
        reason = "the relay takes no more messages on this connection"
        return Judgement(Verdict.TRANSIENT, Scope.CONNECTION, slow_down=True, reason=reason)
    return judgement


def is_about_recipient(stage: Stage, reply: Reply) -> bool:
    """Whether a permanent refusal is of this recipient: the address, the mailbox, or the way there (X.1, X.2 and X.4 of
    RFC 3463 section 3.2 to 3.5); otherwise it may well be of us, or of what we send."""
    status = reply.enhanced_status
    if status:
        return status.startswith(("5.1.", "5.2.", "5.4.")) and status not in _SENDER_STATUS
    is_ours = reply.code in {554, *_LOGIN_CODES} or _SENDER_WORDS.search(reply.text)
    return stage is Stage.RCPT and not is_ours and _MAILBOX_WORDS.search(reply.text) is not None


def is_too_many_recipients(reply: Reply) -> bool:
    """Whether this refusal of a RCPT is of its number only, so that another transaction may take it (RFC 5321 section
    4.5.3.1.10). With an enhanced code, 452 and 552 may also be about storage, or a full mailbox."""
    return reply.code in {452, 552} and reply.enhanced_status in {None, "4.5.3", "5.5.3"}


def _is_about_login(stage: Stage, reply: Reply, trust: Trust) -> bool:
    if stage is Stage.RCPT:
        if trust is Trust.KNOWN or _names_address(reply):
            return False
        if trust is Trust.STRANGER and _RELAY_WORDS.search(reply.text):
            return True
    refused_at_login = stage is Stage.AUTH and reply.code >= 500
    return refused_at_login or reply.code in _LOGIN_CODES or reply.enhanced_status in _LOGIN_STATUS


def _is_about_sender(stage: Stage, reply: Reply, trust: Trust) -> bool:
    if stage is Stage.RCPT and trust is Trust.KNOWN:
        return False
    if reply.enhanced_status in _SENDER_STATUS:
        return True
    if stage is Stage.MAIL:
        return reply.code != 552 and reply.enhanced_status not in _MESSAGE_STATUS
    if trust is Trust.KNOWN or _names_address(reply):
        return False
    return _SENDER_WORDS.search(reply.text) is not None


def _names_address(reply: Reply) -> bool:
    """Whether its enhanced code speaks of a recipient's address or mailbox, which says more than words further on."""
    status = reply.enhanced_status or ""
    return _ADDRESS_STATUS.fullmatch(status) is not None and f"5{status[1:]}" not in _SENDER_STATUS


def _temporary(stage: Stage, reply: Reply) -> Judgement:
    code, status = reply.code, reply.enhanced_status or ""
    # 421 closes the connection at any moment (RFC 5321 section 3.8); 432 is Microsoft 365 with too many connections.
    ends = code in {421, 432} or stage in _BEFORE_MAIL or stage in {Stage.RESET, Stage.QUIT}
    # 452 is the relay's storage or too many recipients (RFC 5321 section 4.5.3.1.10), unless it is about a mailbox;
    # 454 outside of AUTH and STARTTLS is Amazon SES throttling.
    throttled = (code == 452 and not status.startswith("4.2.")) or (code == 454 and stage not in _BEFORE_MAIL)
    over_limit = status == "4.2.1" and _OVER_LIMIT.search(reply.text) is not None
    slow_down = code in {421, 432} or throttled or status in _PACE_STATUS or over_limit
    scope = Scope.CONNECTION if ends else Scope.DELIVERY
    return Judgement(Verdict.TRANSIENT, scope, slow_down, _reason(reply))


def _refusal(stage: Stage, reply: Reply, trust: Trust) -> Judgement:
    code, status = reply.code, reply.enhanced_status or ""
    if stage in _BEFORE_MAIL or stage in {Stage.RESET, Stage.QUIT}:
        return Judgement(Verdict.PERMANENT, Scope.CONNECTION, reason=_reason(reply))
    if status in _QUOTA_STATUS:
        return Judgement(Verdict.TRANSIENT, slow_down=True, reason="the account has used up what it may send for now")
    if _is_about_sender(stage, reply, trust):
        return Judgement(Verdict.PERMANENT, Scope.SENDER, reason="the relay refuses the sender's address")
    if stage is Stage.RCPT and code == 552 and status not in _MESSAGE_STATUS:
        # Older servers say 552 for too many recipients: to be taken as temporary (RFC 5321 section 4.5.3.1.10). The
        # other use, a full mailbox, is "a persistent transient failure" as well (RFC 3463 X.2.2).
        return Judgement(Verdict.TRANSIENT, slow_down=not status.startswith("5.2."), reason=_reason(reply))
    if stage is not Stage.MAIL and code == 503:
        # We never send commands out of order: the two sides have lost step, for which no recipient should fail.
        return Judgement(Verdict.TRANSIENT, Scope.CONNECTION, reason="the relay's answers do not follow the protocol")
    return Judgement(Verdict.PERMANENT, reason=_reason(reply))


# RFC 3463 section 3 by subject and detail, with the later ones of the IANA registry that relays use.
_MEANING = {
    "1.0": "the relay does not accept this address",
    "1.1": "there is no such mailbox",
    "1.2": "the domain does not exist or takes no mail",
    "1.3": "the address is not well formed",
    "1.4": "the address fits several mailboxes",
    "1.6": "the mailbox has moved without a new address",
    "1.7": "the sender's address is not well formed",
    "1.8": "the sender's domain is not accepted",
    "1.10": "the domain says that it takes no mail",
    "2.1": "the mailbox is switched off or takes nothing now",
    "2.2": "the mailbox is full",
    "2.3": "the message is too large for this mailbox",
    "2.4": "the list behind this address could not be expanded",
    "3.1": "the relay's storage is full",
    "3.2": "the relay takes no mail now",
    "3.4": "the message is too large for the relay",
    "4.1": "the recipient's server does not answer",
    "4.2": "the connection to the recipient's server was lost",
    "4.3": "the relay cannot look up the way to the recipient",
    "4.4": "the relay finds no way to the recipient",
    "4.5": "the mail system is overloaded",
    "4.6": "the message went round in a circle",
    "4.7": "the message could not be delivered in time",
    "5.3": "too many recipients at once",
    "6.0": "the message's form was not accepted",
    "6.7": "the relay cannot carry an address with letters outside ASCII",
    "7.0": "refused by policy",
    "7.1": "refused by policy",
    "7.23": "SPF does not allow this relay to send for the sender's domain",
    "7.26": "the sender's domain lacks valid SPF and DKIM",
    "7.28": "too many messages in a short time",
    "7.515": "the sender's domain lacks the authentication that large receivers demand",
}

# Refusals that sound final and, with a 4xx, are not (greylisting often says 4.7.1).
_POLICY = {"6.0", "7.0", "7.1"}

# For replies without an enhanced code: RFC 5321 section 4.2.3.
_CODE_MEANING = {
    421: "the relay closes the connection for now",
    432: "the relay has too many connections of ours",
    450: "the mailbox is not available now",
    451: "the relay has a passing fault",
    452: "the relay's storage is full, or too many recipients at once",
    550: "the mailbox is not available",
    551: "the mailbox is elsewhere",
    552: "the message or the mailbox is too large",
    553: "the address is not accepted",
}


def _reason(reply: Reply) -> str:
    """What the reply says, in plain words; its class alone where we know no more."""
    subject = (reply.enhanced_status or "").partition(".")[2]
    if reply.code < 500 and subject in _POLICY:
        return f"{_MEANING[subject]}, for now"
    words = _MEANING.get(subject) or _CODE_MEANING.get(reply.code)
    return words or ("refused for now" if reply.code < 500 else "refused")
