"""What the tests of this folder share: a sandbox that can be put back, muster killed at a boundary (stop.c), and the
comparison of what the sandbox holds with what the state says."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("MUSTER_BUILD", "build")).resolve()
MUSTER, SANDBOX, STOP = BUILD / "muster", BUILD / "muster-sandbox", BUILD / "kill/stop.so"
KILLED = -signal.SIGKILL
# What is killed is the process, so what it wrote need not reach a disk; that it is synced, stop.c watches.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ else None
ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": os.environ.get("TMPDIR", "/tmp"), "NO_COLOR": "1",
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_ACCESS_KEY_ID": "AKIASANDBOX", "AWS_SECRET_ACCESS_KEY": "sandbox-secret",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.com",
}


class Tap:
    def __init__(self):
        self.count = self.failed = 0
        self.lock = threading.Lock()

    def ok(self, good, name, *notes):
        with self.lock:
            self.count += 1
            self.failed += not good
            print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
            if not good:
                lines = [line for note in notes for line in str(note).splitlines()]
                print("\n".join("# " + line for line in lines[:60]), flush=True)

    def done(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


class Sandbox:
    """One sandbox process. Its world can be saved under a name and put back."""

    def __init__(self, roster, *options):
        self.process = subprocess.Popen([SANDBOX, "--port", "0", "--roster", roster, *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise SystemExit("Bail out! the sandbox did not start")
        self.connection = http.client.HTTPConnection(self.url.split("//")[1], timeout=60)

    def ask(self, method, path, body=None):
        self.connection.request(method, "/_sandbox/" + path, body=None if body is None else json.dumps(body))
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the sandbox answers {answer.status} to {path}")
        return json.loads(text)

    def dump(self):
        return self.ask("GET", "dump")

    def post(self, path, body=None):
        return self.ask("POST", path, {} if body is None else body)

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __str__(self):
        return f"status {self.status}\n{self.out[-3000:]}\n{self.err[-3000:]}"

    def events(self, kind):
        found = []
        for line in self.out.splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if event.get("type") == kind:
                    found.append(event)
        return found


class Fleet:
    """Specs, their state, and the sandbox that they go to."""

    def __init__(self, sandbox, state, types=None):
        self.sandbox, self.state = sandbox, pathlib.Path(state)
        self.environment = dict(ENVIRONMENT, AWS_ENDPOINT_URL=sandbox.url)
        if types is not None:
            self.environment["MUSTER_TYPES_PATH"] = str(types)

    def command(self, specs, *words):
        return [MUSTER, "-C", specs, *words]

    def run(self, specs, *words, kill_at=None, fail_at=None, fault=None, boundaries=None, timeout=120):
        """Runs muster; killed at a boundary, with the commit failed that is there, or with the names of all that it came
        by gathered in a list. `fault`: one that stop.c makes itself."""
        environment, log = dict(self.environment), None
        for name, value in (("KILL_AT", kill_at), ("FAIL_AT", fail_at), ("KILL_FAULT", fault)):
            if value is not None:
                environment.update({"LD_PRELOAD": str(STOP), "MUSTER_" + name: str(value)})
        if boundaries is not None:
            log = self.state.with_name(self.state.name + ".boundaries")
            log.unlink(missing_ok=True)
            environment.update(LD_PRELOAD=str(STOP), MUSTER_KILL_COUNT=str(log))
        done = subprocess.run(self.command(specs, *words), env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)
        if log is not None:
            boundaries.extend(log.read_text().split())
        return Result(done.returncode, done.stdout, done.stderr)

    def save(self, name):
        self.sandbox.post("save/" + name)
        shutil.rmtree(self.state.with_name(self.state.name + "." + name), ignore_errors=True)
        if self.state.exists():
            shutil.copytree(self.state, self.state.with_name(self.state.name + "." + name))

    def restore(self, name, state=None):
        """With `state` that one's state: the world has more than its records say, or less."""
        saved = self.state.with_name(self.state.name + "." + (state or name))
        self.sandbox.post("restore/" + name)
        shutil.rmtree(self.state, ignore_errors=True)
        if saved.exists():
            shutil.copytree(saved, self.state, ignore=shutil.ignore_patterns("lock*"))

    def records(self, specs):
        """address -> record, of all that is recorded."""
        exported = self.run(specs, "state", "export")
        return json.loads(exported.out)["Resources"] if exported.status == 0 else {"cannot be read": {"Why": str(exported)}}


def commit(directory, message):
    git = ["git", "-C", directory]
    if not (pathlib.Path(directory) / ".git").exists():
        subprocess.run(["git", "init", "-q", "-b", "main", directory], env=ENVIRONMENT, check=True)
    subprocess.run([*git, "add", "-A"], env=ENVIRONMENT, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], env=ENVIRONMENT, check=True)


def unsettled_types(directory):
    """The shipped types without settle times: the sandbox shows at once what it holds, so absence counts at once."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "providers/aws/types").glob("*.json"):
        document = json.loads(file.read_text())
        document.pop("SettleSeconds", None)
        (directory / file.name).write_text(json.dumps(document))
    return directory


# -- What is the same in two runs --------------------------------------------------------------------------------------

# What may differ in the world, by service: when it was. All else has to be the same. A * is any one name; with a ? it may
# also be missing: that something was ever stopped is history.
DIFFERS = {
    "access-analyzer": ["Analyzers/*/CreatedMs"],
    "cloudtrail": ["Trails/*/StartedMs", "Trails/*/StoppedMs?"],
    "config": ["Aggregators/*/CreatedMs", "Aggregators/*/UpdatedMs", "Authorizations/*/CreatedMs", "Recorders/*/StartedMs",
               "Recorders/*/StoppedMs?", "Rules/*/EvaluatedMs"],
    "events": ["Buses/*/CreatedMs"],
    "guardduty": ["Detectors/*/CreatedMs", "Detectors/*/UpdatedMs"],
    "iam": ["ManagedPolicies/*/CreateMs", "ManagedPolicies/*/UpdateMs", "ManagedPolicies/*/Versions/*/CreateMs",
            "Roles/*/CreateMs"],
    "kms": ["Aliases/*/CreatedMs", "Aliases/*/UpdatedMs", "Keys/*/CreatedMs", "Keys/*/DeletionMs", "Keys/*/RotationMs"],
    "lambda": ["Functions/*/ChangedMs", "Functions/*/CreatedMs", "Functions/*/RevisionId"],
    "logs": ["Groups/*/creationTime"],
    "monitoring": ["Alarms/*/StateMs", "Alarms/*/UpdatedMs"],
    "s3": ["Buckets/*/CreatedMs"],
    "securityhub": ["Hub/SubscribedMs"],
    "sqs": ["Queues/*/CreatedMs", "Queues/*/ModifiedMs"],
    "ssm": ["Parameters/*/ModifiedMs"],
}
# Lists that have no order: they are in the one in which things came.
UNORDERED = {
    "events": ["Buses/*/Rules/*/Targets"],
    "lambda": ["Functions/*/Policy/Statement"],
}
# What may differ in the attributes of a record, by type: when it was, and what depends on when it was read.
DIFFERS_RECORDED = {
    "AWS::IAM::ManagedPolicy": ["AttachmentCount", "CreateDate", "UpdateDate"],
}
# What a generated name ends with.
GENERATED = re.compile(r"-[0-9a-z]{12}$")


def mask(value, path):
    """Writes over what is at this path, where there is something: that it is there still counts, but for a ?."""
    if not path or not isinstance(value, dict):
        return
    for key in list(value) if path[0] == "*" else [path[0].rstrip("?")]:
        if len(path) > 1:
            mask(value.get(key), path[1:])
        elif path[0].endswith("?"):
            value.pop(key, None)
        elif key in value:
            value[key] = "<differs>"


def ordered(value, path):
    """Sorts the lists at this path."""
    if not isinstance(value, dict):
        return
    for key in list(value) if path[0] == "*" else [path[0]]:
        if len(path) > 1:
            ordered(value.get(key), path[1:])
        elif isinstance(value.get(key), list):
            value[key].sort(key=lambda item: json.dumps(item, sort_keys=True))


def each_path(dump, by_service, take):
    for regions in dump.values():
        for services in regions.values():
            for service, paths in by_service.items():
                for path in paths if isinstance(services, dict) else []:
                    take(services.get(service), path.split("/"))


def masked(dump, records):
    """Both without what may differ."""
    dump, records = json.loads(json.dumps([dump, records]))
    each_path(dump, DIFFERS, mask)
    for record in records.values():
        # How often it was begun with, and by which run: not what it is.
        for key in ("Generation", "Incarnation"):
            record.pop(key, None)
        for name in DIFFERS_RECORDED.get(record.get("Type"), []):
            mask(record.get("Attributes"), [name])
    return {"Sandbox": dump, "Records": records}


def texts(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def named(records):
    """What stands for ids and generated names: each text of an attribute, and each generated name, -> where it is
    recorded."""
    names = {}
    for address, record in sorted(records.items()):
        for name, value in sorted((record.get("Attributes") or {}).items()):
            for i, word in enumerate(texts(value)):
                if len(word) >= 8 and re.search("[0-9-]|[A-Z]{12}", word) and not word.startswith("muster-"):
                    names.setdefault(word, f"<{address} {name} {i}>")
        for name, value in sorted((record.get("Properties") or {}).items()):
            if isinstance(value, str) and GENERATED.search(value):
                names.setdefault(value, f"<{address} {name}>")
    return names


def without(value, gone):
    """Without the members for which `gone` holds, at any depth, and without what is empty then."""
    if isinstance(value, dict):
        kept = {key: without(item, gone) for key, item in value.items() if not gone(item)}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    return value


def picture(dump, records, known=None):
    """The world and the records as lines, with each id that a record knows named by its address and attribute: two
    runs that made the same things have the same picture, whatever ids the service gave. An id that no record knows
    stays, and shows. `known`: the attributes to look at, by address; a read learns more than a create."""
    records = {a: {**r, "Attributes": {k: v for k, v in (r.get("Attributes") or {}).items()
                                       if known is None or k in known.get(a, {})}} for a, r in records.items()}
    text, names = json.dumps(masked(dump, records)), named(records)
    for word in sorted(names, key=len, reverse=True):
        text = text.replace(json.dumps(word)[1:-1], names[word])
    text = re.sub(r"muster-[0-9a-f]{32}", "muster-TOKEN", text)
    text = re.sub(r"sgr-[0-9a-f]{17}", "sgr-ID", text)
    text = re.sub(r"(:configuration-recorder/[^/]+)/[0-9a-z]{16}", r"\1/ID", text)
    text = re.sub(r'("muster:token": )"[0-9a-f]{32}"', r'\1"TOKEN"', text)
    text = re.sub(r'("TagValue": )"[0-9a-f]{32}"', r'\1"TOKEN"', text)
    both = json.loads(text)
    each_path(both["Sandbox"], UNORDERED, ordered)
    return json.dumps(both, sort_keys=True, indent=1).splitlines()
