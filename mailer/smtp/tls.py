"""Whom TLS to a mail server trusts, and why a certificate proves nothing, told to whoever can mend it."""

from __future__ import annotations

import ssl
from pathlib import Path

from mailer.errors import RelayUntrusted

# As OpenSSL numbers them (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _OF_ANOTHER_NAME, _OF_ANOTHER_ADDRESS = 9, 10, 62, 64

# What OpenSSL says where the other end speaks TLS, but no version or cipher that counts as safe today.
OUTDATED = {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "SSLV3_ALERT_HANDSHAKE_FAILURE"}


def context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that trusts the system's authorities and those in the file. Raises RelayUntrusted where it holds none."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        place = f"The certificate authority in {ca_file} (SMTP_CA_FILE)"
        try:
            made.load_verify_locations(ca_file)
        except ssl.SSLError as exc:
            raise RelayUntrusted(
                f"{place} cannot be read: it is no whole certificate in PEM form, -----BEGIN CERTIFICATE----- and what "
                "follows. Ask whoever gave you the file for that form."
            ) from exc
        except OSError as exc:
            raise RelayUntrusted(f"{place} cannot be read: {exc.strerror or exc}.") from exc
    return made


def proves_nothing(fault: ssl.SSLCertVerificationError, server: str, host: str, setting: str) -> str:
    """Why the certificate of `server`, `host:port`, does not prove that it is `host`, which `setting` names."""
    advice = (
        f"Check {setting}; a server with an authority of its own needs SMTP_CA_FILE, and any server has to send the "
        "intermediate certificates with its own"
    )
    if fault.verify_code == _EXPIRED:
        advice = "Have its administrator renew it, or set this machine's clock if that is wrong"
    elif fault.verify_code == _NOT_YET_VALID:
        advice = "Set this machine's clock if that is wrong, else ask its administrator"
    elif fault.verify_code in {_OF_ANOTHER_NAME, _OF_ANOTHER_ADDRESS}:
        advice = f"Set {setting} to the name that it is for"
    why = fault.verify_message.rstrip(".")
    return f"The certificate of {server} does not prove that it is {host}: {why}. {advice}. Nothing was sent."
