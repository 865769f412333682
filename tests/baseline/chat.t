#!/usr/bin/env python3
"""The function that posts to the chat: what messages say, and what happens when the chat does not take them. TAP."""
import contextlib
import http.server
import importlib.util
import io
import json
import os
import pathlib
import sys
import threading
import time
import traceback

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "specs/baseline/files/chat.py"
ROSTER = {"Accounts": [{"Name": "security", "Id": "111111111111"}, {"Name": "app-prod", "Id": "333333333333"}]}
sys.dont_write_bytecode = True

count = failed = 0


def ok(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for note in notes:
            print("# " + str(note).replace("\n", "\n# "))


def same(got, wanted, name):
    ok(got == wanted, name, f"got:    {got!r}", f"wanted: {wanted!r}")


def has(text, part, name):
    ok(part in text, name, f"no {part!r} in:", text)


def load(roster=ROSTER):
    """The module as the stack deploys it: the roster's text behind the source."""
    text = SOURCE.read_text()
    if roster is not None:
        text += '\n\nROSTER = r"""' + (roster if isinstance(roster, str) else json.dumps(roster, indent=2)) + '"""\n'
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("index", loader=None))
    exec(compile(text, "index.py", "exec"), module.__dict__)
    module.BACKOFF_SECONDS = (0.01, 0.05)
    return module


class Chat(http.server.BaseHTTPRequestHandler):
    """Answers with what `answers` says, one after another, then 200."""

    answers, taken, seen = [], [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = Chat.answers.pop(0) if Chat.answers else 200
        Chat.seen.append(time.monotonic())
        headers = {}
        if isinstance(answer, tuple):
            answer, headers = answer
        if answer == "hang":
            time.sleep(1.5)
            return
        if answer == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20:
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.1)
            return
        if answer == "close":
            self.close_connection = True
            return
        if answer == 200:
            Chat.taken.append(json.loads(body))
        self.send_response(answer)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        Chat.taken.append("GET")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Context:
    def __init__(self, seconds):
        self.seconds = seconds

    def get_remaining_time_in_millis(self):
        return int(self.seconds * 1000)


def sns(*messages):
    texts = [m if isinstance(m, str) else json.dumps(m) for m in messages]
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m-1", "Message": text}} for text in texts]}


def api(name, source="ec2.amazonaws.com", **detail):
    return {
        "version": "0", "id": "e-1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2",
        "account": "333333333333", "time": "2024-05-01T12:00:01Z", "region": "eu-west-1",
        "detail": {
            "eventName": name, "eventSource": source, "eventTime": "2024-05-01T12:00:00Z", "eventID": "c-1",
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::333333333333:assumed-role/admin/alice"},
            "requestParameters": None, "responseElements": None, **detail,
        },
    }


FINDING = {
    "detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": "111111111111",
    "time": "2024-05-01T12:05:00Z", "region": "me-south-1",
    "detail": {
        "id": "f1", "type": "UnauthorizedAccess:IAMUser/ConsoleLogin", "severity": 8, "title": "Unusual console login",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userName": "bob"}},
        "service": {
            "count": 3, "eventLastSeen": "2024-05-01T12:00:00.000Z",
            "action": {"actionType": "AWS_API_CALL",
                       "awsApiCallAction": {"api": "ConsoleLogin", "remoteIpDetails": {"ipAddressV4": "198.51.100.9"}}},
        },
    },
}
COMPLIANCE = {
    "detail-type": "Config Rules Compliance Change", "source": "aws.config", "account": "333333333333",
    "time": "2024-05-01T13:00:05Z", "region": "ap-northeast-1",
    "detail": {
        "configRuleName": "muster-guardduty-enabled", "resourceType": "AWS::::Account", "resourceId": "333333333333",
        "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": "2024-05-01T13:00:00.000Z",
                                "annotation": "GuardDuty is not configured."},
        "oldEvaluationResult": {"complianceType": "COMPLIANT"},
    },
}
OPENED = api("AuthorizeSecurityGroupIngress", requestParameters={
    "groupId": "sg-0a1b", "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
         "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}, "groups": {}, "prefixListIds": {}},
        {"ipProtocol": "-1", "groups": {"items": [{"groupId": "sg-9"}]}}]}})


def messages(chat):
    text = chat.render(json.dumps(OPENED))
    same(text.split("\n"), [
        "*Security group changed: AuthorizeSecurityGroupIngress*",
        "Where: app-prod (333333333333), eu-west-1",
        "Who: alice (role admin) from 203.0.113.7",
        "What: sg-0a1b: tcp 22 for 0.0.0.0/0, ::/0; all traffic for sg-9",
        "When: 2024-05-01 12:00:00 UTC",
        "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#SecurityGroup:groupId=sg-0a1b "
        "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/c-1",
    ], "a security group change says where, who, what, when, and where to look")
    has(chat.render(json.dumps(api("AuthorizeSecurityGroupIngress", errorCode="Client.UnauthorizedOperation"))),
        "(refused: Client.UnauthorizedOperation)", "a call that AWS refused is said to be refused")
    text = chat.render(json.dumps(api("ModifySecurityGroupRules", requestParameters={"ModifySecurityGroupRulesRequest": {
        "GroupId": "sg-1", "SecurityGroupRule": {"SecurityGroupRuleId": "sgr-1", "SecurityGroupRule": {
            "IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "CidrIpv4": "10.0.0.0/8"}}}})))
    has(text, "What: sg-1: sgr-1: tcp 1-9 for 10.0.0.0/8", "a changed rule is told from its request's other shape")
    text = chat.render(json.dumps(api("CreateSecurityGroup", requestParameters={"groupName": "web"},
                                      responseElements={"groupId": "sg-new"})))
    has(text, "What: sg-new", "a new group is named by the id that it got")
    text = chat.render(json.dumps(api("StopLogging", "cloudtrail.amazonaws.com", userIdentity={"type": "Root"},
                                      requestParameters={"name": "muster"})))
    has(text, "*CloudTrail switched off: StopLogging*", "a call that switches recording off says what is off")
    has(text, "Who: the root user", "... and that the root user did it")
    has(text, "What: muster", "... to what")
    for name, wanted in (("DeleteTrail", "CloudTrail"), ("DeleteDetector", "GuardDuty"),
                         ("StopConfigurationRecorder", "AWS Config"), ("DisableRule", "an EventBridge rule")):
        has(chat.render(json.dumps(api(name, "x.amazonaws.com"))), f"*{wanted} switched off: {name}*", f"... {name}")
    for name, wanted in (("UpdateTrail", "CloudTrail"), ("UpdateDetector", "GuardDuty"), ("PutDeliveryChannel", "AWS Config")):
        has(chat.render(json.dumps(api(name, "x.amazonaws.com"))), f"*{wanted} changed: {name}*", f"... or changed: {name}")
    for identity, wanted in (({"type": "IAMUser", "userName": "carol"}, "carol"),
                             ({"type": "AWSService", "invokedBy": "x.amazonaws.com"}, "x.amazonaws.com"),
                             ({"type": "AWSAccount", "accountId": "999999999999"}, "999999999999"), (None, "unknown")):
        same(chat.caller(identity), wanted, f"who it was: {wanted}")

    text = chat.render(json.dumps(FINDING))
    same(text.split("\n"), [
        "*GuardDuty finding, high (8): UnauthorizedAccess:IAMUser/ConsoleLogin*",
        "Where: security (111111111111), me-south-1",
        "Who: bob, with 198.51.100.9",
        "What: Unusual console login (3 times)",
        "When: 2024-05-01 12:00:00 UTC",
        "https://me-south-1.console.aws.amazon.com/guardduty/home?region=me-south-1#/findings?macros=current&amp;fId=f1",
    ], "a finding, with how bad it is")
    text = chat.render(json.dumps(COMPLIANCE))
    same(text.split("\n"), [
        "*GuardDuty is off*",
        "Where: app-prod (333333333333), ap-northeast-1",
        "Who: AWS Config about AWS::::Account 333333333333",
        "What: muster-guardduty-enabled: COMPLIANT -&gt; NON_COMPLIANT (GuardDuty is not configured.)",
        "When: 2024-05-01 13:00:00 UTC",
        "https://ap-northeast-1.console.aws.amazon.com/config/home?region=ap-northeast-1"
        "#/rules/details?configRuleName=muster-guardduty-enabled",
    ], "a compliance change says what is off")
    back = json.loads(json.dumps(COMPLIANCE))
    back["detail"]["newEvaluationResult"]["complianceType"] = "COMPLIANT"
    has(chat.render(json.dumps(back)), "*GuardDuty is on*", "... and what is on again")
    for region, host in (("cn-north-1", "https://console.amazonaws.cn/"),
                         ("us-gov-west-1", "https://console.amazonaws-us-gov.com/")):
        has(chat.console(region, "ec2#x"), host, f"the console of {region}")


def odd_ones(chat):
    for name, raw in (("another kind of event", json.dumps({"detail-type": "Something Else", "detail": {"a": 1}})),
                      ("no JSON", "Your subscription is confirmed"), ("a list", "[1]"), ("nothing", ""),
                      ("a call without its detail", json.dumps({"detail-type": "GuardDuty Finding", "region": "x"}))):
        text = chat.render(raw)
        ok("not known here" in text and raw[:20] in text, f"shown as it is: {name}", text)
    for kind in chat.KINDS:
        for detail in ({}, {"requestParameters": [], "service": 1, "resource": {"s3BucketDetails": 5}},
                       {"requestParameters": {"ipPermissions": 5, "SecurityGroupRule": 3}, "severity": "x"}):
            raw = json.dumps({"detail-type": kind, "region": "eu-west-1", "detail": {"eventName": "xSecurityGroup",
                              "eventSource": "ec2.amazonaws.com", **detail}})
            ok(chat.render(raw).startswith("*"), f"a poor event is no failure: {kind} {detail}")
    long = chat.render(json.dumps({"detail-type": "x" * 100000}))
    ok(len(long) < 1500, "a long unknown event is cut", len(long))
    long = api("AuthorizeSecurityGroupIngress", requestParameters={"groupId": "sg-1", "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": n, "toPort": n, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}
        for n in range(1000)]}})
    ok(len(chat.render(json.dumps(long))) < 4000, "a long known one too")
    evil = json.loads(json.dumps(FINDING))
    evil["detail"]["title"] = "<!channel> <https://evil.example|click>\n*Where*: ```x"
    text = chat.render(json.dumps(evil))
    ok("<" not in text and "`" not in text and len(text.split("\n")) == 6, "text of events makes no mentions or links", text)
    for text, wanted in (("@channel @all", "@\u200bchannel @\u200ball"), ("*x* ~y~", "\u2217x\u2217 \u223cy\u223c"),
                         ("_x_ NON_COMPLIANT __a_b__", "\uff3fx\uff3f NON_COMPLIANT \uff3f\uff3fa_b\uff3f\uff3f"),
                         ("[click](http://e.example)", "\uff3bclick\uff3d(http:\u200b//e.example)"),
                         ("![](http://e/t.png)", "!\uff3b\uff3d(http:\u200b//e/t.png)"), ("||x||", "\u2223\u2223x\u2223\u2223"),
                         ("a\u2028b\x0bc\u202ed", "a b c d"), ("&<>", "&amp;&lt;&gt;")):
        same(chat.escaped(text), wanted, f"no markup of Mattermost and Rocket.Chat either: {text!a}")
    evil["detail"].update(id="f1|x> @all [y](z)", type="*b* @here")
    text = chat.render(json.dumps(evil))
    ok("[" not in text and "@h" not in text and "@a" not in text, "... in a title or a link", text)
    evil["detail"]["title"] = "&" * 5000
    text = chat.render(json.dumps(evil))
    ok(len(text) < 3500 and "fId=f1%7Cx" in text and "&\u2026" not in text and "&a" not in text.replace("&amp;", ""),
       "what grows when it is escaped is cut after that, not within a character", len(text), text[-300:])
    ok(len(chat.render("&" * 5000)) < 1500, "... of an unknown event too")
    same(load(None).account_name("333333333333"), "333333333333", "without a roster there is the id")
    same(load("{ broken").account_name("333333333333"), "333333333333", "with a broken one too")
    same(chat.account_name("999999999999"), "999999999999", "an account that is not on the roster")
    big = load({"Accounts": [{"Name": f"app-{n}", "Id": f"{n:012}", "Tags": ["project"]} for n in range(1000)]})
    same(big.account_name("000000000999"), "app-999 (000000000999)", "a thousand accounts have names")
    quoted = load({"Accounts": [{"Name": "a\\\"\u00e9", "Id": "1"}]})
    same(quoted.account_name("1"), "a\\\"\u00e9 (1)", "names with quotes survive")


def run(chat, event, seconds=8.0):
    """Calls the handler. What it raised, and everything that reaches the function's log."""
    log, raised = io.StringIO(), None
    Chat.taken.clear()
    Chat.seen.clear()
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        try:
            chat.handler(event, Context(seconds))
        except Exception as error:
            raised = error
            traceback.print_exc()
    return raised, log.getvalue()


def posting(chat, url):
    os.environ["WEBHOOK_URL"] = url
    raised, log = run(chat, sns(OPENED, FINDING))
    same(raised, None, "events are posted")
    same([t["text"][:9] for t in Chat.taken], ["*Security", "*GuardDut"], "... each once, as {\"text\": ...}")
    has(log, '"attempts": 1', "... and the log says how often it took")
    logs = log
    for name, answers in (("a server error", [500, 503]), ("too many requests", [429]), ("a broken connection", ["close"]),
                          ("an answer that does not come", ["hang"]), ("one that comes byte by byte", ["drip"])):
        chat.ATTEMPT_SECONDS = 0.5
        Chat.answers = list(answers)
        raised, log = run(chat, sns(OPENED))
        ok(raised is None and len(Chat.taken) == 1, f"{name} is tried again", raised, log)
        same(len(Chat.seen), len(answers) + 1, "... as often as needed")
        logs += log
    Chat.answers = [(429, {"Retry-After": "1"})]
    raised, log = run(chat, sns(OPENED))
    ok(raised is None and Chat.seen[1] - Chat.seen[0] >= 1, "Retry-After is waited for", raised, Chat.seen)
    Chat.answers = [(429, {"Retry-After": "3600"})]
    started = time.monotonic()
    raised, log = run(chat, sns(OPENED))
    ok(raised is not None and time.monotonic() - started < 1, "... unless there is no time for it", raised)
    logs += log
    Chat.answers = [500] * 1000
    started = time.monotonic()
    raised, log = run(chat, sns(OPENED), 3.0)
    ok(type(raised).__name__ == "PostFailed", "when the time is over, the function fails, for Lambda to try it again", raised)
    ok(time.monotonic() - started < 3, "... before Lambda would end it")
    has(str(raised), "the chat answered 500", "... and says why")
    logs += log
    for status in (400, 403, 404, 410):
        Chat.answers = [status]
        raised, log = run(chat, sns(OPENED))
        ok(raised is not None and len(Chat.seen) == 1, f"{status} is not tried again here", raised)
        logs += log
    for status in (301, 302, 307):
        Chat.answers = [(status, {"Location": url})]
        raised, log = run(chat, sns(OPENED))
        ok(raised is not None and Chat.taken == [], f"a redirect ({status}) is a failure, not a GET", raised, Chat.taken)
        logs += log
    Chat.answers = []
    for name, bad in (("no URL", ""), ("not an URL", "hooks.example/SECRET"), ("a bad port", "http://127.0.0.1:SECRET/x"),
                      ("a space in it", "http://127.0.0.1/a SECRET"), ("nobody there", "http://127.0.0.1:1/SECRET"),
                      ("an unknown name", "http://SECRET.invalid/SECRET"), ("a bad name", "http://SECRET..x/")):
        os.environ["WEBHOOK_URL"] = bad
        raised, log = run(chat, sns(OPENED), 2.5)
        ok(type(raised).__name__ == "PostFailed", f"{name} is a failure", raised)
        logs += log
    ok("SECRET" not in logs, "the URL is never in the log", logs)
    ok("127.0.0.1" not in logs, "... nor its host")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    chat = load()
    messages(chat)
    odd_ones(chat)
    posting(chat, f"http://127.0.0.1:{server.server_address[1]}/services/SECRET")
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
