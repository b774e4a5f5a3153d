"""TLS to a PostgreSQL server: over a network it has to prove who it is, unless LEDGER_URL says otherwise."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

# Of libpq's settings: the weaker ones take any certificate, or none.
_PROVING = {"verify-ca", "verify-full"}
# Where libpq looks by itself (PostgreSQL documentation, section 34.19.1).
_OWN_AUTHORITIES = "~/.postgresql/root.crt"
# What libpq says where TLS fails, none of which is the server's own word -> what to do.
_ADVICE = {
    "not support SSL": (
        "Have TLS switched on there; where nobody can be on the way, write sslmode=disable behind the ? in LEDGER_URL."
    ),
    "does not match host name": "Write into LEDGER_URL the name that the certificate is for.",
    "SSL error|server certificate|root certificate": (
        "Write sslrootcert=FILE behind the ? in LEDGER_URL, a PEM file with the authority of its certificate; one that "
        "has expired must be renewed."
    ),
}


def settings(asked: Mapping[str, object]) -> dict[str, str]:
    """What to add to the settings of a connection, so that a server that is not on this machine proves who it is.

    Nothing where `sslmode` is set already, in LEDGER_URL or for every program that speaks to PostgreSQL.
    """
    given = {**_environment(), **asked}
    if _is_here(given) or "sslmode" in given:
        return {}
    if "sslrootcert" in given or "service" in asked or _has_own_authorities():
        return {"sslmode": "verify-full"}
    # libpq's own word for them, `system`, is one for where its OpenSSL was built to look: in the driver's wheels that
    # is a folder which no machine has.
    return {"sslmode": "verify-full", "sslrootcert": ssl.get_default_verify_paths().cafile or "system"}


def unproved(asked: Mapping[str, object]) -> str:
    """The setting by which a server that is not on this machine need not prove who it is; empty where there is none."""
    given = {**_environment(), **asked}
    mode = given.get("sslmode", "verify-full")
    return "" if _is_here(given) or mode in _PROVING else f"sslmode={mode}"


def advice(reason: str) -> str:
    """What to do where it is for want of TLS or of its proof, by libpq's `reason`, that there is no connection.

    Empty where it is for something else.
    """
    return next((advice for words, advice in _ADVICE.items() if re.search(words, reason)), "")


def _environment() -> dict[str, str]:
    """What is set for every program that speaks to PostgreSQL, with what the service holds that is named there.

    libpq does not tell what a service file sets to libpq's own default, as in sslmode=prefer, from what nobody set.
    """
    from psycopg.pq import Conninfo

    return {
        option.keyword.decode(): option.val.decode()
        for option in Conninfo.get_defaults()
        if option.val is not None and option.keyword != b"service"
        if option.val != option.compiled or (option.envvar or b"").decode() in os.environ
    }


def _has_own_authorities() -> bool:
    try:
        return Path(_OWN_AUTHORITIES).expanduser().exists()
    except (RuntimeError, OSError):  # no home folder, or one that is closed to us
        return False


def _is_here(given: Mapping[str, object]) -> bool:
    """Whether all that is named is this machine or a socket on it; what LEDGER_URL's own service names is not seen."""
    named = ",".join(str(given.get(key) or "") for key in ("host", "hostaddr")).split(",")
    return "service" not in given and all(map(_is_loopback, filter(None, named)))


def _is_loopback(host: str) -> bool:
    if host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
