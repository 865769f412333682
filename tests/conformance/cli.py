#!/usr/bin/env python3
"""The AWS CLI, unmodified, against the sandbox: every operation that a type file or the engine uses. Prints TAP.

`cli.py` starts the sandbox of $MUSTER_BUILD (default: build); `cli.py URL` takes a server that is there. The cases are
in cli_cases.py, one function a service, each in a process of its own. A command runs through the CLI's own driver in
this process, which saves 0.6 s of Python's start each; a few run as the program `aws`, to see that it is the same.
Fails too where an operation in use has no case, or one that AWS gives in pages was not read in pages."""

import contextlib
import fnmatch
import io
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path = [p for p in sys.path if os.path.realpath(p or ".") != HERE]
try:
    import botocore.session
    from awscli.clidriver import create_clidriver
    from botocore import xform_name
except ImportError:
    print("1..0 # SKIP the AWS CLI (Python package awscli) is not installed")
    sys.exit(0)
sys.path.append(HERE)

# The command of a service, where it is not the service's name.
COMMANDS = {"s3": "s3api", "config": "configservice"}
# Operations of the engine that the sandbox leaves out, with the reason.
LEFT_OUT = {
    "sso:GetRoleCredentials": "the portal of IAM Identity Center; tests/unit/test_aws_credentials.c plays it",
}
# The roster for the sandbox.
ROSTER = {"Accounts": [
    {"Name": "security", "Id": "111111111111", "Tags": ["security"], "Access": {"Role": None}},
    {"Name": "app", "Id": "333333333333", "Tags": ["project"]}],
    "Sandbox": {"Roles": [{"Account": "333333333333", "Name": "ci", "Trust": ["web-identity"]}]}}
SECURITY, APP = "111111111111", "333333333333"
JUMP = {"AccessKeyId": "AKIASANDBOX", "SecretAccessKey": "sandbox-secret"}
# Not in the services' models, but in "Common errors" and "Error codes" of their documentation.
COMMON = {"AccessDenied", "AccessDeniedException", "AuthFailure", "ValidationException", "ValidationError"}
# The CLI asks SQS for the codes that it had in the query protocol (x-amzn-query-mode), which its model lacks.
QUERY_CODES = {"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist"}


class Refused(Exception):
    """What the CLI said instead of an answer."""

    def __init__(self, text):
        super().__init__(text.strip())
        found = re.search(r"An error occurred \(([^)]*)\)", text)
        self.code = found.group(1) if found else None


class Cli:
    """One service's cases: calls, what they showed, and what was seen of operations, pages and errors."""

    def __init__(self, url, service, keys, region="eu-west-1"):
        self.url, self.service, self.keys, self.region = url, service, keys, region
        self.results, self.done, self.paged, self.errors = [], set(), set(), set()
        self.models = {}

    def ok(self, good, what, detail=""):
        self.results.append((bool(good), what, str(detail)))

    def same(self, got, wanted, what):
        self.ok(got == wanted, what, f"got {got!r}, wanted {wanted!r}")

    def environment(self, keys):
        keys = keys or self.keys
        with_token = {"AWS_SESSION_TOKEN": keys["SessionToken"]} if "SessionToken" in keys else {}
        clean = {k: v for k, v in os.environ.items()
                 if k == "AWS_DATA_PATH" or not k.startswith("AWS_") and "proxy" not in k.lower()}
        return {**clean, "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1",
                "AWS_PAGER": "", **with_token}

    def model(self, service, command):
        """The model of the operation behind a command."""
        if service not in self.models:
            model = botocore.session.get_session().get_service_model(service)
            self.models[service] = {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}
        return self.models[service][command]

    def words(self, command, options=None, service=None, region=None):
        service = service or self.service
        # Without --endpoint-url the CLI sends SQS to AWS, whatever AWS_ENDPOINT_URL says; with it, IAM is signed for
        # the region that was asked for, and IAM takes one only.
        region = region or ("us-east-1" if service == "iam" else self.region)
        words = [COMMANDS.get(service, service), command, "--region", region, "--endpoint-url", self.url, "--output", "json"]
        for name, value in (options or {}).items():
            option = "--" + name.replace("_", "-")
            if value is True or value is False:
                words.append(option if value else "--no-" + option[2:])
            else:
                words += [option, json.dumps(value) if isinstance(value, (dict, list)) else str(value)]
        return words

    def run(self, words, keys=None):
        """`aws WORDS...`: its standard output."""
        out, err = io.StringIO(), io.StringIO()
        before, during = dict(os.environ), self.environment(keys)
        os.environ.clear()
        os.environ.update(during)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = create_clidriver().main(words)
        except SystemExit as stopped:
            status = stopped.code
        finally:
            os.environ.clear()
            os.environ.update(before)
        if status != 0:
            raise Refused(err.getvalue() or f"status {status}")
        return out.getvalue()

    def __call__(self, command, keys=None, service=None, region=None, **options):
        """`aws SERVICE COMMAND --options`: its answer. It must succeed."""
        text = self.run(self.words(command, options, service, region), keys)
        service = service or self.service
        self.done.add((service, self.model(service, command).name))
        return json.loads(text) if text.strip() else {}

    def program(self, command, **options):
        """The same through the program `aws`."""
        done = subprocess.run(["aws", *self.words(command, options)], env=self.environment(None), capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise Refused(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def refused(self, code, command, what, keys=None, **options):
        """It must fail with this code, and the code must be one that AWS documents for it."""
        from handlers import DOCUMENTED
        model = self.model(self.service, command)
        known = {e.error_code for e in model.error_shapes} | {e.name for e in model.error_shapes}
        known |= {(e.metadata.get("error") or {}).get("code") for e in model.error_shapes}
        known |= DOCUMENTED.get(self.service, set())
        documented = QUERY_CODES.get(code, code) in known | COMMON
        if QUERY_CODES.get(code, code) in known:
            self.errors.add((self.service, code))
        try:
            self.run(self.words(command, options), keys)
            self.ok(False, what, "it succeeded")
        except Refused as refused:
            self.ok(refused.code == code and documented, f"{what}: {code}",
                    refused if documented else f"{code} is not documented for {model.name}")

    def calls(self, operation):
        """How many requests the sandbox got for an operation; another server does not tell."""
        try:
            with urllib.request.urlopen(self.url + "/_sandbox/stats") as answer:
                called = json.load(answer)["Operation"]
            name = botocore.session.get_session().get_service_model(self.service).endpoint_prefix
            return called.get(f"{self.service}:{operation}", 0) + (called.get(f"{name}:{operation}", 0) if name != self.service else 0)
        except urllib.error.HTTPError:
            return float("nan")

    def pages(self, command, key, least=2, limit=1, **options):
        """Reads a list at once, in pages of the service, and item by item; gives it.

        `least` requests must be sent for pages of `limit`: 1 where AWS has at most one element to show."""
        name = self.model(self.service, command).name
        whole = self(command, **options)[key]
        limited = PAGES[self.service][name].get("limit_key")
        before = self.calls(name)
        paged = self(command, **options, **({"page_size": limit} if limited else {}))[key]
        sent = self.calls(name) - before
        self.same(paged, whole, f"{command}: the pages are the whole")
        self.ok(not sent < least, f"{command}: in pages", f"{sent} requests for {len(whole)} elements")
        token, items = None, []
        while True:
            answer = self(command, **options, max_items=max(1, len(whole) // 2), **({"starting_token": token} if token else {}))
            items += answer[key]
            token = answer.get("NextToken")
            if not token or len(items) > len(whole):
                break
        self.same(items, whole, f"{command}: --max-items and --starting-token")
        self.paged.add((self.service, name))
        return whole

    def client(self, service=None):
        """botocore for what is needed in numbers."""
        return botocore.session.get_session().create_client(
            service or self.service, region_name=self.region, endpoint_url=self.url,
            aws_access_key_id=self.keys["AccessKeyId"], aws_secret_access_key=self.keys["SecretAccessKey"],
            aws_session_token=self.keys.get("SessionToken"))

    def role(self, name, service):
        """A role that a service may assume."""
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
        return self("create-role", service="iam", role_name=name, assume_role_policy_document=trust)["Role"]["Arn"]

    def bucket(self, name, services):
        """A bucket that these services may deliver to."""
        self("create-bucket", service="s3", bucket=name, create_bucket_configuration={"LocationConstraint": self.region})
        self("put-bucket-policy", service="s3", bucket=name, policy={"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": services}, "Action": ["s3:GetBucketAcl", "s3:ListBucket",
             "s3:GetBucketLocation"], "Resource": f"arn:aws:s3:::{name}"},
            {"Effect": "Allow", "Principal": {"Service": services}, "Action": "s3:PutObject",
             "Resource": f"arn:aws:s3:::{name}/*"}]})


def walk(value, service, found):
    if isinstance(value, dict):
        if isinstance(value.get("Call"), str):
            found.add((value.get("Service", service), value["Call"]))
        for inner in value.values():
            walk(inner, service, found)
    elif isinstance(value, list):
        for inner in value:
            walk(inner, service, found)


def used_operations():
    """What the type files and the engine call."""
    found = set()
    types = os.path.join(ROOT, "providers", "aws", "types")
    for name in sorted(os.listdir(types)):
        with open(os.path.join(types, name), encoding="utf-8") as file:
            data = json.load(file)
        walk(data["Handlers"], data["Service"], found)
    for folder, _, names in os.walk(os.path.join(ROOT, "providers", "aws")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found |= set(re.findall(r'"([a-z0-9-]+)",\s+"([A-Z]\w+)",\s+(?:input|NULL)', file.read()))
    return {(service, operation) for service, operation in found if f"{service}:{operation}" not in LEFT_OUT}


def paginators(services):
    loader = botocore.session.get_session().get_component("data_loader")
    pages = {}
    for service in services:
        try:
            pages[service] = loader.load_service_model(service, "paginators-1")["pagination"]
        except botocore.exceptions.UnknownServiceError:
            pages[service] = {}
        except botocore.exceptions.DataNotFoundError:
            pages[service] = {}
    return pages


PAGES = paginators({service for service, _ in used_operations()})


def run_service(task):
    """One service's cases, in a process of its own."""
    import cli_cases
    service, url, keys = task
    cli = Cli(url, service, keys)
    start = time.time()
    try:
        getattr(cli_cases, "cli_" + service)(cli)
    except Exception as error:
        where = error.__traceback__
        while where.tb_next and not where.tb_frame.f_code.co_filename.endswith("cli_cases.py"):
            where = where.tb_next
        cli.ok(False, "the cases run to their end", f"{type(error).__name__}: {error} (line {where.tb_lineno})")
    return service, cli.results, cli.done, cli.paged, cli.errors, time.time() - start


@contextlib.contextmanager
def sandbox():
    """The server's address."""
    if len(sys.argv) > 1 and "://" in sys.argv[1]:
        yield sys.argv.pop(1)
        return
    program = os.path.join(os.environ.get("MUSTER_BUILD") or os.path.join(ROOT, "build"), "muster-sandbox")
    if not os.access(program, os.X_OK):
        print(f"1..0 # SKIP {program} is not built")
        sys.exit(0)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as roster:
        json.dump(ROSTER, roster)
        roster.flush()
        with subprocess.Popen([program, "--port", "0", "--roster", roster.name], stdout=subprocess.PIPE, text=True) as server:
            try:
                yield server.stdout.readline().strip()
            finally:
                server.terminate()
        if server.returncode != 0:
            raise RuntimeError(f"the sandbox ended with status {server.returncode}")


def summary(report, used, done, paged, errors):
    """What has no case."""
    name = lambda pairs: sorted(f"{s}:{o}" for s, o in pairs)
    report(used <= done, "every operation in use succeeded", name(used - done))
    listed = {(s, o) for s, o in used if o in PAGES[s]}
    report(listed <= paged, "those that AWS gives in pages were read in pages", name(listed - paged))
    services = {s for s, _ in used} - {"sts"}
    report(services <= {s for s, _ in errors}, "every service gave a documented error",
           sorted(services - {s for s, _ in errors}))


def main():
    import cli_cases
    used, done, paged, errors, number, failed = used_operations(), set(), set(), set(), 0, 0

    def report(good, what, detail=""):
        nonlocal number, failed
        number += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {what}")
        if not good:
            print("\n".join("#   " + line for line in str(detail).splitlines()[:20]))

    with sandbox() as url:
        jump = Cli(url, "sts", JUMP)
        keys = cli_cases.chain(jump)
        wanted = sys.argv[1] if len(sys.argv) > 1 else "*"
        services = sorted({s for s, _ in used} & {n[4:] for n in vars(cli_cases) if fnmatch.fnmatch(n, "cli_" + wanted)})
        with multiprocessing.Pool(2) as pool:
            tasks = [(s, url, keys) for s in services]
            for service, results, some, in_pages, codes, took in pool.imap(run_service, tasks, chunksize=1):
                print(f"# {service}: {took:.1f} s")
                for good, what, detail in results:
                    report(good, f"{service} {what}", detail)
                done, paged, errors = done | some, paged | in_pages, errors | codes
    if wanted == "*":
        summary(report, used, done | jump.done, paged, errors)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.modules["cli"] = sys.modules["__main__"]
    sys.exit(main())
