#!/usr/bin/env python3
"""Every resource type, killed at every boundary (stop.c) of its create, of each update and replacement, and of its
delete. TAP.

Each step starts from a saved world and state, is cut off at one boundary, planned, and applied again. Then the sandbox
and the records must be what they are after a run that nobody disturbed (killing.picture), with no intent open and
nothing left to plan. Where something was left open, the recovery is killed at its boundaries too.

Where a commit lets a call go, the same with a commit that fails, and a kill soon after: the call must not have gone.

Without MUSTER_KILLS, one in three boundaries of creates and deletes, and one in five of all else. MUSTER_KILLS=TYPE: every one,
of types that have this in their names. MUSTER_KILLS=all: every one, also where nothing was written yet, and of
recoveries."""
import difflib
import json
import os
import pathlib
import queue
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import killing  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CASES = json.loads((HERE.parent / "e2e/types_cases.json").read_text())
OURS = json.loads((HERE / "cases.json").read_text())
KILLS = os.environ.get("MUSTER_KILLS", "")
ACCOUNT, REGION = "111111111111", "eu-west-1"
RECOVERY_STEP = 7  # in a quick run, of the boundaries of a recovery one in so many
# ... of creates and deletes, and of updates, replacements, adoptions and what belongs together: not divisors of how many
# kinds of boundary there are, so that all kinds come.
STEP_ENDS, STEP = 3, 5
LATE, LATE_TRIES, LATE_MAX = "its last boundaries did not come", 3, 4
PLAN_STEP = 4      # ... and plans are made around the apply at one boundary in so many
# Some of the time goes in waiting for what services take their time for.
WORKERS = int(os.environ.get("MUSTER_KILL_WORKERS", "0")) or 2 * (os.cpu_count() or 2)


# -- Cases as stacks ---------------------------------------------------------------------------------------------------

def logical(case):
    return case["As"] if "As" in case else case["Type"].split("::", 1)[1].replace("::", "")


def filled(value):
    """A case's "@name.Attribute" as a reference; ACCOUNT and REGION in texts."""
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        return {"Fn::GetAtt": value[1:].split(".", 1)}
    if isinstance(value, str) and value != "ACCOUNT":
        return value.replace("ACCOUNT", ACCOUNT).replace("REGION", REGION)
    return value


def references(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, str) and value.startswith("@"):
        yield value[1:].split(".", 1)[0]


def needed(case):
    """Cases that must be there before this one, in order."""
    names = list(OURS["Needs"].get(case["Type"], [])) + sorted(set(references(case)))
    found = []
    for name in names:
        other = next(c for c in CASES if name in (c.get("As"), c["Type"]))
        found += [c for c in needed(other) + [other] if c not in found]
    return [c for i, c in enumerate(found) if c not in found[:i]]


def resource(case, properties):
    depends = sorted({logical(c) for c in needed(case)} - set(references(properties)))
    return {"Type": case["Type"], "Properties": filled(properties), **({"DependsOn": depends} if depends else {})}


class Job:
    """What is there before, and the steps: (name, the stack's resources after it). `single`: of one resource. `adopts`:
    what the first step makes is taken over, too. A key has nothing that it could be known by."""

    def __init__(self, name, base, steps, single=True):
        self.name, self.base, self.steps, self.single = name, base, steps, single
        self.adopts = not any(r["Type"] == "AWS::KMS::Key" for key, r in steps[0][1].items() if key not in base)


def elsewhere(case):
    """Policies for a role that has none of its own: a role that says which it has takes others off."""
    if case["Type"] not in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
        return case
    return json.loads(json.dumps(case).replace('"config-recorder"', '"chat-function"'))


def job_of_case(case, name):
    case = elsewhere(case)
    base = {logical(c): resource(c, c["Properties"]) for c in needed(case)}
    properties = case["Properties"]
    steps = [("create", properties)]
    for kind, changes in (("update", case.get("Update", [])), ("replace", OURS["More"].get(case["Type"], []))):
        for i, change in enumerate(changes):
            properties = {k: v for k, v in {**properties, **change}.items() if v is not None}
            steps.append((f"{kind} {i + 1}", properties))
    stacks = [(step, {**base, "Case": resource(case, p)}) for step, p in steps]
    return Job(name, base, stacks + [("delete", base)])


def jobs_all():
    jobs, seen = [], {}
    for case in CASES:
        seen[case["Type"]] = seen.get(case["Type"], 0) + 1
        again = f" ({seen[case['Type']]})" if seen[case["Type"]] > 1 else ""
        jobs.append(job_of_case(case, case["Type"] + again))
    for together in OURS["Together"]:
        jobs.append(Job(together["Name"], together["Base"],
                        [(s["Name"], {**together["Base"], **s["Resources"]}) for s in together["Steps"]], False))
    if KILLS not in ("", "all"):
        jobs = [job for job in jobs if KILLS in job.name]
    # The long ones first, so that the workers end together.
    return sorted(jobs, key=lambda job: -len(job.steps))


# -- Killing -----------------------------------------------------------------------------------------------------------

class Runner:
    def __init__(self, tap, job, directory, sandbox, types):
        self.tap, self.job, self.directory = tap, job, directory
        self.fleet = killing.Fleet(sandbox, directory / "state", types)
        self.kills, self.words = 0, ()

    def write_specs(self):
        settings = {"Version": 1, "HomeRegion": REGION, "Lineage": "01KILLEDTYPES000000000000A",
                    "Access": {"Chain": [], "Role": None}, "State": {"Path": str(self.fleet.state)}}
        roster = {"Accounts": [{"Name": "security", "Id": ACCOUNT, "Tags": ["security"]}]}
        for i, (_, resources) in enumerate([("base", self.job.base)] + self.job.steps):
            specs = self.directory / "specs" / str(i)
            (specs / "stacks").mkdir(parents=True)
            (specs / "muster.json").write_text(json.dumps(settings))
            (specs / "accounts.json").write_text(json.dumps(roster))
            if resources:
                (specs / "stacks/things.json").write_text(json.dumps(
                    {"Targets": {"Accounts": ["security"], "Regions": ["home"]}, "Resources": resources}))
        killing.commit(str(self.directory / "specs"), self.job.name)

    def specs(self, number):
        return str(self.directory / "specs" / str(number))

    def apply(self, specs, **how):
        return self.fleet.run(specs, "apply", "--auto-approve", "--json", *self.words, **how)

    def picture(self, specs, known=None):
        """(the picture of the world and of every record, the attributes known by address)"""
        records = self.fleet.records(specs)
        return (killing.picture(self.fleet.sandbox.dump(), records, known),
                {address: record.get("Attributes") or {} for address, record in records.items()})

    def kill(self, specs, at, restore=None):
        """An apply that is killed at a boundary: None, or what is wrong. How many boundaries a run comes by hangs on what
        answers together, so the last ones may not come: then it is tried again, and LATE is the answer in the end."""
        for _ in range(LATE_TRIES):
            if restore is not None:
                self.fleet.restore(restore)
            came = []
            done = self.apply(specs, kill_at=at, boundaries=came)
            if done.status == killing.KILLED:
                self.kills += 1
                return None
            if done.status != 0 or len(came) >= at:
                return f"not killed, but {done}"
            if restore is None:
                break
        return LATE

    def look(self, specs):
        """A plan after a kill: (the addresses that it says are open, what is wrong or None)."""
        fleet, sandbox = self.fleet, self.fleet.sandbox
        before = sandbox.dump()
        data = (fleet.state / "data.mdb").read_bytes() if (fleet.state / "data.mdb").exists() else b""
        planned = fleet.run(specs, "plan", "--json", *self.words)
        if planned.status != 0:
            return [], f"the plan fails: {planned}"
        if sandbox.dump() != before or (data and (fleet.state / "data.mdb").read_bytes() != data):
            return [], "the plan changed something"
        noted = sorted(n["subject"] for n in json.loads(planned.out)["muster"].get("notes", []) if n["kind"] == "open_intent")
        return noted, None

    def recover(self, specs, wanted, recovery_kill=None, gather=None):
        """Plan and apply after a kill; what is wrong afterwards, or None. With `recovery_kill` the first of the
        applies is killed too. `gather` takes the boundaries of the apply where something was open; without it no plan
        is made before and after."""
        noted, problem = self.look(specs) if gather is not None else ([], None)
        if problem is not None:
            return problem
        if recovery_kill is not None:
            problem = self.kill(specs, recovery_kill)
            if problem is not None:
                return problem if problem == LATE else f"the run that settles it: {problem}"
        boundaries = [] if gather is not None and noted else None
        applied = self.apply(specs, boundaries=boundaries)
        if boundaries is not None:
            gather.append(len(boundaries))
        if applied.status != 0:
            return f"the next apply fails: {applied}"
        told = sorted(event["address"] for event in applied.events("recovered"))
        if gather is not None and told != noted:
            return f"the plan noted {noted}, the apply recovered {told}"
        if gather is not None:
            quiet = self.fleet.run(specs, "plan", "--detailed-exitcode", "--json")
            notes = json.loads(quiet.out)["muster"].get("notes", []) if quiet.status == 0 else []
            if quiet.status != 0 or any(n["kind"] == "open_intent" for n in notes):
                return f"there is still something to do: {quiet}"
        lines, known = wanted
        got, _ = self.picture(specs, known)
        if got != lines:
            changes = [line for line in difflib.unified_diff(lines, got, "wanted", "got", "", "", 2, "")]
            told = [f"{event['address']}: {event['what']}" for event in applied.events("recovered")]
            return "\n".join(told + changes)
        return None

    def kill_recovery(self, specs, before, wanted, opened):
        """The run after the one that was cut off is cut off too. `opened`: (boundary of the first, boundaries of the
        second) where the first left something open."""
        wrong = []
        step = 1 if KILLS == "all" else RECOVERY_STEP
        if KILLS == "all":
            opened = opened[:1] + opened[1:][-1:]
        for at, count in opened[len(opened) // 2:][:1] if step > 1 else opened:
            late = 0
            for again in range(1 + at % step, count + 1, step):
                problem = self.kill(specs, at, before) or self.recover(specs, wanted, recovery_kill=again)
                late += problem == LATE
                if problem not in (None, LATE):
                    wrong.append(f"at {at}, and the next run at {again}: {problem}")
            if late > LATE_MAX:
                wrong.append(f"{late} times the run that settles what {at} left was not killed")
        return wrong

    def fail_commits(self, specs, before, wanted, boundaries):
        """A disk that is full where a commit lets a call go, and a kill after the answer that must not come for it: nothing
        has happened that the next run does not know."""
        wrong, full = [], "No space left on device"
        commits = [i for i, three in enumerate(zip(boundaries, boundaries[1:], boundaries[2:]), 1)
                   if three == ("commit", "committed", "send")]
        for at in commits if KILLS != "" else commits[-1:]:
            self.fleet.restore(before)
            failed = self.apply(specs, fail_at=at, kill_at=at + 2)
            if failed.status != killing.KILLED and (failed.status not in (0, 1) or full not in failed.err):
                wrong.append(f"the commit at {at} fails: {failed}")
                continue
            problem = self.recover(specs, wanted)
            if problem is not None:
                wrong.append(f"after the commit at {at} failed: {problem}")
        return wrong

    def boundaries(self, number, first, last):
        if KILLS == "all":
            return range(1, last + 1)
        if KILLS != "":
            return range(first, last + 1)
        # Each type begins elsewhere, so that all of them together come by all.
        step = STEP_ENDS if self.job.single and not self.words and number in (1, len(self.job.steps)) else STEP
        return range(first + (number + len(self.job.name)) % step, last + 1, step)

    def step(self, number):
        """(boundaries, what is wrong by boundary)"""
        specs, before, boundaries, wrong, opened, late = self.specs(number), f"before-{number}", [], [], [], 0
        self.fleet.save(before)
        applied = self.apply(specs, boundaries=boundaries)
        if applied.status != 0:
            return None, [f"undisturbed, it fails: {applied}"]
        quiet = self.fleet.run(specs, "plan", "--detailed-exitcode")
        if quiet.status != 0:
            return None, [f"undisturbed, it is not quiet: {quiet}"]
        wanted = self.picture(specs)
        self.fleet.save(f"after-{number}")
        first = boundaries.index("commit") if "commit" in boundaries else 0
        for at in self.boundaries(number, max(1, first), len(boundaries)):
            problem = self.kill(specs, at, before)
            late += problem == LATE
            if problem is not None:
                wrong += [] if problem == LATE else [f"at {at} ({boundaries[at - 1]}): {problem}"]
                continue
            gather = [] if KILLS != "" or at % PLAN_STEP == 0 else None
            problem = self.recover(specs, wanted, gather=gather)
            if problem is not None:
                wrong.append(f"at {at} ({boundaries[at - 1]}): {problem}")
            elif gather:
                opened.append((at, gather[0]))
        if late > LATE_MAX:
            wrong.append(f"{late} of {len(boundaries)} boundaries never came")
        wrong += self.kill_recovery(specs, before, wanted, opened)
        if KILLS != "" or number in (1, len(self.job.steps)):
            wrong += self.fail_commits(specs, before, wanted, boundaries)
        self.fleet.restore(f"after-{number}")
        if number == 1 and not self.words:
            self.fleet.save("made")
        return len(boundaries), wrong

    def run(self):
        self.fleet.sandbox.post("reset")
        self.write_specs()
        based = self.apply(self.specs(0)) if self.job.base else killing.Result(0, "", "")
        self.tap.ok(based.status == 0, f"{self.job.name}: what it needs is made", based)
        if based.status != 0:
            return
        for number in range(1, len(self.job.steps) + 1):
            started = time.monotonic()
            count, wrong = self.step(number)
            self.tell(self.job.steps[number - 1][0], count, wrong, started)
            if count is None:
                return
            if number == 1 and self.job.adopts:
                self.adopt()

    def tell(self, name, count, wrong, started):
        took = time.monotonic() - started
        self.tap.ok(not wrong, f"{self.job.name}: {name}, killed at {count} boundaries in {took:.1f} s", *wrong)

    def adopt(self):
        """What the first step made, taken over by a state that does not know of it."""
        started = time.monotonic()
        self.fleet.restore("after-1", "before-1")
        self.words = ("--adopt", "*")
        self.tell("adopt", *self.step(1), started)
        self.words = ()
        self.fleet.restore("made")


def worker(tap, jobs, directory, roster, types, totals):
    sandbox = killing.Sandbox(roster)
    try:
        while True:
            try:
                number, job = jobs.get_nowait()
            except queue.Empty:
                return
            runner = Runner(tap, job, directory / f"job-{number}", sandbox, types)
            runner.directory.mkdir()
            try:
                runner.run()
            except Exception as error:  # a harness that breaks is a test that failed
                tap.ok(False, f"{job.name}: {error!r}")
            totals.append(runner.kills)
    finally:
        sandbox.stop()


def main():
    tap, jobs, totals = killing.Tap(), queue.Queue(), []
    for numbered in enumerate(jobs_all()):
        jobs.put(numbered)
    with tempfile.TemporaryDirectory(prefix="muster-kill.", dir=killing.SCRATCH) as name:
        directory = pathlib.Path(name)
        roster = directory / "accounts.json"
        roster.write_text(json.dumps({
            "Accounts": [{"Name": "security", "Id": ACCOUNT, "Tags": ["security"], "Access": {"Role": None}}],
            "Sandbox": {"Credentials": [{"AccessKeyId": "AKIASANDBOX", "SecretAccessKey": "sandbox-secret",
                                         "Account": ACCOUNT, "User": "test"}]}}))
        types = killing.unsettled_types(directory / "types")
        threads = [threading.Thread(target=worker, args=(tap, jobs, directory, str(roster), types, totals))
                   for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"# killed {sum(totals)} times")
    return tap.done()


sys.exit(main())
