"""What sandbox_events.t runs: a small event path over three accounts and two regions, whole and with each link gone."""
import io
import json
import sys
import time
import urllib.error
import urllib.request
import zipfile

from sandbox_clients_lib import SECURITY, URL, assume, client, control, finish, ok, role, same

NETWORK, APP, HOME, AWAY, OPT_IN = "222222222222", "333333333333", "us-east-1", "eu-west-1", "ap-east-1"
BUS = f"arn:aws:events:{AWAY}:{SECURITY}:event-bus/default"
FUNCTION = f"arn:aws:lambda:{HOME}:{NETWORK}:function:chat"
TOPIC = f"arn:aws:sns:{AWAY}:{SECURITY}:alerts"
FINDINGS = json.dumps({"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]})
PERMISSION = {"FunctionName": "chat", "StatementId": "topic", "Action": "lambda:InvokeFunction",
              "Principal": "sns.amazonaws.com", "SourceArn": TOPIC}
CODE = """
import json, os, urllib.request
def handler(event, context):
    assert context.get_remaining_time_in_millis() > 0
    for record in event["Records"]:
        found = json.loads(record["Sns"]["Message"])
        text = f"{found['account']} {found['region']} {found['detail-type']} {record['EventSource']}"
        body = json.dumps({"text": text}).encode()
        urllib.request.urlopen(urllib.request.Request(os.environ["WEBHOOK_URL"], data=body)).read()
    print("posted")
    return {"posted": len(event["Records"])}
"""
keys = {SECURITY: assume(role(SECURITY, "security-admin"))}
for account in (NETWORK, APP):
    keys[account] = assume(role(account, "from-security"), keys[SECURITY])


def at(account, service, region=AWAY):
    return client(service, region, keys[account])


def allow(principal, action, resource="*", **more):
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(service):
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def zipped(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("chat.py", text)
    return out.getvalue()


duty, rules, iam = at(APP, "guardduty"), at(APP, "events"), at(APP, "iam", HOME)
bus, sns, function = at(SECURITY, "events"), at(SECURITY, "sns"), at(NETWORK, "lambda", HOME)
their_sns, runner_iam = at(NETWORK, "sns"), at(NETWORK, "iam", HOME)
target = {"Id": "security", "Arn": BUS, "RoleArn": role(APP, "sender")}
sending = document({"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS})
topic_policy = document(allow({"Service": "events.amazonaws.com"}, "sns:Publish", TOPIC),
                        allow({"AWS": f"arn:aws:iam::{NETWORK}:root"}, "sns:Subscribe", TOPIC))


def settle():
    function.get_waiter("function_active_v2").wait(FunctionName="chat", WaiterConfig={"Delay": 0.1})
    function.get_waiter("function_updated_v2").wait(FunctionName="chat", WaiterConfig={"Delay": 0.1})


def create_function(code=CODE, timeout=10):
    function.create_function(
        FunctionName="chat", Runtime="python3.12", Handler="chat.handler", Role=role(NETWORK, "runner"), Timeout=timeout,
        Code={"ZipFile": zipped(code)}, Environment={"Variables": {"WEBHOOK_URL": f"{URL}/_sandbox/webhook/T0/B0"}},
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{HOME}:{NETWORK}:failed"})
    settle()


def topic_policy_set(text):
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=text)


def subscribe(sender=their_sns, endpoint=FUNCTION, topic=TOPIC, **more):
    return sender.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=endpoint, ReturnSubscriptionArn=True,
                            **more)["SubscriptionArn"]


def unsubscribe():
    for it in at(SECURITY, "sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]:
        arn = it["SubscriptionArn"]
        if arn == "PendingConfirmation":
            held = control("dump")[SECURITY][AWAY]["sns"]["Subscriptions"]
            arn = next(a for a, s in held.items() if s["Pending"])
        sns.unsubscribe(SubscriptionArn=arn)


def build():
    duty.create_detector(Enable=True)
    iam.create_role(RoleName="sender", AssumeRolePolicyDocument=trusting("events.amazonaws.com"))
    iam.put_role_policy(RoleName="sender", PolicyName="send", PolicyDocument=sending)
    rules.put_rule(Name="findings", EventPattern=FINDINGS)
    rules.put_targets(Rule="findings", Targets=[target])
    bus.put_permission(Action="events:PutEvents", Principal=APP, StatementId="app")
    bus.put_rule(Name="post", EventPattern=json.dumps({"detail-type": [{"prefix": "GuardDuty"}, {"prefix": "AWS API"}, {"prefix": "Config"}]}))
    bus.put_targets(Rule="post", Targets=[{"Id": "topic", "Arn": TOPIC}])
    sns.create_topic(Name="alerts")
    topic_policy_set(topic_policy)
    at(NETWORK, "sqs", HOME).create_queue(QueueName="failed")
    runner_iam.create_role(RoleName="runner", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    runner_iam.put_role_policy(RoleName="runner", PolicyName="failed", PolicyDocument=document(
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}))
    create_function()
    function.add_permission(**PERMISSION)
    subscribe()


def trace_of(identity):
    """The trace of an event, once nothing runs for it any more."""
    for _ in range(300):
        found = next(e for e in control("events")["Events"] if e["Id"] == identity)
        if found["Running"] == 0:
            return found
        time.sleep(0.05)
    return found


def emit(kind="finding", **more):
    return trace_of(control("emit", {"Account": APP, "Region": AWAY, "Kind": kind, **more})["Id"])


def why(trace):
    return [hop["Why"] for hop in trace["Stops"]]


def chat():
    return [m["Message"]["text"] for m in control("chat")]


def without(link, remove, restore, words, kind="finding", **more):
    """With a link gone nothing arrives, and the trace says which; with it back, an event arrives."""
    before = len(chat())
    remove()
    trace = emit(kind, **more)
    restore()
    good = trace["Delivered"] == 0 and len(trace["Stops"]) == 1 and words in why(trace)[0] and len(chat()) == before
    ok(good, f"without {link}: {words}", json.dumps(trace["Hops"], indent=1))


def test_whole():
    trace = emit()
    same([h["What"] for h in trace["Hops"]], ["bus", "rule", "target", "bus", "rule", "target", "topic", "subscription", "function"],
         "the way of an event")
    same((trace["Delivered"], trace["Stops"], chat()), (1, [], [f"{APP} {AWAY} GuardDuty Finding aws:sns"]), "it arrives once")
    last = trace["Hops"][-1]
    same((last["Result"], "posted" in last["Log"]), ({"posted": 1}, True), "what the function said is kept")


def test_sender():
    detector = duty.list_detectors()["DetectorIds"][0]
    without("a detector that is on", lambda: duty.update_detector(DetectorId=detector, Enable=False),
            lambda: duty.update_detector(DetectorId=detector, Enable=True), "detector is not enabled")
    without("the rule on", lambda: rules.disable_rule(Name="findings"), lambda: rules.enable_rule(Name="findings"), "rule findings is disabled")
    without("a pattern that fits", lambda: rules.put_rule(Name="findings", EventPattern='{"source":["aws.guardduty"],"detail":{"severity":[{"numeric":[">",8]}]}}'),
            lambda: rules.put_rule(Name="findings", EventPattern=FINDINGS), "does not match at detail.severity")
    without("a target", lambda: rules.remove_targets(Rule="findings", Ids=["security"]),
            lambda: rules.put_targets(Rule="findings", Targets=[target]), "the rule has no targets")
    without("the target's role", lambda: rules.put_targets(Rule="findings", Targets=[{"Id": "security", "Arn": BUS}]),
            lambda: rules.put_targets(Rule="findings", Targets=[target]), "no RoleArn")
    without("the role's policy", lambda: iam.delete_role_policy(RoleName="sender", PolicyName="send"),
            lambda: iam.put_role_policy(RoleName="sender", PolicyName="send", PolicyDocument=sending), "no policy that allows")
    without("the role's trust", lambda: iam.update_assume_role_policy(RoleName="sender", PolicyDocument=trusting("lambda.amazonaws.com")),
            lambda: iam.update_assume_role_policy(RoleName="sender", PolicyDocument=trusting("events.amazonaws.com")), "does not trust events.amazonaws.com")


def test_receiver():
    without("the bus policy", lambda: bus.remove_permission(RemoveAllPermissions=True),
            lambda: bus.put_permission(Action="events:PutEvents", Principal=APP, StatementId="app"), f"no policy that lets account {APP}")
    without("the receiving rule", lambda: bus.disable_rule(Name="post"), lambda: bus.enable_rule(Name="post"), "rule post is disabled")
    without("the service in the topic policy", lambda: topic_policy_set(document(allow({"AWS": f"arn:aws:iam::{SECURITY}:root"}, "sns:Publish", TOPIC))),
            lambda: topic_policy_set(topic_policy), "topic policy does not let")
    without("a topic policy free of conditions", lambda: topic_policy_set(document(
        allow({"Service": "events.amazonaws.com"}, "sns:Publish", TOPIC, Condition={"StringEquals": {"aws:SourceAccount": SECURITY}}))),
            lambda: topic_policy_set(topic_policy), "topic policy does not let")
    kms = at(SECURITY, "kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    without("a key that the service may use", lambda: sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=key),
            lambda: kms.put_key_policy(KeyId=key, Policy=document(
                allow({"AWS": f"arn:aws:iam::{SECURITY}:root"}, "kms:*"),
                allow({"Service": "events.amazonaws.com"}, ["kms:GenerateDataKey*", "kms:Decrypt"]))), "key policy does not allow")
    same(emit()["Delivered"], 1, "with the key it arrives")
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue="")


def test_chat():
    without("a subscription", unsubscribe, subscribe, "the topic has no subscriptions")

    def subscribe_from_the_topic():
        unsubscribe()
        subscribe(sns)

    def subscribe_again():
        unsubscribe()
        subscribe()
    without("a confirmed subscription", subscribe_from_the_topic, subscribe_again, "pending")
    without("the function's permission", lambda: function.remove_permission(FunctionName="chat", StatementId="topic"),
            lambda: function.add_permission(**PERMISSION), "does not let sns.amazonaws.com invoke it")
    without("concurrency", lambda: function.put_function_concurrency(FunctionName="chat", ReservedConcurrentExecutions=0),
            lambda: function.delete_function_concurrency(FunctionName="chat"), "reserved concurrency is 0")

    def create_again():
        create_function()
        function.add_permission(**PERMISSION)
    without("the function", lambda: function.delete_function(FunctionName="chat"), create_again, "the function does not exist")
    for link, code, words in (("code that works", "def handler(e, c): raise RuntimeError('boom')", "RuntimeError: boom"),
                              ("the handler", "x = 1", "AttributeError"),
                              ("an end in time", "import time\ndef handler(e, c): time.sleep(60)", "Task timed out after 1.00 seconds")):
        function.update_function_configuration(FunctionName="chat", Timeout=1)
        settle()
        function.update_function_code(FunctionName="chat", ZipFile=zipped(code))
        settle()
        trace = emit()
        same((trace["Delivered"], words in why(trace)[0]), (1, True), f"without {link}: {words}")
        same(trace["Hops"][-1]["What"], "dead-letter queue", "what failed goes to the function's queue")
    same(len(control("dump")[NETWORK][HOME]["sqs"]["Queues"]["failed"]["Messages"]), 3, "where it stays")
    function.update_function_configuration(FunctionName="chat", Timeout=10)
    settle()
    function.update_function_code(FunctionName="chat", ZipFile=zipped(CODE))
    settle()
    same(emit()["Delivered"], 1, "and with everything back it arrives")


def test_kinds():
    s3, trail, config = at(APP, "s3"), at(APP, "cloudtrail"), at(APP, "config")
    call = json.dumps({"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["AuthorizeSecurityGroupIngress", "StopLogging", "DescribeRegions"]}})
    rules.put_rule(Name="calls", EventPattern=call)
    rules.put_targets(Rule="calls", Targets=[target])
    same(why(emit("api-call")), ["no CloudTrail trail logs in this account and region, so EventBridge gets no API calls"], "a call without a trail")
    s3.create_bucket(Bucket="muster-path", CreateBucketConfiguration={"LocationConstraint": AWAY})
    service = {"Service": "cloudtrail.amazonaws.com"}
    s3.put_bucket_policy(Bucket="muster-path", Policy=document(allow(service, "s3:GetBucketAcl", "arn:aws:s3:::muster-path"),
                                                               allow(service, "s3:PutObject", "arn:aws:s3:::muster-path/*")))
    trail.create_trail(Name="path", S3BucketName="muster-path")
    trail.start_logging(Name="path")
    same(emit("api-call")["Delivered"], 1, "with one it arrives")
    same(emit("api-call", EventName="StopLogging", EventSource="cloudtrail.amazonaws.com")["Delivered"], 1, "so does the call that ends the trail")
    same("only read" in why(emit("api-call", EventName="DescribeRegions"))[0], True, "calls that read do not match")
    same("has no rule of that name" in why(emit("compliance", ConfigRuleName="on"))[0], True, "compliance of a rule that is not there")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN":
        f"arn:aws:iam::{APP}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"})
    config.put_config_rule(ConfigRule={"ConfigRuleName": "on", "Source": {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"}})
    rules.put_rule(Name="compliance", EventPattern='{"source":["aws.config"],"detail":{"configRuleName":[{"prefix":"o"}]}}')
    rules.put_targets(Rule="compliance", Targets=[target])
    same(emit("compliance", ConfigRuleName="on")["Delivered"], 1, "a compliance change arrives")
    same(config.describe_compliance_by_config_rule()["ComplianceByConfigRules"][0]["Compliance"]["ComplianceType"], "NON_COMPLIANT", "and is seen")
    for bad in ({"Kind": "x"}, {"Account": "999"}, {"Region": "me-south-1"}):
        try:
            control("emit", {"Account": APP, "Region": AWAY, "Kind": "finding", **bad})
            ok(False, f"{bad} is refused")
        except urllib.error.HTTPError as error:
            same(error.code, 400, f"{bad} is refused")


def test_regions():
    """A topic in an opt-in region has a principal of its own; no topic reaches a function in such a region from outside."""
    there, topic = at(SECURITY, "sns", OPT_IN), f"arn:aws:sns:{OPT_IN}:{SECURITY}:alerts"
    there.create_topic(Name="alerts")
    there.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=topic_policy.replace(TOPIC, topic))
    subscribe(at(NETWORK, "sns", OPT_IN), topic=topic)
    function.add_permission(**{**PERMISSION, "StatementId": "plain", "SourceArn": topic})

    def publish(client_, arn, **more):
        return trace_of(client_.publish(TopicArn=arn, Message=json.dumps({"account": "x", "region": "y", "detail-type": "z"}), **more)["MessageId"])
    same("does not let sns.ap-east-1.amazonaws.com" in why(publish(there, topic))[0], True, "the plain principal is not enough")
    function.add_permission(**{**PERMISSION, "StatementId": "own", "SourceArn": topic, "Principal": f"sns.{OPT_IN}.amazonaws.com"})
    same(publish(there, topic)["Delivered"], 1, "the region's own is")
    unsubscribe()
    subscribe(endpoint=FUNCTION.replace(HOME, OPT_IN))
    same(why(publish(sns, TOPIC)), ["SNS does not deliver from another region to an opt-in region"], "into an opt-in region")
    unsubscribe()
    subscribe()


def test_third_bus():
    again = f"arn:aws:events:{HOME}:{SECURITY}:event-bus/default"
    bus.put_targets(Rule="post", Targets=[{"Id": "again", "Arn": again, "RoleArn": role(SECURITY, "security-admin")}])
    trace = emit()
    same((trace["Delivered"], "not forwarded to a third" in why(trace)[0]), (1, True), "an event crosses once")
    bus.remove_targets(Rule="post", Ids=["again"])


def test_queues():
    sqs, name = at(SECURITY, "sqs"), f"arn:aws:sqs:{AWAY}:{SECURITY}:kept"
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    transform = {"InputPathsMap": {"s": "$.detail.severity", "t": "$.detail.type"}, "InputTemplate": '{"text": "<t> <s>", "severity": <s>}'}
    bus.put_targets(Rule="post", Targets=[{"Id": "queue", "Arn": name, "InputTransformer": transform}])
    same(why(emit(Type="A")), ["the queue policy does not allow it"], "a queue that keeps it out")
    opened = document(allow({"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}, "sqs:SendMessage", name))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": opened})
    same(emit(Type='A "b"', Severity=5)["Delivered"], 2, "one that lets it in")

    def kept():
        return control("dump")[SECURITY][AWAY]["sqs"]["Queues"]["kept"]["Messages"]
    same(json.loads(kept()[0]), {"text": 'A "b" 5', "severity": 5}, "as the transformer shapes it")
    bus.put_targets(Rule="post", Targets=[{"Id": "queue", "Arn": TOPIC + "x", "DeadLetterConfig": {"Arn": name}}])
    trace = emit()
    same((why(trace), trace["Delivered"], len(kept())), (["the topic does not exist"], 2, 2), "a target that is not there leaves a dead letter")
    bus.remove_targets(Rule="post", Ids=["queue"])
    arn = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=name, Attributes={
        "RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": '{"detail":{"severity":[{"numeric":[">=",7]}]}}'})["SubscriptionArn"]
    same("filter policy does not match at detail.severity" in why(emit(Severity=6))[0], True, "a filter policy keeps it out")
    same((emit(Severity=7)["Delivered"], json.loads(kept()[2])["detail"]["severity"]), (2, 7), "or lets it through, raw")
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"kind":["x"]}')
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue="MessageAttributes")
    message = sns.publish(TopicArn=TOPIC, Message='{"account":1,"region":2,"detail-type":3}', MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}})
    same(trace_of(message["MessageId"])["Delivered"], 2, "by attributes too")
    sns.unsubscribe(SubscriptionArn=arn)


PATTERNS = [
    ('{"a": ["x", "y"]}', '{"a": "y"}', True), ('{"a": ["x"]}', '{"a": "X"}', False), ('{"a": ["x"]}', '{"a": ["z", "x"]}', True),
    ('{"a": [1]}', '{"a": 1.0}', True), ('{"a": [null]}', '{"a": null}', True), ('{"a": [null]}', '{}', False), ('{"a": [true]}', '{"a": true}', True),
    ('{"a": {"b": ["c"]}}', '{"a": {"b": "c"}}', True), ('{"a": {"b": ["c"]}}', '{"a": [{"b": "d"}, {"b": "c"}]}', True),
    ('{"a": [{"prefix": "ab"}]}', '{"a": "abc"}', True), ('{"a": [{"prefix": "ab"}]}', '{"a": "bab"}', False),
    ('{"a": [{"prefix": {"equals-ignore-case": "AB"}}]}', '{"a": "abc"}', True),
    ('{"a": [{"suffix": ".png"}]}', '{"a": "x.png"}', True), ('{"a": [{"suffix": ".png"}]}', '{"a": "png"}', False),
    ('{"a": [{"anything-but": "x"}]}', '{"a": "y"}', True), ('{"a": [{"anything-but": ["x", "y"]}]}', '{"a": "y"}', False),
    ('{"a": [{"anything-but": "x"}]}', '{}', False), ('{"a": [{"anything-but": {"prefix": "x"}}]}', '{"a": "xy"}', False),
    ('{"a": [{"anything-but": {"suffix": ["x", "y"]}}]}', '{"a": "z"}', True), ('{"a": [{"anything-but": [1, 2]}]}', '{"a": 3}', True),
    ('{"a": [{"numeric": [">", 0, "<=", 5]}]}', '{"a": 5}', True), ('{"a": [{"numeric": [">", 0, "<=", 5]}]}', '{"a": 5.1}', False),
    ('{"a": [{"numeric": ["=", 3]}]}', '{"a": "3"}', False),
    ('{"a": [{"exists": true}]}', '{"a": 0}', True), ('{"a": [{"exists": false}]}', '{"a": 0}', False), ('{"a": [{"exists": false}]}', '{}', True),
    ('{"a": {"b": [{"exists": false}]}}', '{}', True), ('{"a": {"b": [{"exists": false}]}}', '{"a": {"c": 1}}', True),
    ('{"a": [{"cidr": "10.0.0.0/8"}]}', '{"a": "10.2.3.4"}', True), ('{"a": [{"cidr": "10.0.0.0/24"}]}', '{"a": "10.0.1.1"}', False),
    ('{"a": [{"cidr": "2001:db8::/32"}]}', '{"a": "2001:db8::1"}', True),
    ('{"a": [{"equals-ignore-case": "AbC"}]}', '{"a": "aBc"}', True), ('{"a": [{"wildcard": "a*/*z"}]}', '{"a": "abc/xyz"}', True),
    ('{"a": [{"wildcard": "a?c"}]}', '{"a": "abc"}', False), ('{"a": [{"wildcard": "a\\\\*"}]}', '{"a": "a*"}', True),
    ('{"$or": [{"a": ["x"]}, {"b": ["y"]}]}', '{"b": "y"}', True), ('{"$or": [{"a": ["x"]}, {"b": ["y"]}]}', '{"a": "y"}', False),
]


def test_patterns():
    rules.create_event_bus(Name="patterns")
    queue = f"arn:aws:sqs:{AWAY}:{APP}:patterns"
    at(APP, "sqs").create_queue(QueueName="patterns", Attributes={"Policy": document(allow({"Service": "events.amazonaws.com"}, "sqs:SendMessage", queue))})
    wrong = []
    for pattern, detail, wanted in PATTERNS:
        rules.put_rule(Name="p", EventBusName="patterns", EventPattern=f'{{"detail": {pattern}}}')
        rules.put_targets(Rule="p", EventBusName="patterns", Targets=[{"Id": "q", "Arn": queue}])
        put = rules.put_events(Entries=[{"Source": "t", "DetailType": "t", "Detail": detail, "EventBusName": "patterns"}])
        if (trace_of(put["Entries"][0]["EventId"])["Delivered"] == 1) != wanted:
            wrong.append((pattern, detail))
    same(wrong, [], f"{len(PATTERNS)} patterns")
    bad = 0
    for pattern in ('{"a": [{"like": "x"}]}', '{"a": []}', '{"a": {}}', '{"a": "x"}', '{"a": [{"numeric": [">"]}]}', '{"a": [{"exists": "yes"}]}', '{}'):
        try:
            rules.put_rule(Name="p", EventBusName="patterns", EventPattern=pattern)
        except rules.exceptions.InvalidEventPatternException:
            bad += 1
    same(bad, 7, "patterns that are none are refused")
    lost = rules.put_events(Entries=[{"Source": "t", "DetailType": "t", "Detail": "{}", "EventBusName": "nowhere"}])
    same(why(trace_of(lost["Entries"][0]["EventId"])), ["the event bus does not exist"], "an event for no bus is lost")


def test_no_harm():
    """Many at once arrive once each; what is not JSON is not a chat message."""
    before = len(chat())
    traces = [control("emit", {"Account": APP, "Region": AWAY, "Kind": "finding"})["Id"] for _ in range(12)]
    same(([trace_of(t)["Delivered"] for t in traces], len(chat()) - before), ([1] * 12, 12), "twelve events, twelve messages")
    try:
        urllib.request.urlopen(urllib.request.Request(f"{URL}/_sandbox/webhook", data=b"no"))
        ok(False, "a webhook wants JSON")
    except urllib.error.HTTPError as error:
        same(error.code, 400, "a webhook wants JSON")
    control("reset", {})
    same((control("events")["Events"], control("chat")), ([], []), "a reset leaves nothing")


build()
for name, test in list(globals().items()):
    if name.startswith("test_"):
        print(f"# {name[5:]}")
        sys.stdout.flush()
        try:
            test()
        except Exception as error:
            ok(False, f"{name[5:]} runs to its end", f"{type(error).__name__}: {error}")
finish()
