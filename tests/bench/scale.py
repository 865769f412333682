"""make bench, second part: how cost grows with size. scale.py BUILD

 1. N creations against a provider that answers at once, for N = 1,000, 10,000, 100,000: what muster alone costs.
 2. The same beside Terraform's terraform_data with local state, where terraform is installed.
 3. A fleet of 1,000 accounts x 17 regions x 12 resources planned offline, unchanged and with one property changed.

Asserts nothing. BENCH_SIZES, BENCH_RUNS and BENCH_FLEET ("accounts regions resources") change the sizes, BENCH_DIR where
the states lie (the disk is what is measured; the default is the build directory)."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
SIZES = [int(n) for n in os.environ.get("BENCH_SIZES", "1000 2000 10000 100000").split()]
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
FLEET = [int(n) for n in os.environ.get("BENCH_FLEET", "1000 17 12").split()]
TERRAFORM_SIZES = (500, 2000)
TERRAFORM_SECONDS = 150


def run(*command, **options):
    """Output, wall seconds, CPU seconds, peak in MB of one command."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode not in (0, 2):
        sys.exit(f"{' '.join(command)}: exit {process.returncode}")
    return out, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def specs(directory, accounts, regions, resources, *description):
    subprocess.run([sys.executable, os.path.join(HERE, "specs.py"), directory, str(accounts), str(regions),
                    str(resources), *description], check=True)


def create(directory):
    """Plans and applies what DIRECTORY wants, from nothing."""
    shutil.rmtree(os.path.join(directory, ".muster"), ignore_errors=True)
    out, wall, cpu, peak = run(os.path.join(BUILD, "driver/bench/commit"), directory)
    return json.loads(out) | {"wall": wall, "cpu": cpu, "peak": peak}


def median(runs, value):
    return statistics.median(value(r) for r in runs)


def creations(work):
    """Rows by N. Runs of all sizes take turns, so that what else the machine does meets all alike."""
    runs = {n: [] for n in SIZES}
    for n in SIZES:
        specs(os.path.join(work, str(n)), max(1, n // 100), 10, 10)
    for turn in range(RUNS):
        for n in SIZES:
            if n < 100000 or turn < max(3, RUNS // 2):
                runs[n].append(create(os.path.join(work, str(n))))
    print(f"\nCreations against a provider that answers at once (medians of {RUNS} runs, 3 of the largest)")
    rows = {}
    for n in SIZES:
        count = runs[n][0]["resources"]
        rows[n] = row = {
            "plan": median(runs[n], lambda r: r["plan"]["wall"]) / count * 1e6,
            "apply": median(runs[n], lambda r: r["apply"]["wall"]) / count * 1e6,
            "cpu": median(runs[n], lambda r: r["apply"]["user"] + r["apply"]["system"]) / count * 1e6,
            "written": median(runs[n], lambda r: r["apply"]["written_kb"]) / count,
            "total": median(runs[n], lambda r: r["wall"]), "count": count,
            "peak": median(runs[n], lambda r: r["peak"]), "state": runs[n][0]["state_bytes"] / count / 1024}
        print(f"{count:7} resources: plan {row['plan']:6.1f} us, apply {row['apply']:6.1f} us wall {row['cpu']:6.1f} us CPU "
              f"each; {row['written']:5.1f} KB written, {row['state']:4.1f} KB kept each; {row['total']:6.2f} s and "
              f"{row['peak']:5.0f} MB in all")
    for n in SIZES[-2:]:
        _, wall, cpu, peak = run(os.path.join(BUILD, "muster"), "-C", os.path.join(work, str(n)), "state", "verify")
        print(f"  state verify, {n}: {wall / n * 1e6:.1f} us wall {cpu / n * 1e6:.1f} us CPU each, {peak:.0f} MB")
    for what in ("apply", "cpu", "plan"):
        each = [row[what] for n, row in rows.items()]
        print(f"  {what}: {SIZES[-1]} resources cost {each[-1] / each[0]:.2f} times as much each as {SIZES[0]}; "
              f"dearest over cheapest {max(each) / min(each):.2f}")
    return rows


# -- Terraform -----------------------------------------------------------------------------------------------------------

TERRAFORM = """resource "terraform_data" "r" {
  count = %d
  input = { TopicName = "findings-${count.index}", DisplayName = "Findings", KmsMasterKeyId = "alias/aws/sns",
            Tags = { Owner = "security", CostCenter = "4711" } }
}
"""


def terraform_once(work, terraform, count):
    directory = os.path.join(work, f"terraform-{count}")
    os.makedirs(directory)
    with open(os.path.join(directory, "main.tf"), "w") as out:
        out.write(TERRAFORM % count)
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    command = [terraform, f"-chdir={directory}"]
    subprocess.run([*command, "init"], check=True, env=environment, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    start = time.monotonic()
    try:
        subprocess.run([*command, "apply", "-auto-approve"], check=True, env=environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=TERRAFORM_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - start


def terraform_compare(work, rows):
    terraform = shutil.which("terraform")
    if terraform is None:
        print("\nTerraform is not installed: not compared")
        return
    print("\nBeside Terraform: terraform_data with local state, which is rewritten for each (plan and apply, start to end)")
    took = {}
    for count in TERRAFORM_SIZES:
        took[count] = terraform_once(work, terraform, count)
        if took[count] is None:
            print(f"  terraform, {count:6}: stopped after {TERRAFORM_SECONDS} s, counted as done by then")
            took[count] = TERRAFORM_SECONDS
        print(f"  terraform, {count:6}: {took[count]:7.2f} s, {took[count] / count * 1e3:6.2f} ms each")
    largest = TERRAFORM_SIZES[-1]
    for n in SIZES:
        each = rows[n]["total"] / rows[n]["count"]
        if n in took:
            print(f"  muster,    {n:6}: {rows[n]['total']:7.2f} s, {each * 1e3:6.2f} ms each: "
                  f"{took[n] / rows[n]['total']:.0f} times as fast")
        elif n > largest:
            print(f"  muster,    {n:6}: {rows[n]['total']:7.2f} s, {each * 1e3:6.2f} ms each: over "
                  f"{took[largest] / largest / each:.0f} times as fast (Terraform's cost for each at {largest}, which rises "
                  f"with the number)")


# -- A large fleet, offline ----------------------------------------------------------------------------------------------

def fleet(work):
    directory, plan = os.path.join(work, "fleet"), os.path.join(work, "plan.json")
    muster = os.path.join(BUILD, "muster")
    specs(directory, *FLEET)
    made = create(directory)
    print(f"\n{FLEET[0]} accounts x {FLEET[1]} regions x {FLEET[2]} resources, offline (creating {made['resources']}: "
          f"{made['wall']:.1f} s, {made['peak']:.0f} MB, {made['state_bytes'] / 1e6:.0f} MB of state)")

    def planned(name, *options):
        out, wall, cpu, peak = run(muster, "-C", directory, *options, stderr=subprocess.DEVNULL)
        print(f"{name:34} {wall:6.2f} s wall {cpu:6.2f} s CPU {peak:5.0f} MB peak, {out.count(chr(10))} lines")

    planned("plan, nothing to do", "plan", "--no-refresh")
    specs(directory, *FLEET, "Something else")
    planned("plan, one property changed", "plan", "--no-refresh")
    planned("... saved", "plan", "--no-refresh", "--out", plan)
    out, *_ = run(os.path.join(BUILD, "driver/bench/render"), plan)
    shown = json.loads(out)
    print(f"{'... rendered':34} {shown['wall']:6.2f} s wall {shown['cpu']:6.2f} s CPU: {shown['changes']} changes in "
          f"{shown['lines']} lines")
    planned("state verify", "state", "verify")


with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("BENCH_DIR", BUILD)) as place:
    costs = creations(place)
    terraform_compare(place, costs)
    fleet(place)
