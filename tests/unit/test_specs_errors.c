/* Every kind of mistake in a spec directory: where it is said to be and what is said. Each case is one change to a
 * directory that is right. */
#include "specs_common.h"

struct mistake {
	const char *what;
	/* What replaces a file of the good directory; NULL text: the file is missing. */
	const char *path, *text;
	const char *message; /* glob over file:line:column: path: text */
};

#define GOOD_STACK                                                                                                     \
	"{\"Targets\": {\"Accounts\": [\"*\"], \"Regions\": [\"*\"]}, \"Resources\": {\"T\": {\"Type\": "              \
	"\"Test::Topic\"}}}"
/* A stack with these sections, on line 2. */
#define STACK(sections)     "{\"Targets\": {\"Accounts\": [\"*\"], \"Regions\": [\"*\"]},\n" sections "}"
#define RESOURCES(entries)  STACK("\"Resources\": {" entries "}")
#define TOPIC(properties)   RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {" properties "}}")
#define BUCKET(properties)  RESOURCES("\"B\": {\"Type\": \"Test::Bucket\", \"Properties\": {" properties "}}")
#define VALUE(value)        TOPIC("\"Value\": " value)
#define CONDITIONS(entries) STACK("\"Conditions\": {" entries "}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}")
#define PARAMETERS(entries) STACK("\"Parameters\": {" entries "}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}")
#define MOVED(list)         STACK("\"Moved\": " list ",\n\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}")
#define TARGETS(targets)    "{\"Targets\": " targets ", \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"
#define ACCOUNT(members)    "{\"Accounts\": [{\"Name\": \"one\", \"Id\": \"111111111111\", " members "}]}"
#define SETTINGS(members)   "{\"Version\": 1, \"HomeRegion\": \"eu-west-1\", " members "}"

static const struct mistake mistakes[] = {
    /* documents */
    {"malformed", "stacks/s.json", "{\n  \"Targets\": }", "stacks/s.json:2:*"},
    {"duplicate key", "stacks/s.json", STACK("\"Resources\": {}, \"Resources\": {}"), "stacks/s.json:2:18:*duplicate*"},
    {"no object", "stacks/s.json", "[]", "stacks/s.json:1:1: : must be an object, not list"},
    {"no settings", "muster.json", NULL, "muster.json:*there is no such file"},
    {"no roster", "accounts.json", NULL, "accounts.json:*there is no such file"},

    /* Moved */
    {"moved is no list", "stacks/s.json", MOVED("{}"), "stacks/s.json:2:10: Moved: must be a list*"},
    {"moved entry", "stacks/s.json", MOVED("[\"A\"]"), "stacks/s.json:2:11: Moved[[]0]: must be an object*"},
    {"moved without To", "stacks/s.json", MOVED("[{\"From\": \"A\"}]"), "*Moved[[]0]: \"To\" is missing"},
    {"moved key", "stacks/s.json", MOVED("[{\"From\": \"A\", \"To\": \"T\", \"Form\": 1}]"),
     "*Moved[[]0].Form: unknown key \"Form\" (did you mean \"From\"?)"},
    {"moved from an address", "stacks/s.json", MOVED("[{\"From\": \"s/A\", \"To\": \"T\"}]"),
     "*Moved[[]0].From: is not a logical id*"},
    {"moved from what is there", "stacks/s.json", MOVED("[{\"From\": \"T\", \"To\": \"T\"}]"),
     "*Moved[[]0].From: \"T\" is a resource of this stack still*"},
    {"moved to nothing", "stacks/s.json", MOVED("[{\"From\": \"A\", \"To\": \"Tp\"}]"),
     "stacks/s.json:2:31: Moved[[]0].To: no resource is called \"Tp\" (did you mean \"T\"?)"},
    {"moved twice", "stacks/s.json", MOVED("[{\"From\": \"A\", \"To\": \"T\"}, {\"From\": \"A\", \"To\": \"T\"}]"),
     "*Moved[[]1].From: \"A\" is moved twice"},
    {"moved in a circle", "stacks/s.json",
     MOVED("[{\"From\": \"A\", \"To\": \"B\"}, {\"From\": \"B\", \"To\": \"A\"}]"),
     "*Moved[[]0].To: these moves go round in a circle"},

    /* settings */
    {"unknown setting", "muster.json", SETTINGS("\"HomeRegoin\": 1"),
     "muster.json:1:43: HomeRegoin: unknown setting \"HomeRegoin\" (did you mean \"HomeRegion\"?)"},
    {"version", "muster.json", "{\"Version\": 2, \"HomeRegion\": \"eu-west-1\"}", "*Version: version 2 is not known*"},
    {"no home", "muster.json", "{\"Version\": 1}", "*\"HomeRegion\" is missing"},
    {"home misspelt", "muster.json", "{\"Version\": 1, \"HomeRegion\": \"eu-wset-1\"}",
     "*HomeRegion: \"eu-wset-1\" is not a region (did you mean \"eu-west-1\"?)"},
    {"home needs opt-in", "muster.json", "{\"Version\": 1, \"HomeRegion\": \"me-south-1\"}",
     "*HomeRegion: me-south-1 is not enabled by default*"},
    {"config region", "muster.json", SETTINGS("\"ConfigGlobalRegion\": \"eu-south-2\""),
     "*ConfigGlobalRegion: AWS Config cannot record*"},
    {"backend", "muster.json", SETTINGS("\"State\": {\"Backend\": \"s3\"}"), "*State.Backend: unknown state backend*"},
    {"approval", "muster.json", SETTINGS("\"Approval\": {\"Required\": 2, \"Keys\": [\"a.pem\"]}"),
     "*Approval.Required: must be from 0 to*(1), 100 at most"},
    {"approval key file", "muster.json", SETTINGS("\"Approval\": {\"Keys\": [\"a.pem\"]}"),
     "muster.json:1:*Approval.Keys[[]0]: there is no file \"a.pem\" in the spec directory"},
    {"approval key kind", "muster.json", SETTINGS("\"Approval\": {\"Keys\": [7]}"),
     "*Approval.Keys[[]0]: must be the path of a public key, the key itself, or an object, not *"},
    {"approval key object", "muster.json", SETTINGS("\"Approval\": {\"Keys\": [{\"Email\": \"a@b\"}]}"),
     "*Approval.Keys[[]0]: needs \"File\" (a path) or \"Key\" (the public key itself)"},
    {"approval e-mail", "muster.json",
     SETTINGS("\"Approval\": {\"Keys\": [{\"Key\": \"ssh-rsa A\", \"Email\": \"kato\"}]}"),
     "*Approval.Keys[[]0].Email: must be an e-mail address"},
    {"approval without e-mail", "muster.json",
     SETTINGS("\"Approval\": {\"NotAuthor\": true, \"Keys\": [\"ssh-ed25519 AAAA\"]}"),
     "*Approval.Keys[[]0]: with NotAuthor each key needs an e-mail address*"},
    {"approval file without e-mail", "muster.json",
     SETTINGS("\"Approval\": {\"NotAuthor\": true, \"Keys\": [{\"File\": \"accounts.json\"}]}"),
     "*Approval.Keys[[]0]: with NotAuthor each key needs an e-mail address*"},
    {"approval age", "muster.json", SETTINGS("\"Approval\": {\"MaxAge\": \"soon\"}"),
     "*Approval.MaxAge: must be a length of time like \"90m\"*"},
    {"approval word", "muster.json", SETTINGS("\"Approval\": {\"NotAuthors\": true}"),
     "*Approval.NotAuthors: unknown key \"NotAuthors\" (did you mean \"NotAuthor\"?)"},
    {"too many approvals", "muster.json", SETTINGS("\"Approval\": {\"Required\": -1}"),
     "*Approval.Required: must be from 0 to*(0)*"},
    {"limit", "muster.json", SETTINGS("\"Limits\": {\"MaxDelete\": -1}"),
     "muster.json:1:*Limits.MaxDelete: must be a whole number from 0 on, or a percentage*"},
    {"limit in percent", "muster.json", SETTINGS("\"Limits\": {\"MaxReplace\": \"101%\"}"),
     "*Limits.MaxReplace: must be a whole number*"},
    {"limit with decimals", "muster.json", SETTINGS("\"Limits\": {\"MaxTargets\": \"0.125%\"}"),
     "*Limits.MaxTargets: must be a whole number*"},
    {"limit word", "muster.json", SETTINGS("\"Limits\": {\"MaxDeletes\": 1}"),
     "*Limits.MaxDeletes: unknown limit \"MaxDeletes\" (did you mean \"MaxDelete\"?)"},
    {"role", "muster.json", SETTINGS("\"Access\": {\"Role\": \"admin\"}"), "*Access.Role: is not the ARN of a role*"},
    {"role placeholder", "muster.json", SETTINGS("\"Access\": {\"Role\": \"arn:aws:iam::${Account}:role/x\"}"),
     "*Access.Role: only ${AccountId} and ${AccountName}*"},
    {"chain", "muster.json", SETTINGS("\"Access\": {\"Chain\": [\"arn:aws-cn:iam::111111111111:role/x\"]}"),
     "*Access.Chain[[]0]: is not in partition aws*"},
    {"access key", "muster.json", SETTINGS("\"Access\": {\"Chian\": []}"),
     "*Access.Chian: unknown key \"Chian\" (did you mean \"Chain\"?)"},
    {"session name", "muster.json", SETTINGS("\"Access\": {\"SessionName\": \"a b\"}"),
     "*Access.SessionName: holds a*"},

    /* roster */
    {"id", "accounts.json", "{\"Accounts\": [{\"Name\": \"a\", \"Id\": \"12345\"}]}",
     "accounts.json:1:35: Accounts[[]0].Id: an account's id is 12 digits, not \"12345\""},
    {"id number", "accounts.json", "{\"Accounts\": [{\"Name\": \"a\", \"Id\": 111111111111}]}",
     "*Accounts[[]0].Id: must be a string, not integer"},
    {"duplicate id", "accounts.json",
     "{\"Accounts\": [{\"Name\": \"a\", \"Id\": \"111111111111\"},\n{\"Name\": \"b\", \"Id\": \"111111111111\"}]}",
     "accounts.json:2:*Accounts[[]1].Id: the id is the one of account \"a\" already"},
    {"duplicate name", "accounts.json",
     "{\"Accounts\": [{\"Name\": \"a\", \"Id\": \"111111111111\"},\n{\"Name\": \"a\", \"Id\": \"111111111112\"}]}",
     "accounts.json:2:*Accounts[[]1].Name: another account is named \"a\" too"},
    {"slash", "accounts.json", "{\"Accounts\": [{\"Name\": \"a/b\", \"Id\": \"111111111111\"}]}",
     "*Accounts[[]0].Name: a name may not hold \"/\"*"},
    {"comma", "accounts.json", "{\"Accounts\": [{\"Name\": \"a,b\", \"Id\": \"111111111111\"}]}",
     "*Accounts[[]0].Name: a name may not hold a comma, a quote or a backslash: \"a,b\"*"},
    {"last space", "accounts.json", "{\"Accounts\": [{\"Name\": \"a \", \"Id\": \"111111111111\"}]}",
     "*Accounts[[]0].Name: a name may not begin or end with a space*"},
    {"unseen", "accounts.json", "{\"Accounts\": [{\"Name\": \"a\\u200bb\", \"Id\": \"111111111111\"}]}",
     "*Accounts[[]0].Name: a name may not hold controls and characters that are not seen: \"a*u{200B}b\"*"},
    {"long name", "accounts.json",
     "{\"Accounts\": [{\"Name\": \"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg\", \"Id\": "
     "\"111111111111\"}]}",
     "*Accounts[[]0].Name: a name must have 1 to 64 bytes, this one has 65"},
    {"account key", "accounts.json", ACCOUNT("\"Tag\": []"), "*unknown key \"Tag\" (did you mean \"Tags\"?)"},
    {"regions shape", "accounts.json", ACCOUNT("\"Regions\": {\"Exclud\": []}"), "*(did you mean \"Exclude\"?)"},
    {"region excluded", "accounts.json", ACCOUNT("\"Regions\": {\"Exclude\": [\"nowhere\"]}"),
     "*Exclude[[]0]: \"nowhere\" is neither a region's name nor a glob"},

    /* sections and targets */
    {"unknown section", "stacks/s.json", STACK("\"Resuorces\": {}"),
     "stacks/s.json:2:1: Resuorces: unknown section \"Resuorces\" (did you mean \"Resources\"?)"},
    {"Rules", "stacks/s.json", STACK("\"Rules\": {}"), "*Rules: Rules are not supported*"},
    {"Rollout", "stacks/s.json", STACK("\"Rollout\": {}"), "*Rollout: Rollout is not built yet*"},
    {"transform", "stacks/s.json", STACK("\"Transform\": \"AWS::Serverless-2016-10-31\""),
     "*Transform: \"AWS::Serverless-2016-10-31\" is not supported*"},
    {"format version", "stacks/s.json", STACK("\"AWSTemplateFormatVersion\": \"2011\""), "*must be \"2010-09-09\""},
    {"no targets", "stacks/s.json", "{\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}", "*\"Targets\" is missing"},
    {"no resources", "stacks/s.json", STACK("\"Outputs\": {}"), "*\"Resources\" is missing"},
    {"account selector", "stacks/s.json", TARGETS("{\"Accounts\": [\"securty\"]}"),
     "*Targets.Accounts[[]0]: no account is named \"securty\" (did you mean \"security\"?)"},
    {"tag selector", "stacks/s.json", TARGETS("{\"Accounts\": [\"tag:projct\"]}"),
     "*Targets.Accounts[[]0]: no account has the tag \"projct\" (did you mean \"project\"?)"},
    {"id as a selector", "stacks/s.json", TARGETS("{\"Accounts\": [\"222222222222\"]}"),
     "*Targets.Accounts[[]0]: no account is named \"222222222222\": selectors take names, and this is the id of "
     "\"app-prod\""},
    {"empty roster", "accounts.json", "{\n\"Accounts\": []}",
     "accounts.json:2:13: Accounts: there are no accounts, so no selector can choose any"},
    {"glob selector", "stacks/s.json", TARGETS("{\"Accounts\": [\"ap-*\"]}"), "*no account matches \"ap-*\""},
    {"region selector", "stacks/s.json", TARGETS("{\"Regions\": [\"hom\"]}"), "*Targets.Regions[[]0]: \"hom\" is not*"},
    {"region partition", "stacks/s.json", TARGETS("{\"Regions\": [\"cn-north-1\"]}"), "*in partition aws-cn*"},
    {"stack depends", "stacks/s.json",
     STACK("\"DependsOn\": [\"x\"], \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}"),
     "*DependsOn[[]0]: no stack is called \"x\"*"},
    {"near no other stack", "stacks/s.json",
     STACK("\"DependsOn\": [\"z\"], \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}"),
     "*DependsOn[[]0]: no stack is called \"z\""},
    {"stack name", "stacks/a b.json", GOOD_STACK, "stacks/a b.json:*a stack's name is*"},

    /* resources */
    {"no type", "stacks/s.json", RESOURCES("\"T\": {}"), "*Resources.T: \"Type\" is missing"},
    {"unknown type", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topik\"}"),
     "stacks/s.json:2:29: Resources.T.Type: unknown resource type \"Test::Topik\" (did you mean \"Test::Topic\"?)"},
    {"unknown type, near none", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Tost::Hub\"}"),
     "*unknown resource type \"Tost::Hub\": \"muster types\" lists those that are known"},
    {"near as a whole only", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Tobet\"}"),
     "*unknown resource type \"Test::Tobet\": *"},
    {"resource key", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"Propertys\": {}}"),
     "*unknown attribute of a resource \"Propertys\" (did you mean \"Properties\"?)"},
    {"logical id", "stacks/s.json", RESOURCES("\"T-1\": {\"Type\": \"Test::Topic\"}"),
     "*Resources.T-1: a name here is*"},
    {"snapshot", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"DeletionPolicy\": \"Snapshot\"}"),
     "*DeletionPolicy: \"Snapshot\" is not supported*"},
    {"policy", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"UpdateReplacePolicy\": \"Keep\"}"),
     "*UpdateReplacePolicy: must be \"Delete\" or \"Retain\""},
    {"creation policy", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"CreationPolicy\": {}}"),
     "*CreationPolicy is not supported*"},
    {"protect", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"Protect\": \"yes\"}"),
     "*Protect: must be true or false, not string"},
    {"depends", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"DependsOn\": [\"U\"]}"),
     "*DependsOn[[]0]: no resource is called \"U\"*"},
    {"condition", "stacks/s.json", RESOURCES("\"T\": {\"Type\": \"Test::Topic\", \"Condition\": \"C\"}"),
     "*T.Condition: unknown condition \"C\""},

    /* properties */
    {"unknown property", "stacks/s.json", TOPIC("\n  \"Txet\": \"\""),
     "stacks/s.json:3:3: Resources.T.Properties: unknown property \"Txet\" (did you mean \"Text\"?)"},
    {"left out", "stacks/s.json", BUCKET("\"Color\": 1"),
     "*Properties: unknown property \"Color\", which this program does not support: buckets are grey"},
    {"left out inside", "stacks/s.json", BUCKET("\"Rules\": [{\"Id\": \"a\", \"Weeks\": 1}]"),
     "*Rules[[]0]: unknown property \"Weeks\", which this program does not support: write Days"},
    {"left out inside a function", "stacks/s.json",
     STACK(
	 "\"Conditions\": {\"C\": {\"Fn::Equals\": [1, {\"Ref\": \"AWS::Region\"}]}}, \"Resources\": {\"B\": "
	 "{\"Type\": "
	 "\"Test::Bucket\", \"Properties\": {\"Rules\": {\"Fn::If\": [\"C\", [{\"Id\": \"a\", \"Weeks\": 1}], []]}}}}"),
     "*unknown property \"Weeks\", which this program does not support: write Days"},
    {"left out elsewhere", "stacks/s.json", BUCKET("\"Weeks\": 1"), "*Properties: unknown property \"Weeks\""},
    {"name too long", "stacks/s.json", TOPIC("\"TopicName\": \"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde\""),
     "*TopicName: too long: a name here has at most 40 characters, this one 41"},
    {"property kind", "stacks/s.json", TOPIC("\"Text\": 1"), "*Properties.Text: must be a string, not integer"},
    {"boolean text", "stacks/s.json", TOPIC("\"Switch\": \"true\""), "*Switch: must be true or false, not string"},
    {"list kind", "stacks/s.json", TOPIC("\"List\": \"a\""), "*List: must be a list, not string"},
    {"list item", "stacks/s.json", TOPIC("\"List\": [\"a\", 2]"), "*List[[]1]: must be a string, not integer"},
    {"map item", "stacks/s.json", TOPIC("\"Map\": {\"a\": []}"), "*Map.a: must be a string, not list"},
    {"read only", "stacks/s.json", TOPIC("\"Id\": \"x\""), "*Properties.Id: the property is read-only*"},
    {"required", "stacks/s.json", RESOURCES("\"D\": {\"Type\": \"Test::Detector\"}"),
     "*Resources.D*: required property \"Enable\" is missing"},
    {"required nested", "stacks/s.json", BUCKET("\"Rules\": [{\"Id\": \"a\"}, {\"Days\": 1}]"),
     "*Properties.Rules[[]1]: required property \"Id\" is missing"},
    {"required with function", "stacks/s.json", BUCKET("\"Rules\": [{\"Days\": {\"Ref\": \"AWS::Region\"}}]"),
     "*Properties.Rules[[]0]: required property \"Id\" is missing"},
    {"enum", "stacks/s.json", BUCKET("\"Versioning\": \"Enable\""),
     "*Versioning: \"Enable\" is not allowed: one of Enabled, Suspended (did you mean \"Enabled\"?)"},
    {"pattern", "stacks/s.json", BUCKET("\"Rules\": [{\"Id\": \"A1\"}]"), "*Rules[[]0].Id: \"A1\" does not match*"},
    {"too short", "stacks/s.json", BUCKET("\"BucketName\": \"ab\""), "*too short: 2 characters, at least 3 *"},
    {"too many", "stacks/s.json", BUCKET("\"Rules\": [{\"Id\":\"a\"},{\"Id\":\"b\"},{\"Id\":\"c\"},{\"Id\":\"d\"}]"),
     "*Rules: too long: 4 items, at most 3 items allowed"},
    {"too small", "stacks/s.json", BUCKET("\"Days\": 0"), "*Days: 0 is too small: at least 1"},
    {"too large", "stacks/s.json", BUCKET("\"Days\": 366"), "*Days: 366 is too large: at most 365"},
    {"policy text", "stacks/s.json", BUCKET("\"Policy\": \"{oops\""), "*Policy: the string does not hold a JSON*"},
    {"policy bytes", "stacks/s.json",
     BUCKET("\"Policy\": {\"S\": "
	    "\"abcdefghijklmnopqrstuvwxyz012345678901234567890123456789012345678901234567890123456789012345678901234567"
	    "8901234"
	    "56789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"}"),
     "*Policy: * bytes; the service takes at most 200"},
    {"function kind", "stacks/s.json", TOPIC("\"List\": {\"Fn::Sub\": \"a${AWS::Region}\"}"),
     "*List: must be a list, but Fn::Sub gives a single value"},
    {"function kind list", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Split\": [\",\", {\"Ref\": \"AWS::Region\"}]}"),
     "*Text: must be a single value, but Fn::Split gives a list"},

    /* functions and references */
    {"unknown function", "stacks/s.json", VALUE("{\"Fn::Subb\": \"x\"}"),
     "*Value.Fn::Subb: unknown function \"Fn::Subb\" (did you mean \"Fn::Sub\"?)"},
    {"import", "stacks/s.json", VALUE("{\"Fn::ImportValue\": \"x\"}"), "*Fn::ImportValue is not supported: exports*"},
    {"transform call", "stacks/s.json", VALUE("{\"Fn::Transform\": {}}"), "*Fn::Transform is not supported*"},
    {"resolve", "stacks/s.json", TOPIC("\"Text\": \"{{resolve:ssm:x}}\""), "*Text: dynamic references*"},
    {"not alone", "stacks/s.json", VALUE("{\"Fn::Sub\": \"x\", \"b\": 1}"), "*a function stands alone*"},
    {"Ref not alone", "stacks/s.json", TOPIC("\"Text\": {\"Ref\": \"AWS::Region\", \"b\": 1}"),
     "*Text: a function (Ref) stands alone in its object"},
    {"ref", "stacks/s.json", VALUE("{\"Ref\": \"AWS::Regoin\"}"),
     "*unknown pseudo parameter \"AWS::Regoin\" (did you mean \"AWS::Region\"?)"},
    {"stack id", "stacks/s.json", VALUE("{\"Ref\": \"AWS::StackId\"}"), "*AWS::StackId is not supported*"},
    {"ref resource", "stacks/s.json",
     RESOURCES("\"Topic1\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": {\"Ref\": \"Topik1\"}}}"),
     "*no parameter or resource is called \"Topik1\" (did you mean \"Topic1\"?)"},
    {"attribute", "stacks/s.json",
     RESOURCES("\"B\": {\"Type\": \"Test::Bucket\"}, \"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": "
	       "{\"Fn::GetAtt\": [\"B\", \"Anr\"]}}}"),
     "*Test::Bucket has no attribute \"Anr\" (did you mean \"Arn\"?)"},
    {"attribute by its end", "stacks/s.json",
     RESOURCES("\"B\": {\"Type\": \"Test::Topic\"}, \"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": "
	       "{\"Fn::GetAtt\": [\"B\", \"Arn\"]}}}"),
     "*Test::Topic has no attribute \"Arn\" (did you mean \"TopicArn\"?)"},
    {"attributes there are", "stacks/s.json",
     RESOURCES("\"B\": {\"Type\": \"Test::Topic\"}, \"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": "
	       "{\"Fn::GetAtt\": [\"B\", \"Color\"]}}}"),
     "*Test::Topic has no attribute \"Color\": it has TopicArn, Owner"},
    {"sub attribute", "stacks/s.json",
     RESOURCES("\"B\": {\"Type\": \"Test::Bucket\"}, \"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": "
	       "{\"Fn::Sub\": \"${B.Anr}\"}}}"),
     "*Fn::Sub: Test::Bucket has no attribute \"Anr\"*"},
    {"sub open", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Sub\": \"${AWS::Region\"}"), "*\"${\" without \"}\""},
    {"sub name", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Sub\": \"${a b}\"}"), "*\"${a b}\" is not a name*"},
    {"join", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Join\": [\"\"]}"), "*Fn::Join: must be [[]\"delimiter\", *"},
    {"join list", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Join\": [\"\", \"a\"]}"), "*Fn::Join[[]1]: must be a list*"},
    {"select range", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Select\": [2, [\"a\", {\"Ref\": \"AWS::Region\"}]]}"),
     "*Text: Fn::Select asks for item 2, counted from 0, of a list of 2 (in security/eu-central-1)"},
    {"if condition", "stacks/s.json", VALUE("{\"Fn::If\": [\"X\", 1, 2]}"), "*Fn::If[[]0]: unknown condition \"X\""},
    {"mapping", "stacks/s.json", VALUE("{\"Fn::FindInMap\": [\"M\", \"a\", \"b\"]}"), "*no mapping \"M\""},
    {"mapping key", "stacks/s.json",
     STACK("\"Mappings\": {\"M\": {\"alpha\": {\"b\": 1}}}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\", "
	   "\"Properties\": {\"Value\": {\"Fn::FindInMap\": [\"M\", \"alpho\", \"b\"]}}}}"),
     "*no top key \"alpho\" in mapping \"M\" (did you mean \"alpha\"?)"},
    {"mapping key of a target", "stacks/s.json",
     STACK("\"Mappings\": {\"M\": {\"eu-west-1\": {\"b\": 1}}}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\", "
	   "\"Properties\": {\"Value\": {\"Fn::FindInMap\": [\"M\", {\"Ref\": \"AWS::Region\"}, \"b\"]}}}}"),
     "*no top key \"us-east-1\" in mapping \"M\"*"},
    {"function in mapping", "stacks/s.json",
     STACK("\"Mappings\": {\"M\": {\"a\": {\"b\": {\"Ref\": \"x\"}}}}, \"Resources\": {\"T\": {\"Type\": "
	   "\"Test::Topic\"}}"),
     "*Mappings.M.a.b: must be a string, number*"},
    {"file", "stacks/s.json", VALUE("{\"Muster::File\": \"files/none\"}"), "*there is no file \"files/none\""},
    {"file outside", "stacks/s.json", VALUE("\n{\"Muster::File\": \"../secret\"}"),
     "stacks/s.json:3:18: *Value.Muster::File: ../secret: not a path inside*"},
    {"accounts", "stacks/s.json", VALUE("{\"Muster::Accounts\": [\"tag:x\"]}"), "*no account has the tag \"x\"*"},
    {"regions", "stacks/s.json", VALUE("{\"Muster::Regions\": \"nobody\"}"), "*no account is named \"nobody\"*"},
    {"map usage", "stacks/s.json", VALUE("{\"Muster::Map\": {\"Over\": [], \"Value\": 1}}"), "*must be {\"Over\"*"},
    {"loop name", "stacks/s.json", VALUE("{\"Fn::ForEach\": [\"A\", [], {}]}"), "*a loop needs a name*"},
    {"loop shape", "stacks/s.json", VALUE("{\"Fn::ForEach::X\": [\"A\", []]}"), "*must be [[]\"Variable\"*"},
    {"loop twice", "stacks/s.json",
     RESOURCES("\"Fn::ForEach::X\": [\"A\", [\"a\", \"b\"], {\"Same\": {\"Type\": \"Test::Topic\"}}]"),
     "*the loop makes \"Same\" twice*"},
    {"loop name made", "stacks/s.json",
     RESOURCES("\"Fn::ForEach::X\": [\"A\", [\"a-b\"], {\"T${A}\": {\"Type\": \"Test::Topic\"}}]"),
     "*the loop makes the name \"Ta-b\"*write &{Variable}*"},
    {"output of nothing", "stacks/s.json",
     VALUE("{\"Fn::GetStackOutput\": {\"StackName\": \"gone\", \"OutputName\": \"x\"}}"),
     "*StackName: no stack is called \"gone\"*"},
    {"unknown output", "stacks/s.json",
     VALUE("{\"Fn::GetStackOutput\": {\"StackName\": \"other\", \"OutputName\": \"Nam\"}}"),
     "*OutputName: stack \"other\" has no output \"Nam\" (did you mean \"Name\"?)"},
    {"output account", "stacks/s.json",
     VALUE("{\"Fn::GetStackOutput\": {\"StackName\": \"other\", \"OutputName\": \"Name\", \"Account\": \"app-pro\"}}"),
     "*Account: no account is named \"app-pro\" (did you mean \"app-prod\"?)"},
    {"output region", "stacks/s.json",
     VALUE("{\"Fn::GetStackOutput\": {\"StackName\": \"other\", \"OutputName\": \"Name\", \"Region\": \"home\"}}"),
     "*Region: \"home\" is not a region*"},
    {"output argument", "stacks/s.json",
     VALUE("{\"Fn::GetStackOutput\": {\"StackName\": \"other\", \"OutputNam\": \"Name\"}}"),
     "*unknown argument \"OutputNam\" (did you mean \"OutputName\"?)"},
    {"export", "stacks/s.json",
     STACK("\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}, \"Outputs\": {\"O\": {\"Value\": 1, \"Export\": {}}}"),
     "*Outputs.O.Export: Export is not supported*"},

    /* conditions */
    {"not a condition", "stacks/s.json", CONDITIONS("\"C\": true"), "*Conditions.C: must be Fn::Equals*"},
    {"condition cycle", "stacks/s.json",
     CONDITIONS("\"A\": {\"Fn::Not\": [{\"Condition\": \"B\"}]}, \"B\": {\"Condition\": \"A\"}"),
     "*a cycle: A -> B -> A"},
    {"condition over resource", "stacks/s.json", CONDITIONS("\"A\": {\"Fn::Equals\": [{\"Ref\": \"T\"}, \"x\"]}"),
     "*a condition cannot refer to the stack's own resources (\"T\")"},
    {"false condition", "stacks/s.json",
     STACK("\"Conditions\": {\"No\": {\"Fn::Equals\": [1, 2]}}, \"Resources\": {\"A\": {\"Type\": \"Test::Topic\", "
	   "\"Condition\": \"No\"}, \"B\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": {\"Ref\": \"A\"}}}}"),
     "*B.Properties.Text*: refers to \"A\", which is not made where its condition \"No\" is false*"},
    {"unknown in condition", "stacks/s.json",
     STACK("\"Conditions\": {\"C\": {\"Fn::Equals\": [{\"Fn::GetStackOutput\": {\"StackName\": \"other\", "
	   "\"OutputName\": "
	   "\"Unknown\"}}, 1]}}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}"),
     "*a condition must be known when planning*"},
    {"unknown name", "stacks/s.json",
     RESOURCES("\"A\": {\"Type\": \"Test::Topic\"}, \"B\": {\"Type\": \"Test::Topic\", \"Properties\": {\"TopicName\": "
	       "{\"Ref\": \"A\"}}}"),
     "*the name (TopicName) must be known when planning*"},

    /* cycles */
    {"reference cycle", "stacks/s.json",
     RESOURCES("\"A\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": {\"Ref\": \"B\"}}}, \"B\": {\"Type\": "
	       "\"Test::Topic\", \"Properties\": {\"Text\": {\"Fn::Sub\": \"x${A}\"}}}"),
     "*a cycle: security/eu-central-1/s/A -> security/eu-central-1/s/B -> security/eu-central-1/s/A"},
    {"depends cycle", "stacks/s.json",
     RESOURCES(
	 "\"A\": {\"Type\": \"Test::Topic\", \"DependsOn\": \"B\"}, \"B\": {\"Type\": \"Test::Topic\", \"Properties\":"
	 " {\"Text\": {\"Ref\": \"A\"}}}"),
     "*a cycle: security/eu-central-1/s/A -> security/eu-central-1/s/B -> security/eu-central-1/s/A"},
    {"cycle over outputs", "stacks/other.json",
     STACK("\"Resources\": {\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": [{\"Fn::GetStackOutput\": "
	   "{\"StackName\": \"reader\", \"OutputName\": \"O\"}}]}}}, \"Outputs\": {\"Name\": {\"Value\": {\"Ref\": "
	   "\"T\"}}, "
	   "\"Unknown\": {\"Value\": 1}}"),
     "*a cycle: security/eu-central-1/other/T -> security/eu-central-1/reader/Outputs.O -> "
     "security/eu-central-1/reader/T -> security/eu-central-1/other/Outputs.Name -> security/eu-central-1/other/T"},
    {"cycle over stacks", "stacks/other.json",
     STACK("\"DependsOn\": \"reader\", \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}, \"Outputs\": {\"Name\": "
	   "{\"Value\": 1}, \"Unknown\": {\"Value\": {\"Ref\": \"T\"}}}"),
     "*a cycle: *other*reader*other*"},
    {"same identity", "stacks/s.json", BUCKET("\"BucketName\": \"one-name\""),
     "*Resources.B: security/eu-west-1/s/B is the same thing in AWS as security/eu-central-1/s/B: "
     "the Test::Bucket \"one-name\"; there is not one in each region: target \"Regions\": [[]\"home\"], or put "
     "${AWS::Region} into BucketName"},
    {"same identity, accounts", "stacks/s.json",
     "{\"Targets\": {\"Regions\": [\"home\"]}, \"Resources\": {\"B\": {\"Type\": \"Test::Bucket\", \"Properties\": "
     "{\"BucketName\": \"one-name\"}}}}",
     "*; there is not one in each account: target one account, or put ${AWS::AccountId} into BucketName"},
    {"two singletons", "stacks/s.json",
     RESOURCES("\"A\": {\"Type\": \"Test::Detector\", \"Properties\": {\"Enable\": true}}, \"B\": {\"Type\": "
	       "\"Test::Detector\", \"Properties\": {\"Enable\": true}}"),
     "*Resources.B: *s/B is the same thing in AWS as *s/A: there is one Test::Detector in each account and region"},
    {"ambiguous output", "stacks/other.json",
     "{\"Targets\": {\"Accounts\": [\"tag:project\"]}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}, "
     "\"Outputs\": "
     "{\"Name\": {\"Value\": 1}}}",
     "*stack \"other\" does not go to this account (security) and goes to 2 others*"},

    /* parameters */
    {"parameter type", "stacks/s.json", PARAMETERS("\"P\": {\"Type\": \"Strin\", \"Default\": \"\"}"),
     "*Parameters.P.Type: unknown parameter type \"Strin\" (did you mean \"String\"?)"},
    {"parameter key", "stacks/s.json", PARAMETERS("\"P\": {\"Type\": \"String\", \"Defalt\": \"\"}"),
     "*(did you mean \"Default\"?)"},
    {"no value", "stacks/s.json", PARAMETERS("\"P\": {\"Type\": \"String\"}"),
     "*Parameters.P: has no value in account*"},
    {"default not allowed", "stacks/s.json",
     PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"c\", \"AllowedValues\": [\"a\", \"b\"]}"),
     "*Parameters.P.Default: parameter P of stack s must be one of [[]\"a\",\"b\"]"},
    {"pattern", "stacks/s.json",
     PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"c1\", \"AllowedPattern\": \"[a-z]+\", "
		"\"ConstraintDescription\": \"letters only\"}"),
     "*must match the pattern \"[[]a-z]+\": letters only"},
    {"number", "stacks/s.json", PARAMETERS("\"P\": {\"Type\": \"Number\", \"Default\": \"x\"}"), "*must be a number"},
    {"range", "stacks/s.json", PARAMETERS("\"P\": {\"Type\": \"Number\", \"Default\": 9, \"MaxValue\": 8}"),
     "*must be a number from MinValue to MaxValue"},
    {"length", "stacks/s.json", PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"ab\", \"MinLength\": 3}"),
     "*must have at least 3 characters, not 2"},
    {"length at most", "stacks/s.json",
     PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"ab\", \"MaxLength\": 1}"),
     "*must have at most 1 character, not 2"},
    {"length between", "stacks/s.json",
     PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"ab\", \"MinLength\": 3, \"MaxLength\": 9}"),
     "*must have 3 to 9 characters, not 2"},
    {"length exact", "stacks/s.json",
     PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"ab\", \"MinLength\": 3, \"MaxLength\": 3}"),
     "*must have 3 characters, not 2"},
    {"bad regex", "stacks/s.json",
     PARAMETERS("\"P\": {\"Type\": \"String\", \"Default\": \"\", \"AllowedPattern\": \"(\"}"),
     "*AllowedPattern: not a regular expression*"},
    {"account value", "accounts.json",
     "{\"Accounts\": [{\"Name\": \"security\", \"Id\": \"111111111111\", \"Tags\": [\"project\"]}, {\"Name\": "
     "\"app-prod\", \"Id\": \"222222222222\", \"Parameters\": {\"Size\": 99}}]}",
     "accounts.json:*Accounts[[]1].Parameters.Size: parameter Size of stack reader must be a number from*"},
    {"env", "muster.json", SETTINGS("\"Parameters\": {\"Size\": {\"Env\": \"MUSTER_TEST_NOT_SET\"}}"),
     "*Parameters.Size: *environment variable \"MUSTER_TEST_NOT_SET\", which is not there"},
    {"env shape", "muster.json", SETTINGS("\"Parameters\": {\"Size\": {\"Evn\": \"X\"}}"),
     "*must be a value, {\"Env\"*"},
};

/* "[[]" in a pattern is one '[': the globs here have no brackets, but the table is easier to read with them marked. */
static char *unmark(const char *pattern)
{
	struct buf out = BUF_INIT;

	for (; *pattern != '\0'; pattern++) {
		if (strncmp(pattern, "[[]", 3) == 0)
			pattern += 2, buf_addc(&out, '[');
		else
			buf_addc(&out, *pattern);
	}
	return buf_detach(&out);
}

static void each_mistake(void **state)
{
	static const uint8_t key[] = "key";
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		const struct mistake *m = &mistakes[i];
		struct memory_file files[] = {
		    {"muster.json", TEST_SETTINGS},
		    {"accounts.json", TEST_ROSTER},
		    {"stacks/other.json",
		     STACK(
			 "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}, \"Outputs\": {\"Name\": {\"Value\": 1}, "
			 "\"Unknown\": {\"Value\": {\"Ref\": \"T\"}}}")},
		    {"stacks/reader.json",
		     STACK("\"Parameters\": {\"Size\": {\"Type\": \"Number\", \"Default\": 1, \"MaxValue\": 9}}, "
			   "\"Resources\": "
			   "{\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": {\"Fn::GetStackOutput\": "
			   "{\"StackName\": \"other\", \"OutputName\": \"Name\"}}}}}, \"Outputs\": {\"O\": {\"Value\": "
			   "{\"Ref\": \"T\"}}}")},
		    {NULL, NULL},
		};
		struct fixture f;
		mem_auto_str char *pattern = unmark(m->message);
		int result;

		for (size_t k = 0; k < 5; k++)
			if (files[k].path == NULL || strcmp(files[k].path, m->path) == 0) {
				files[k] = (struct memory_file){m->text != NULL ? m->path : NULL, m->text};
				break;
			}
		fixture_begin(&f, files, 5);
		f.options.secret_key = key;
		f.options.secret_key_len = 3;
		result = fixture_load(&f);
		if (result == 0)
			result = specs_expand(f.specs, test_regions, NULL, NULL, &f.d);
		if (result == 0)
			result = specs_check(f.specs, &f.d);
		if (result != -1 || f.d.errors == 0 || !has_message(&f.d, pattern)) {
			print_all(&f.d);
			print_error("%s: result %d, no message like %s\n", m->what, result, pattern);
			failures++;
		}
		fixture_end(&f);
	}
	assert_int_equal(failures, 0);
}

struct doubt {
	const char *what, *path, *text, *message; /* NULL: nothing is said */
};

static const struct doubt doubts[] = {
    {"a name of its own characters", "stacks/s.json", TOPIC("\"TopicName\": \"my-topic_1\""), NULL},
    {"a name of others", "stacks/s.json", TOPIC("\"TopicName\": \"my topic!\""),
     "stacks/s.json:2:72: *TopicName: the name holds other characters than A-Za-z0-9_-*"},
    {"a name in order", "stacks/s.json", TOPIC("\"TopicName\": \"topic.fifo\""), NULL},
    {"a forgotten Fn::Sub", "stacks/s.json", TOPIC("\"Text\": \"x-${AWS::Region}\""),
     "*Properties.Text: \"${AWS::Region}\" is plain text here: only Fn::Sub puts the value in"},
    {"... of an attribute", "stacks/s.json", TOPIC("\"List\": [\"${aws:x}\", \"${a}-${T.Owner}\"]"),
     "*List[[]1]: \"${T.Owner}\" is plain text here*"},
    {"a Fn::Sub", "stacks/s.json", TOPIC("\"Text\": {\"Fn::Sub\": \"x-${AWS::Region}\"}"), NULL},
    {"a policy's variable", "stacks/s.json", TOPIC("\"Text\": \"${aws:username} ${!AWS::Region} ${T\""), NULL},
    {"a loop's variable", "stacks/s.json",
     TOPIC("\"List\": {\"Muster::Map\": {\"Over\": [\"a\"], \"As\": \"T\", \"Value\": \"${T}\"}}"), NULL},
    {"no account", "stacks/s.json", TARGETS("{\"Accounts\": [\"!*\"]}"), "*Targets: 0 targets: no account is chosen"},
    {"no region", "stacks/s.json", TARGETS("{\"Regions\": [\"!*\"]}"), "*Targets: 0 targets: none of the stack's*"},
    {"a role of one account", "muster.json", SETTINGS("\"Access\": {\"Role\": \"arn:aws:iam::111111111112:role/x\"}"),
     "muster.json:1:*Access.Role: a role of account 111111111112 opens no other account*"},
    {"a role of each", "muster.json", SETTINGS("\"Access\": {\"Role\": \"arn:aws:iam::${AccountId}:role/x\"}"), NULL},
    {"an account's own role", "accounts.json", ACCOUNT("\"Access\": {\"Role\": \"arn:aws:iam::111111111112:role/x\"}"),
     "accounts.json:1:*Accounts[[]0].Access.Role: a role of account 111111111112 opens*"},
};

/* What is not wrong for certain is told and stops nothing. */
static void each_doubt(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
		const struct doubt *m = &doubts[i];
		struct memory_file files[] = {{"muster.json", TEST_SETTINGS},
					      {"accounts.json", ACCOUNT("\"Tags\": []")},
					      {"stacks/s.json", GOOD_STACK}};
		mem_auto_str char *pattern = m->message != NULL ? unmark(m->message) : NULL;
		struct fixture f;
		int result;

		for (size_t k = 0; k < 3; k++)
			if (strcmp(files[k].path, m->path) == 0)
				files[k].text = m->text;
		fixture_begin(&f, files, 3);
		result = fixture_load(&f);
		if (result == 0)
			result = specs_expand(f.specs, test_regions, NULL, NULL, &f.d);
		if (result == 0)
			result = specs_check(f.specs, &f.d);
		if (result != 0 || (pattern != NULL ? !has_message(&f.d, pattern) : f.d.count > 0)) {
			print_all(&f.d);
			print_error("%s: result %d, not: %s\n", m->what, result, pattern != NULL ? pattern : "nothing");
			failures++;
		}
		fixture_end(&f);
	}
	assert_int_equal(failures, 0);
}

/* The accounts can be had whatever the stacks are like. */
static void roster_alone(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/a.json", "{"},
	    {"stacks/b.json", TARGETS("{\"Accounts\": [\"tag:nobody\"]}")},
	};
	struct fixture f;

	(void)state;
	fixture_begin(&f, files, 4);
	assert_int_equal(fixture_load(&f), -1);
	diag_free(&f.d);
	f.options.roster_only = true;
	assert_int_equal(fixture_load(&f), 0);
	assert_int_equal(f.d.count, 0);
	assert_int_equal(f.specs->account_count, 3);
	assert_int_equal(f.specs->stack_count, 0);
	assert_non_null(specs_account_find(f.specs, "app-test"));
	fixture_end(&f);

	/* What is wrong with settings and roster themselves is still said. */
	fixture_begin(&f, (const struct memory_file[]){{"muster.json", SETTINGS("\"Acess\": {}")}, files[1]}, 2);
	f.options.roster_only = true;
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "muster.json:*unknown setting \"Acess\"*");
	fixture_end(&f);
}

/* One mistake is one message: what comes after it is not said to be wrong as well. */
static void nothing_follows_from_an_error(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/a.json", CONDITIONS("\"C\": true")},
	    {"stacks/b.json", STACK("\"Conditions\": {\"C\": true}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\", "
				    "\"Condition\": \"C\", \"Properties\": {\"Txet\": 1}}}")},
	};
	struct fixture f;

	(void)state;
	fixture_begin(&f, files, 3);
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "stacks/a.json:*Conditions.C: must be Fn::Equals*");
	assert_int_equal(f.d.errors, 1);
	fixture_end(&f);
	/* ... and a second mistake is. */
	fixture_begin(&f, files, 4);
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "stacks/b.json:*unknown property \"Txet\"*");
	assert_int_equal(f.d.errors, 3);
	fixture_end(&f);
}

static void all_errors_of_a_run(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", SETTINGS("\"Stat\": {}")},
	    {"accounts.json", "{\"Accounts\": [{\"Name\": \"a\", \"Id\": \"1\"}]}"},
	    {"stacks/a.json", TOPIC("\"Txet\": 1, \"Text\": 2, \"Value\": {\"Ref\": \"X\"}")},
	    {"stacks/b.json", "{"},
	};
	struct fixture f;

	(void)state;
	fixture_begin(&f, files, 4);
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "muster.json:*unknown setting \"Stat\"*");
	expect_message(&f.d, "accounts.json:*12 digits*");
	expect_message(&f.d, "stacks/a.json:*no parameter or resource is called \"X\"*");
	expect_message(&f.d, "stacks/b.json:*");
	fixture_end(&f);
}

static void too_much(void **state)
{
	struct buf deep = BUF_INIT;
	struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS}, {"accounts.json", TEST_ROSTER}, {"stacks/a.json", NULL}};
	struct fixture f;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addc(&deep, '[');
	files[2].text = buf_str(&deep);
	fixture_begin(&f, files, 3);
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "stacks/a.json:1:*");
	fixture_end(&f);

	/* A file larger than a document may be. */
	buf_clear(&deep);
	for (size_t i = 0; i < JSON_DOC_MAX_BYTES; i += 16)
		buf_adds(&deep, "                ");
	buf_adds(&deep, "{}");
	files[2].text = buf_str(&deep);
	fixture_begin(&f, files, 3);
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "stacks/a.json:*");
	fixture_end(&f);

	/* 501 resources. */
	buf_clear(&deep);
	buf_adds(&deep, "{\"Targets\": {}, \"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}");
	for (int i = 0; i < 500; i++)
		buf_addf(&deep, ", \"T%d\": {\"Type\": \"Test::Topic\"}", i);
	buf_adds(&deep, "}}");
	files[2].text = buf_str(&deep);
	fixture_begin(&f, files, 3);
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "*501 resources; a stack may have 500");
	fixture_end(&f);
	buf_free(&deep);
}

/* The longest chain of references that a stack can have, and values as deep as a document can be, fit on the C stack.
 */
static void deep_references(void **state)
{
	struct buf text = BUF_INIT;
	struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS}, {"accounts.json", TEST_ROSTER}, {"stacks/a.json", NULL}};
	struct fixture f;

	(void)state;
	buf_adds(&text, "{\"Targets\": {}, \"Resources\": {\"T0\": {\"Type\": \"Test::Topic\"}");
	for (int i = 1; i < 500; i++)
		buf_addf(&text,
			 ", \"T%d\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": [[{\"Ref\": \"T%d\"}]]}}",
			 500 - i, 499 - i);
	buf_adds(&text, "}}");
	files[2].text = buf_str(&text);
	fixture_begin(&f, files, 3);
	fixture_expand(&f);
	assert_int_equal(specs_check(f.specs, &f.d), 0);
	fixture_end(&f);

	buf_clear(&text);
	buf_adds(&text, "{\"Targets\": {}, \"Resources\": {\"T0\": {\"Type\": \"Test::Topic\"}");
	for (int i = 1; i < 100; i++) {
		buf_addf(&text, ", \"T%d\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": ", 100 - i);
		for (int k = 0; k < 150; k++)
			buf_addc(&text, '[');
		buf_addf(&text, "{\"Ref\": \"T%d\"}", 99 - i);
		for (int k = 0; k < 150; k++)
			buf_addc(&text, ']');
		buf_adds(&text, "}}");
	}
	buf_adds(&text, "}}");
	files[2].text = buf_str(&text);
	fixture_begin(&f, files, 3);
	fixture_expand(&f);
	assert_int_equal(specs_check(f.specs, &f.d), -1);
	expect_message(&f.d, "*nest more than * deep*");
	fixture_end(&f);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_mistake),        cmocka_unit_test(each_doubt),
	    cmocka_unit_test(roster_alone),        cmocka_unit_test(nothing_follows_from_an_error),
	    cmocka_unit_test(all_errors_of_a_run), cmocka_unit_test(too_much),
	    cmocka_unit_test(deep_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
