"""For Spark's Python processes: what is waited for between two tries of a request is hardly waited for."""

import time

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(min(float(seconds), 0.05))
