"""What the tests of the sandbox share: TAP, clients of boto3, chains of roles, the sandbox's controls."""
import json
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
JUMP = ("AKIASANDBOX", "sandbox-secret", None)
SECURITY, APP, TEST = "111111111111", "333333333333", "444444444444"
count = 0
failed = 0


def ok(good, what, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        failed += 1
        print(f"# {detail}")


def same(got, wanted, what):
    ok(got == wanted, what, f"got {got!r}, wanted {wanted!r}")


def refused(code, call, what):
    """The call must fail with this error code."""
    try:
        call()
        ok(False, what, "it succeeded")
    except ClientError as error:
        same(error.response["Error"]["Code"], code, what)


def client(service, region="us-east-1", keys=JUMP, **config):
    return boto3.client(service, region_name=region, endpoint_url=URL, aws_access_key_id=keys[0],
                        aws_secret_access_key=keys[1], aws_session_token=keys[2],
                        config=Config(retries={"total_max_attempts": 1}, **config))


def assume(arn, keys=JUMP, region="us-east-1", **more):
    it = client("sts", region, keys).assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
    return it["AccessKeyId"], it["SecretAccessKey"], it["SessionToken"]


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/_sandbox/{path}", data=data)) as answer:
        return json.load(answer)


def role(account, name):
    return f"arn:aws:iam::{account}:role/{name}"


def finish():
    """Prints the plan, and ends."""
    print(f"1..{count}")
    sys.exit(1 if failed else 0)
