"""The dialogue from the relay's greeting to a login that it accepts (RFC 5321, 3207, 4954), as pure steps."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from mailer.errors import LoginRefused, RelayBusy, RelayUnreachable, RelayUntrusted
from mailer.model import Reply
from mailer.smtp import commands
from mailer.smtp.features import Features
from mailer.smtp.steps import Ask, Lost, Steps
from mailer.status import Scope, Stage, Verdict, judge

# In every function `relay` is `host:port`, for the sentences of errors.

_BY_XOAUTH2 = "set SMTP_AUTH=xoauth2 and run mailer login"
# What Microsoft 365 and Google say where another password of the same kind would be refused too -> what to do.
_ADVICE = {
    "SmtpClientAuthentication is disabled": (
        "Ask the provider's administrator to enable SMTP AUTH (authenticated SMTP) for this mailbox."
    ),
    "basic authentication is (disabled|not supported)|security defaults": (
        f"Passwords are switched off there: {_BY_XOAUTH2}, or ask the provider's administrator to allow them again."
    ),
    "application-specific password required|username and password not accepted": (
        f"Check SMTP_USERNAME, and put an app password of that account into SMTP_PASSWORD; or {_BY_XOAUTH2}."
    ),
}


def greeting(relay: str) -> Steps[Reply]:
    """The relay speaks first, and these are its words. Raises RelayUnreachable or RelayBusy."""
    reply = yield from _exchange(relay, Ask((), Stage.GREETING, 0))
    _require(relay, Stage.GREETING, reply)
    return reply


def hello(relay: str, name: str) -> Steps[Features]:
    """EHLO as `name`, or HELO where the relay knows only that. Raises RelayUnreachable or RelayBusy."""
    reply = yield from _exchange(relay, Ask((commands.line(f"EHLO {name}"),), Stage.EHLO))
    if reply.code < 500:
        _require(relay, Stage.EHLO, reply)
        return Features.from_ehlo(reply)
    # RFC 5321 section 3.2
    reply = yield from _exchange(relay, Ask((commands.line(f"HELO {name}"),), Stage.EHLO))
    _require(relay, Stage.EHLO, reply)
    return Features()


def starttls(relay: str, features: Features) -> Steps[None]:
    """Up to the relay's consent to TLS. Raises RelayUntrusted where it gives none, RelayUnreachable, RelayBusy."""
    advice = "Nothing was sent in clear text; check SMTP_HOST, SMTP_PORT and SMTP_SECURITY."
    if not features.starttls:
        raise RelayUntrusted(f"{relay} does not offer STARTTLS. {advice}")
    reply = yield from _exchange(relay, Ask((commands.STARTTLS,), Stage.STARTTLS))
    if judge(Stage.STARTTLS, reply).slow_down:
        _require(relay, Stage.STARTTLS, reply)
    if reply.code != 220:
        raise RelayUntrusted(f"{relay} offers STARTTLS but did not begin it: {reply.text}. {advice}")


def login(relay: str, features: Features, username: str, secret: str, *, xoauth2: bool) -> Steps[None]:
    """AUTH with a password (PLAIN, else LOGIN) or, for `xoauth2`, a token.

    Raises LoginRefused, or RelayUnreachable or RelayBusy where the relay cannot check the login now.
    """
    lines = _login_lines(relay, features, username, secret, xoauth2=xoauth2)
    method = lines[0].split()[1]
    for line in (*lines, b"\r\n" if method == b"XOAUTH2" else b"*\r\n"):
        # Behind the last of our lines a 334 is XOAUTH2's account of what is wrong, which wants an empty answer before
        # the refusal comes; of any other method it is a question without an answer, to be cancelled.
        reply = yield from _exchange(relay, Ask((line,), Stage.AUTH))
        if reply.code != 334:
            break
    if reply.code == 235:
        return
    words = without_secret(reply.text, username, secret)
    judgement = judge(Stage.AUTH, reply)
    if judgement.verdict is Verdict.TRANSIENT:
        error = RelayBusy if judgement.slow_down else RelayUnreachable
        raise error(f"{relay} cannot check the login now: {words}. Try again later.")
    raise LoginRefused(f"{relay} refused the login of {username}: {words.rstrip('.')}. {_advice(words)}")


def _advice(words: str) -> str:
    """What to do about a login that was refused in these words."""
    known = (advice for pattern, advice in _ADVICE.items() if re.search(pattern, words, re.IGNORECASE))
    return next(
        known,
        "Check SMTP_USERNAME and SMTP_PASSWORD (or the token), and that the provider lets this account send with this "
        "kind of login (SMTP_AUTH).",
    )


def _login_lines(relay: str, features: Features, username: str, secret: str, *, xoauth2: bool) -> Sequence[bytes]:
    usable = ("XOAUTH2",) if xoauth2 else ("PLAIN", "LOGIN")
    method = next((method for method in usable if method in features.auth), None)
    if method is None:
        offered = " and ".join(sorted(features.auth)) or "no login"
        lack = f"{relay} offers {offered}, but {' or '.join(usable)} is needed"
        if "XOAUTH2" in features.auth:
            raise LoginRefused(f"{lack} for a password: {_BY_XOAUTH2}.")
        raise LoginRefused(
            f"{lack}. Check SMTP_AUTH, SMTP_PORT and SMTP_SECURITY; a relay that wants no login needs no SMTP_USERNAME."
        )
    if any(c in username + secret for c in "\0\x01"):
        raise LoginRefused(f"The user name or the secret for {relay} holds a control character: enter it anew.")
    try:
        forms = _forms(username, secret)
    except UnicodeEncodeError:
        # Told without the codec's own words, which show a part of it.
        raise LoginRefused(
            f"The user name or the secret for {relay} is not in UTF-8: enter it anew, best in config.env."
        ) from None
    if method == "LOGIN":
        return (b"AUTH LOGIN\r\n", *(base64.b64encode(word) + b"\r\n" for word in (username.encode(), forms[method])))
    return commands.auth(method, forms[method])


def _forms(username: str, secret: str) -> dict[str, bytes]:
    """What is said by each method, still to be encoded; of LOGIN, which asks twice, the second answer."""
    return {
        "PLAIN": f"\0{username}\0{secret}".encode(),
        "LOGIN": secret.encode(),
        "XOAUTH2": f"user={username}\x01auth=Bearer {secret}\x01\x01".encode(),
    }


def without_secret(words: str, username: str, secret: str) -> str:
    """A server's words without what some repeat of the login that they refuse: `secret`, in whatever form it went."""
    if not secret:
        return words
    for form in _forms(username, secret).values():
        encoded = base64.b64encode(form).decode().rstrip("=")
        words = re.sub(f"{re.escape(encoded)}=*", "***", words)
    return words.replace(secret, "***")


def _exchange(relay: str, ask: Ask) -> Steps[Reply]:
    """One exchange before any message, where a lost connection is an unreachable relay."""
    try:
        return (yield ask)
    except Lost as exc:
        raise RelayUnreachable(
            f"{relay} was lost at {ask.stage.upper()}: {exc}. Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY, or "
            "try again later."
        ) from None


def _require(relay: str, stage: Stage, reply: Reply) -> None:
    judgement = judge(stage, reply)
    if judgement.verdict is Verdict.ACCEPTED:
        return
    if judgement.scope is Scope.LOGIN:
        raise LoginRefused(f"{relay} wants a login: {reply.text}. Set SMTP_USERNAME, SMTP_PASSWORD and SMTP_SECURITY.")
    error = RelayBusy if judgement.slow_down else RelayUnreachable
    raise error(
        f"{relay} takes no mail from here now: {reply.text}. Try again later, or ask the relay's administrator."
    )
