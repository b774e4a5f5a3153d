"""Delivery: what is due goes out at the relay's pace, each outcome on disk before the next claim."""

from mailer.deliver.agenda import Job
from mailer.deliver.loop import Policy, Round, Tally
from mailer.deliver.pace import Pace, Window

__all__ = ["Job", "Pace", "Policy", "Round", "Tally", "Window"]
