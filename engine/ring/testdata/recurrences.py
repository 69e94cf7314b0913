"""Writes recurrences.jsonl: what python-dateutil makes of random rules.

    python3 recurrences.py > recurrences.jsonl

A line holds a rule, its DTSTART, the first occurrences, and the first from a
later time on. Rules that dateutil reads otherwise than RFC 5545 (BYWEEKNO
without a weekday, negative week numbers at the turn of the year, BYSETPOS in a
first week that began before DTSTART) are left out.
"""
import datetime as dt, itertools, json, random
from dateutil.rrule import rrulestr

random.seed(20260302)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def some(values, most):
    return random.sample(values, random.randint(1, min(most, len(values))))


def join(values):
    return ",".join(str(v) for v in values)


def rule():
    freq = random.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = ["FREQ=" + freq]
    if random.random() < 0.5:
        parts.append("INTERVAL=%d" % random.choice([2, 3, 4, 5, 7, 13]))
    if random.random() < 0.3:
        parts.append("BYMONTH=" + join(some(list(range(1, 13)), 4)))
    ordinals = freq in ("MONTHLY", "YEARLY")
    weeks = freq == "YEARLY" and random.random() < 0.25
    if weeks:
        parts.append("BYWEEKNO=" + join(some(list(range(1, 54)), 3)))
        parts.append("BYDAY=" + join(some(DAYS, 3)))
    elif random.random() < 0.6:
        days = some(DAYS, 3)
        if ordinals and random.random() < 0.6:
            days = [str(random.choice([1, 2, 3, 4, 5, -1, -2])) + d for d in days]
        parts.append("BYDAY=" + join(days))
    if freq != "WEEKLY" and not weeks and random.random() < 0.3:
        parts.append("BYMONTHDAY=" + join(some(list(range(1, 32)) + list(range(-31, 0)), 5)))
    if freq == "YEARLY" and not weeks and random.random() < 0.15:
        parts.append("BYYEARDAY=" + join(some([1, 59, 60, 100, 200, 365, 366, -1, -60, -366], 5)))
    if random.random() < 0.5:
        parts.append("BYHOUR=" + join(some(list(range(24)), 3)))
    if random.random() < 0.3:
        parts.append("BYMINUTE=" + join(some([0, 15, 30, 45, 59], 2)))
    if len(parts) > 2 and any(p.startswith("BY") for p in parts) and random.random() < 0.3:
        parts.append("BYSETPOS=" + join(some([1, 2, 3, -1, -2], 2)))
    if random.random() < 0.3:
        parts.append("WKST=" + random.choice(DAYS))
    end = random.random()
    if end < 0.15:
        parts.append("COUNT=%d" % random.randint(1, 60))
    elif end < 0.3:
        parts.append("UNTIL=%d0615T120000" % random.randint(2016, 2040))
    return ";".join(parts)


def text(t):
    return t.isoformat()


written = 0
while written < 300:
    start = dt.datetime(random.randint(1970, 2024), random.randint(1, 12), random.randint(1, 28),
                        random.randint(0, 23), random.choice([0, 30]), 0)
    line = rule()
    if "WEEKLY" in line and "BYSETPOS" in line:
        continue
    r = rrulestr(line, dtstart=start)
    limit = dt.datetime(2120, 1, 1)
    first = list(itertools.islice(itertools.takewhile(lambda t: t < limit, r), 8))
    later = dt.datetime(2026, 3, 2)
    then = list(itertools.islice(itertools.takewhile(lambda t: t < limit, r.xafter(later, inc=True)), 4))
    if not first:
        continue
    print(json.dumps({"rule": line, "start": text(start), "first": [text(t) for t in first], "later": [text(t) for t in then]}))
    written += 1
