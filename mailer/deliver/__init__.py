"""Delivery: what is due goes out at the relay's pace, each outcome on disk before the next claim."""

from mailer.deliver.loop import Job, Policy, Round, Tally
from mailer.deliver.pace import Pace, Window

__all__ = ["Job", "Pace", "Policy", "Round", "Tally", "Window"]
