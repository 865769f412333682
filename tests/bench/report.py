"""One line of the benchmark: cost of a command against what the sandbox counted while it ran.

The limit is what nobody could beat with the calls that were answered (one that is refused for its rate did no work, and
would flatter who sends too many): each bucket (account, region, service) gives RATE calls a
second after a burst of RATE, and PARALLEL calls at once take LATENCY each."""
import collections
import json
import os
import sys


def buckets(path, kind):
    counts = collections.Counter()
    for target, count in json.load(open(path)).get(kind, {}).items():
        counts[target.rsplit(":", 1)[0]] += count
    return counts


name, cost_path, before_path, after_path = sys.argv[1:]
cost = json.load(open(cost_path))
sent, throttled = (buckets(after_path, kind) - buckets(before_path, kind) for kind in ("Target", "ThrottledTarget"))
answered = sent - throttled
rate, latency, parallel = (float(os.environ[key]) for key in ("RATE", "LATENCY", "PARALLEL"))
calls = sum(answered.values())
by_rate = max((max(0.0, count - rate) / rate for count in answered.values()), default=0.0)
by_latency = calls * latency / 1000 / parallel
limit = max(by_rate, by_latency, latency / 1000)
print(
    f"{name:22} {calls:7} calls answered {sum(throttled.values()):5} throttled {cost['wall']:7.2f} s wall {cost['cpu']:6.2f} s CPU {cost['peak_kb'] / 1024:6.1f} MB peak"
    f" {calls / max(cost['cpu'], 0.001):8.0f} calls/CPU-s   limit {limit:6.2f} s, ratio {cost['wall'] / limit:5.2f}"
    + ("" if cost["status"] == 0 else f"   exit {cost['status']}")
)
