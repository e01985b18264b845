"""The FTP loss workload in SimPy: a process for each client.

A loss system asks whether there is room and never waits, so a counter stands where SimPy offers a Resource: that is faster, too.
"""

import json
import random
import resource
import sys

import simpy

WAY_S = 0.025
THINK_S = 3.3
THINKS = 3


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss


class Tally:
    """The books of workload/src/tally.rs."""

    def __init__(self, limit, seconds, slices):
        self.limit = limit
        self.clients = 0
        self.busy = 0
        self.slice_s = seconds / slices
        self.slice_ends = self.slice_s
        self.wanted = slices
        self.changed = 0.0
        self.area = 0.0
        self.arrived = 0
        self.refused = 0
        self.slices = []

    def knock(self, now):
        self.take_note(now)
        self.arrived += 1
        if self.busy < self.limit:
            self.busy += 1
            return True
        self.refused += 1
        return False

    def leave(self, now):
        self.take_note(now)
        self.busy -= 1

    def take_note(self, now):
        while now >= self.slice_ends and len(self.slices) < self.wanted:
            self.area += self.busy * (self.slice_ends - self.changed)
            self.changed = self.slice_ends
            self.slices.append({"arrived": self.arrived, "refused": self.refused, "busy": self.area / self.slice_s})
            self.arrived = self.refused = 0
            self.area = 0.0
            self.slice_ends = (len(self.slices) + 1) * self.slice_s
        self.area += self.busy * (now - self.changed)
        self.changed = now


def client(env, tally, dice):
    yield env.timeout(WAY_S)  # SYN
    if not tally.knock(env.now):
        yield env.timeout(WAY_S)  # 421
        return
    yield env.timeout(WAY_S)  # greeting
    yield env.timeout(WAY_S)  # USER
    yield env.timeout(WAY_S)  # 331
    yield env.timeout(WAY_S)  # PASS
    for _ in range(THINKS):
        yield env.timeout(WAY_S)  # reply
        yield env.timeout(dice.expovariate(1 / THINK_S))
        yield env.timeout(WAY_S)  # command
    tally.leave(env.now)
    yield env.timeout(WAY_S)  # 221


def arrivals(env, tally, dice, rate):
    while True:
        yield env.timeout(dice.expovariate(rate))
        tally.clients += 1
        env.process(client(env, tally, dice))


def main():
    seed, rate, limit, seconds, slices = (int(float(arg)) for arg in sys.argv[1:])
    begin, _ = usage()
    env = simpy.Environment()
    tally = Tally(limit, seconds, slices)
    dice = random.Random(seed)
    env.process(arrivals(env, tally, dice, rate))
    env.run(until=seconds)
    end, rss = usage()
    tally.take_note(seconds)
    events = next(env._eid) - len(env._queue)  # entered and taken out
    print(json.dumps({"events": events, "clients": tally.clients, "cpu_s": end - begin, "rss_kib": rss, "slices": tally.slices}))


main()
