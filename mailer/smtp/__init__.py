"""The relay: a dialogue that knows no socket, and its asyncio driver; it knows envelopes and octets only."""

from mailer.smtp.features import Features
from mailer.smtp.relay import Connection, Relay, Security
from mailer.smtp.transport import Outcome, Transport

__all__ = ["Connection", "Features", "Outcome", "Relay", "Security", "Transport"]
