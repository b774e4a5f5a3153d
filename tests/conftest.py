"""What holds for all tests: none depends on how fast the machine is, or on how they were started."""

import signal

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# In the background of a script, or under nohup, these are ignored, and would be by the programs that tests start, too:
# a program inherits that, but no handler.
for name, handler in {"SIGINT": signal.default_int_handler, "SIGHUP": lambda _number, _frame: None}.items():
    number = getattr(signal, name, None)
    if number and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
