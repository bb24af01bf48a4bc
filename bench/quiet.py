"""Whether the machine was left alone: the round trip between two cores, and the processor time of others."""
import os
import subprocess
import time

STAT_TICKS = os.sysconf("SC_CLK_TCK")
OTHERS, STOLEN = 0.05, 0.02  # most shares of the cores' time that others, and the host, may take in a quiet run


def processor_seconds():
    """Busy and stolen, of the whole machine since it started."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq, steal = (int(word) / STAT_TICKS for word in stat.readline().split()[1:9])
    return user + nice + system + irq + softirq, steal


class Machine:
    def __init__(self, program, quiet_ns, patience):
        self.program, self.quiet_ns, self.patience = program, quiet_ns, patience
        self.round_trips = []

    def round_trip(self):
        done = subprocess.run([self.program], capture_output=True, text=True, check=True)
        self.round_trips.append(float(done.stdout))
        return self.round_trips[-1]

    def wait(self):
        """Until the round trip is short, or patience ends."""
        start = time.monotonic()
        while self.round_trip() > self.quiet_ns and time.monotonic() - start < self.patience:
            time.sleep(1)


class Watch:
    """Over one run: `disturbance` is what disturbed it, or empty."""

    def __init__(self, machine, cores):
        self.machine, self.cores = machine, cores
        self.before, self.start, self.processors = machine.round_trip(), time.monotonic(), processor_seconds()

    def disturbance(self, own_seconds):
        available = (time.monotonic() - self.start) * self.cores
        busy, stolen = (now - then for now, then in zip(processor_seconds(), self.processors))
        others, stolen = (busy - own_seconds) / available, stolen / available
        trip = max(self.before, self.machine.round_trip())
        if trip > self.machine.quiet_ns:
            return f"round trip {trip:.0f} ns"
        if others > OTHERS:
            return f"others took {others:.0%} of the cores"
        return f"the host took {stolen:.0%} of the cores" if stolen > STOLEN else ""
