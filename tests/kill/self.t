#!/usr/bin/env python3
"""That the tests of this folder can fail: faults that stop.c makes are noticed, and worlds that differ have pictures that
differ. TAP."""
import json
import pathlib
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import killing  # noqa: E402

ACCOUNT = "111111111111"
FAULTS = {
    "nosync": "LMDB was told not to sync",
    "nometasync": "LMDB was told not to sync",
    "skipsync": "before its pages are synced",
    "plainmeta": "what it wrote is not synced",
    "early": "leaves while a transaction that writes is open",
}
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["sns:Publish", "sns:Subscribe"], "Principal": {"AWS": ACCOUNT}, "Resource": "*"},
    {"Effect": "Allow", "Action": "sns:ListTopics", "Principal": {"AWS": ACCOUNT}, "Resource": "*"}]}


def write_specs(directory, state):
    (directory / "stacks").mkdir(parents=True)
    (directory / "muster.json").write_text(json.dumps({
        "Version": 1, "HomeRegion": "eu-west-1", "Lineage": "01KILLEDSELF0000000000000A",
        "Access": {"Chain": [], "Role": None}, "State": {"Path": str(state)}}))
    (directory / "accounts.json").write_text(json.dumps({"Accounts": [
        {"Name": "security", "Id": ACCOUNT, "Tags": ["security"]}]}))
    (directory / "stacks/things.json").write_text(json.dumps({
        "Targets": {"Accounts": ["security"], "Regions": ["home"]},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "Topic": {"Type": "AWS::SNS::Topic"}}}))
    killing.commit(str(directory), "things")


def notices(tap, fleet, specs):
    apply = ("apply", "--auto-approve", "--json")
    fleet.save("nothing")
    boundaries = []
    whole = fleet.run(specs, *apply, boundaries=boundaries)
    tap.ok(whole.status == 0 and {"commit", "committed", "send", "answer"} == set(boundaries),
           "with nothing amiss an apply comes to its end, by boundaries of every kind", whole, boundaries)
    for fault, message in FAULTS.items():
        fleet.restore("nothing")
        done = fleet.run(specs, *apply, fault=fault)
        tap.ok(done.status == -signal.SIGABRT and message in done.err, f"{fault} is noticed", done)
    fleet.restore("nothing")
    done = fleet.run(specs, *apply, fail_at=1 + boundaries.index("commit"))
    tap.ok(done.status == 1 and "No space left on device" in done.err, "a commit can be made to fail", done)
    fleet.restore("nothing")
    done = fleet.run(specs, *apply, kill_at=10 * len(boundaries))
    tap.ok(done.status == 0, "a boundary that does not come kills nothing", done)
    done = fleet.run(specs, "apply", "--destroy", "--auto-approve", kill_at=1)
    tap.ok(done.status == killing.KILLED, "one that comes does", done)


def world():
    """(a dump, records)"""
    return ({ACCOUNT: {"eu-west-1": {
        "lambda": {"Functions": {"chat": {"Version": "$LATEST", "RevisionId": "a", "CreatedMs": 1, "Policy": POLICY}}},
        "sqs": {"Queues": {"a": {"CreatedMs": 1, "ModifiedMs": 1, "Attributes": {}}}}}}},
            {"security/eu-west-1/things/Role": {
                "Type": "AWS::IAM::Role", "Generation": 1, "Properties": {"AssumeRolePolicyDocument": POLICY},
                "Attributes": {"Arn": "arn:aws:iam::111111111111:role/a"}}})


def shows(tap, name, change, differs=True):
    before, after = world(), json.loads(json.dumps(world()))
    change(after[0][ACCOUNT]["eu-west-1"], after[1]["security/eu-west-1/things/Role"])
    tap.ok((killing.picture(*before) != killing.picture(*after)) == differs,
           f"{name} {'shows' if differs else 'does not count'}")


def pictures(tap):
    function = lambda world: world["lambda"]["Functions"]["chat"]  # noqa: E731
    shows(tap, "the version of a policy's language", lambda w, r: function(w)["Policy"].update(Version="2008-10-17"))
    shows(tap, "a version of a function", lambda w, r: function(w).update(Version="1"))
    shows(tap, "the order of a list", lambda w, r: function(w)["Policy"]["Statement"][0]["Action"].reverse())
    shows(tap, "the order of permissions, which has no meaning,",
          lambda w, r: function(w)["Policy"]["Statement"].reverse(), False)
    shows(tap, "a property in a record", lambda w, r: r["Properties"].update(Path="/"))
    shows(tap, "the version of a policy in a record",
          lambda w, r: r["Properties"]["AssumeRolePolicyDocument"].update(Version="2008-10-17"))
    shows(tap, "a time that is gone", lambda w, r: w["sqs"]["Queues"]["a"].pop("ModifiedMs"))
    shows(tap, "a time where none is known to differ", lambda w, r: w["sqs"].update(CreatedMs=1))
    shows(tap, "another time", lambda w, r: w["sqs"]["Queues"]["a"].update(ModifiedMs=2), False)
    shows(tap, "the run that recorded it", lambda w, r: r.update(Generation=2), False)


def main():
    tap = killing.Tap()
    with tempfile.TemporaryDirectory(prefix="muster-kill.", dir=killing.SCRATCH) as name:
        directory = pathlib.Path(name)
        roster = directory / "accounts.json"
        roster.write_text(json.dumps({
            "Accounts": [{"Name": "security", "Id": ACCOUNT, "Tags": ["security"], "Access": {"Role": None}}],
            "Sandbox": {"Credentials": [{"AccessKeyId": "AKIASANDBOX", "SecretAccessKey": "sandbox-secret",
                                         "Account": ACCOUNT, "User": "test"}]}}))
        sandbox = killing.Sandbox(str(roster))
        try:
            fleet = killing.Fleet(sandbox, directory / "state", killing.unsettled_types(directory / "types"))
            write_specs(directory / "specs", fleet.state)
            notices(tap, fleet, str(directory / "specs"))
        finally:
            sandbox.stop()
    pictures(tap)
    return tap.done()


sys.exit(main())
