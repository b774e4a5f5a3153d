"""Ctrl-C at any moment of a mailing's preparation stops it."""

import os
import signal

import pytest

from mailer.cli.interrupts import Interrupts


def test_a_ctrl_c_that_got_lost_is_raised_again() -> None:
    """What Python drops amidst a callback stops the run all the same, before its first message."""
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        interrupts.heed()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.heed()
    assert signal.getsignal(signal.SIGINT) is before


def test_at_the_end_ctrl_c_breaks_nothing_off() -> None:
    """What is left to do after the last message is done whole."""
    with Interrupts() as interrupts:
        interrupts.mute()
        os.kill(os.getpid(), signal.SIGINT)
