"""make bench, second part: how cost grows with size. scale.py BUILD

 1. N creations against a provider that answers at once, for N = 1,000, 10,000, 100,000: what muster alone costs.
 2. `muster apply`, the whole command against the sandbox, for N = 2,000 and 10,000: with HTTP, signatures and output.
    Beside it Terraform's terraform_data with local state, where terraform is installed.
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
WHOLE_SIZES = (2000, 10000)
TERRAFORM_SIZES = (500, 2000)
TERRAFORM_SECONDS = int(os.environ.get("BENCH_TERRAFORM_SECONDS", "150"))


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


# -- Whole commands ------------------------------------------------------------------------------------------------------

def muster_once(work, n):
    """Wall seconds of `muster apply --auto-approve` from start to end, against a sandbox that answers at once: all that
    Terraform's own command does, and calls over HTTP besides. Nothing is subtracted."""
    directory, roster = os.path.join(work, str(n)), os.path.join(work, f"roster-{n}.json")
    shutil.rmtree(os.path.join(directory, ".muster"), ignore_errors=True)
    with open(os.path.join(directory, "accounts.json")) as file:
        accounts = json.load(file)["Accounts"]
    with open(roster, "w") as out:
        json.dump({"Accounts": [{"Name": "security", "Id": "111111111111"}, *accounts]}, out)
    sandbox = subprocess.Popen([os.path.join(BUILD, "muster-sandbox"), "--port", "0", "--roster", roster],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MUSTER_"))} | {
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_ACCESS_KEY_ID": "AKIASANDBOX", "AWS_SECRET_ACCESS_KEY": "sandbox-secret",
        "AWS_ENDPOINT_URL": sandbox.stdout.readline().strip()}
    try:
        out, wall, *_ = run(os.path.join(BUILD, "muster"), "-C", directory, "apply", "--auto-approve", "--allow-dirty",
                            env=environment, stderr=subprocess.STDOUT)
    finally:
        sandbox.terminate()
        sandbox.wait()
        sandbox.stdout.close()
    if f"{n} created" not in out:
        sys.exit(f"muster apply, {n}: {out[-500:]}")
    return wall


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


def terraform_took(work):
    """Seconds by number; a run that was stopped counts as done by then, which flatters it."""
    terraform, took = shutil.which("terraform"), {}
    if terraform is None:
        print("  Terraform is not installed: not compared")
        return took
    for count in TERRAFORM_SIZES:
        took[count] = terraform_once(work, terraform, count)
        if took[count] is None:
            print(f"  terraform, {count:6}: stopped after {TERRAFORM_SECONDS} s, counted as done by then")
            took[count] = TERRAFORM_SECONDS
        print(f"  terraform, {count:6}: {took[count]:7.2f} s, {took[count] / count * 1e3:6.2f} ms each")
    return took


def beside(n, seconds, took):
    """What to say beside Terraform: its time for as many, or its cost for each at its largest, which rises."""
    if n in took:
        return f": {took[n] / seconds:.0f} times as fast"
    largest = max(took, default=0)
    if n > largest > 0:
        return f": {took[largest] / largest * n / seconds:.0f} times as fast as Terraform at {largest}, for each"
    return ""


def whole_commands(work, rows):
    print("\nWhole processes, timed from outside from start to exit, each from nothing (Terraform's terraform_data makes "
          "nothing\nand calls nobody; its state is local; one run)")
    took = terraform_took(work)
    for n in (n for n in SIZES if n in WHOLE_SIZES):
        wall = statistics.median(muster_once(work, n) for _ in range(3))
        print(f"  muster apply, with the sandbox's calls over HTTP, {n:6}: {wall:7.2f} s, {wall / n * 1e3:6.2f} ms each"
              + beside(n, wall, took))
    for n, row in rows.items():
        print(f"  the driver that calls nobody, not the program,  {n:6}: {row['total']:7.2f} s, "
              f"{row['total'] / row['count'] * 1e3:6.2f} ms each" + beside(n, row["total"], took))


# -- A large fleet, offline ----------------------------------------------------------------------------------------------

def many_groups(work):
    """2,000 rules in 8 targets each that have nothing in common, so that each is a group of its own, with an event pattern and values
    that have to be cut."""
    directory, plan = os.path.join(work, "groups"), os.path.join(work, "groups.json")
    specs(directory, 4, 2, 1)
    create(directory)  # also records which regions there are
    for stack in range(4):
        rules = {f"Rule{i}": {"Type": "AWS::Events::Rule", "Properties": {
            "Name": f"rule-{i}", "Description": f"{i}: " + "tells of what was found and what it means, " * 8,
            "EventPattern": {"source": ["aws.guardduty"], "detail": {
                "type": [f"Type{i}"], "severity": [{"numeric": [">=", i % 9]}]}}}}
            for i in range(stack * 500, stack * 500 + 500)}
        with open(os.path.join(directory, f"stacks/rules-{stack}.json"), "w") as out:
            json.dump({"Targets": {"Accounts": ["*"], "Regions": ["eu-west-1", "us-east-1"]}, "Resources": rules}, out)
    run(os.path.join(BUILD, "muster"), "-C", directory, "plan", "--no-refresh", "--out", plan, stderr=subprocess.DEVNULL)
    out, *_ = run(os.path.join(BUILD, "driver/bench/render"), plan)
    shown = json.loads(out)
    print(f"{'... 2,000 groups rendered':34} {shown['wall']:6.2f} s wall {shown['cpu']:6.2f} s CPU: {shown['changes']} changes "
          f"in {shown['lines']} lines")


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
    many_groups(work)
    planned("state verify", "state", "verify")


with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("BENCH_DIR", BUILD)) as place:
    costs = creations(place)
    whole_commands(place, costs)
    fleet(place)
