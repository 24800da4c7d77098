"""Celery as its users write it; run by celery.ts, which reads its standard output."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from celery import Celery
from celery.signals import worker_ready

app = Celery(broker=os.environ["REDIS_URL"] + "/2")
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_send_task_events=False,
)


def say(line):
    os.write(1, (line + "\n").encode())


@app.task(name="noop")
def noop(n, note):
    say(f"{n} {time.time()}")


def add(line):
    n, note = line.split()
    began = time.time()
    noop.delay(int(n), note)
    say(f"{n} {began}")


if sys.argv[1] == "produce":
    say("ready")
    with ThreadPoolExecutor(int(sys.argv[2])) as pool:
        for line in sys.stdin:
            pool.submit(add, line)
else:
    # The end of its standard input is the end of the process that started it. Not by sys.stdin: children would inherit its lock.
    end = lambda: (os.read(0, 1), os.kill(os.getpid(), signal.SIGQUIT))
    threading.Thread(target=end, daemon=True).start()
    worker_ready.connect(lambda **_: say("ready"), weak=False)
    app.worker_main(["worker", "--pool=prefork", "-O", "fair", "--without-gossip", "--without-mingle", "-l", "error"])
