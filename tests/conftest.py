"""What holds for all tests: none depends on how fast the machine is, or on how they were started."""

import os
import signal
from pathlib import Path

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Programs that are started in another folder are those beside the tests, too, and not what happens to be installed.
os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])

# In the background of a script, or under nohup, these are ignored, and would be by the programs that tests start, too:
# a program inherits that, but no handler.
for name, handler in {"SIGINT": signal.default_int_handler, "SIGHUP": lambda _number, _frame: None}.items():
    number = getattr(signal, name, None)
    if number and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
