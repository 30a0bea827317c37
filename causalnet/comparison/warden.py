"""The process between a comparison and a worker of it, so that whatever a method starts ends with its worker, and both with the comparison.

``python warden.py LINE COMMAND...`` starts the command as the leader of a process group, tells its process id through the
socket with descriptor LINE, and waits until either ends: the command, or the socket's other end (with the process that holds
it, however that ends). Then it ends the group and, where the kernel lets it adopt what the command leaves behind (Linux:
PR_SET_CHILD_SUBREAPER), every process that has left the group, and ends as the command did. Run by its path and on the
standard library alone, so that it is there at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import time

SCRIPT = __file__  # what to run
ROUNDS = 1000  # of looking for what is left; each some milliseconds
DIE_WITH_PARENT, ADOPT = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER of <linux/prctl.h>


def main() -> None:
    """Start the command, wait, end all, and end as it did."""
    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    control(ADOPT, 1)
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    worker = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, setpgroup=0, setsigdef=[signal.SIGCHLD])
    line.sendall(str(worker).encode())
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):  # the pipes are the worker's alone
        os.dup2(nothing, descriptor)
    ended = 0, 0
    while ended[0] != worker and line.fileno() not in select.select([line.fileno(), awake], [], [])[0]:
        os.read(awake, 512)
        ended = os.waitpid(worker, os.WNOHANG)
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    end_children()
    end_as(ended[1])


def control(what: int, value: int) -> None:
    """prctl, on Linux; elsewhere nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(what, value)


def end_children() -> int:
    """Kill the children of this process, and what they leave to it in turn, where the system lists them: how many there were."""
    ended = 0
    for _ in range(ROUNDS):
        alive = children()
        if not alive:
            break
        for pid in alive:
            with contextlib.suppress(OSError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    ended += 1
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
    return ended


def children() -> list[int]:
    """Process ids of the children of this process, those that ended unseen among them; none where the system does not tell."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/self/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/self/task/{task}/children") as file:
                found += map(int, file.read().split())
    return found


def end_as(status: int) -> None:
    """End by the same signal or with the same exit code as ``waitpid`` told."""
    if os.WIFSIGNALED(status):
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its own picture is of no use
        with contextlib.suppress(OSError):
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
        time.sleep(1.0)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
