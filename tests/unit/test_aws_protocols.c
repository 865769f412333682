/* The five wire protocols: what goes out for an input, and what comes back from an answer. Errors, service files and
 * the API call are in test_aws_api.c. */
#include "tests/unit/aws_wire.h"

#define FORM "POST /\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n"

static void query_encodes(void **state)
{
	(void)state;
	check_encode("sts:GetCallerIdentity", "{}", FORM "Action=GetCallerIdentity&Version=2011-06-15");
	check_encode(
	    "sts:AssumeRole",
	    "{'RoleArn': 'arn:aws:iam::111111111111:role/r', 'RoleSessionName': 'm\\u00fc', 'DurationSeconds': 3600,"
	    " 'Tags': [{'Key': 'a b', 'Value': '1+1&2'}, {'Key': '*~', 'Value': ''}],"
	    " 'PolicyArns': [{'arn': 'x'}], 'ExternalId': null}",
	    FORM "Action=AssumeRole&Version=2011-06-15"
		 "&RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fr&RoleSessionName=m%C3%BC"
		 "&DurationSeconds=3600&Tags.member.1.Key=a%20b&Tags.member.1.Value=1%2B1%262"
		 "&Tags.member.2.Key=%2A~&Tags.member.2.Value=&PolicyArns.member.1.arn=x");
	check_encode("sns:CreateTopic", "{'Name': 't', 'Attributes': {'DisplayName': 'D', 'FifoTopic': false}}",
		     FORM
		     "Action=CreateTopic&Version=2010-03-31&Name=t&Attributes.entry.1.key=DisplayName"
		     "&Attributes.entry.1.value=D&Attributes.entry.2.key=FifoTopic&Attributes.entry.2.value=false");
	check_encode("iam:UntagRole", "{'RoleName': 'r', 'TagKeys': []}",
		     FORM "Action=UntagRole&Version=2010-05-08&RoleName=r&TagKeys=");
	check_encode("cloudwatch:PutMetricAlarm",
		     "{'AlarmName': 'a', 'Threshold': 0.1, 'Metrics': [{'Id': 'm',"
		     " 'MetricStat': {'Metric': {'Dimensions': [{'Name': 'n', 'Value': 'v'}]}, 'Period': 60}}]}",
		     FORM "Action=PutMetricAlarm&Version=2010-08-01&AlarmName=a&Threshold=0.1&Metrics.member.1.Id=m"
			  "&Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Name=n"
			  "&Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Value=v"
			  "&Metrics.member.1.MetricStat.Period=60");
}

static void query_encodes_odd_forms(void **state)
{
	(void)state;
	add_odd(shipped, "query");
	check_encode(
	    "odd:Do",
	    "{'Flat': [{'A': ['x', 'y']}, {'A': []}], 'Named': [1, 2], 'Map': {'m': ['1']}, 'FlatMap': {'p': 'q'},"
	    " 'Tree': {'Name': 'root', 'Branches': [{'Branches': [{'Name': 'leaf'}]}]}, 'Yes': true,"
	    " 'When': '2026-11-23T12:34:56+02:00', 'Http': '2026-11-23T12:34:56Z', 'Unix': 1.5, 'Bytes': 'AAE='}",
	    FORM "Action=Do&Version=2020-01-01&flat.1.a.1=x&flat.1.a.2=y&flat.2.a=&Named.n.1=1&Named.n.2=2"
		 "&Map.entry.1.k=m&Map.entry.1.v.member.1=1&fm.1.key=p&fm.1.value=q&Tree.Name=root"
		 "&Tree.Branches.member.1.Branches.member.1.Name=leaf&Yes=true&When=2026-11-23T10%3A34%3A56Z"
		 "&Http=Mon%2C%2023%20Nov%202026%2012%3A34%3A56%20GMT&Unix=1&Bytes=AAE%3D");
}

static void query_refuses(void **state)
{
	(void)state;
	check_encode("iam:CreateRole", "{'RoleNam': 'r'}",
		     "iam:CreateRole: no member \"RoleNam\" (did you mean \"RoleName\"?)");
	check_encode("iam:CreateRole", "{'Tags': [{'Key': 'k'}, {'Wert': 'v'}]}",
		     "iam:CreateRole: Tags[1]: no member \"Wert\"");
	check_encode("iam:CreateRole", "{'AssumeRolePolicyDocument': {'Version': '2012-10-17'}}",
		     "iam:CreateRole: AssumeRolePolicyDocument: must be a plain value, not object");
	check_encode("iam:CreateRole", "{'Tags': {'Key': 'k'}}", "iam:CreateRole: Tags: must be a list, not object");
	check_encode("sns:CreateTopic", "{'Attributes': ['x']}",
		     "sns:CreateTopic: Attributes: must be an object, not list");
	add_odd(shipped, "query");
	check_encode("odd:Do", "{'When': 'tomorrow'}", "odd:Do: When: must be an RFC 3339 time, not string");
}

static void query_decodes(void **state)
{
	(void)state;
	check_decode(
	    "sts:AssumeRole",
	    "<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult><Credentials>"
	    "<AccessKeyId>A</AccessKeyId><SecretAccessKey>a&lt;b&#x2F;</SecretAccessKey></Credentials>"
	    "<PackedPolicySize>6</PackedPolicySize><SomethingNew/></AssumeRoleResult></AssumeRoleResponse>",
	    "{\"Credentials\":{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"a<b/\"},\"PackedPolicySize\":6}");
	/* One item, no item, no list: three different things. */
	check_decode("iam:ListAccountAliases",
		     "<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases><member>one</member>"
		     "</AccountAliases><IsTruncated>false</IsTruncated></ListAccountAliasesResult>"
		     "</ListAccountAliasesResponse>",
		     "{\"AccountAliases\":[\"one\"],\"IsTruncated\":false}");
	check_decode(
	    "iam:ListAccountAliases",
	    "<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases/></ListAccountAliasesResult>"
	    "</ListAccountAliasesResponse>",
	    "{\"AccountAliases\":[]}");
	check_decode("iam:ListAccountAliases",
		     "<ListAccountAliasesResponse><ListAccountAliasesResult/></ListAccountAliasesResponse>", "{}");
	check_decode("iam:GetRolePolicy",
		     "<GetRolePolicyResponse><GetRolePolicyResult><RoleName>123</RoleName><PolicyDocument>"
		     "%7B%22Version%22%3A%20%22%C3%BC%22%7D100%zz%</PolicyDocument></GetRolePolicyResult>"
		     "</GetRolePolicyResponse>",
		     "{\"PolicyDocument\":\"{\\\"Version\\\": \\\"\xc3\xbc\\\"}100%zz%\",\"RoleName\":\"123\"}");
	check_decode("sns:GetTopicAttributes",
		     "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>Owner</key>"
		     "<value>111111111111</value></entry><entry><key>Policy</key><value/></entry></Attributes>"
		     "</GetTopicAttributesResult></GetTopicAttributesResponse>",
		     "{\"Attributes\":{\"Owner\":\"111111111111\",\"Policy\":\"\"}}");
	check_decode("sns:DeleteTopic", "<DeleteTopicResponse><ResponseMetadata/></DeleteTopicResponse>", "{}");
}

static void query_decodes_odd_forms(void **state)
{
	(void)state;
	add_odd(shipped, "query");
	check_decode(
	    "odd:Do",
	    "<DoResponse><DoResult><flat><a>1</a><a>2</a></flat><flat/><Named><n>7</n><n>-8</n></Named>"
	    "<Map><entry><k>x</k><v><member>y</member></v></entry></Map><fm><key>p</key><value>q</value></fm>"
	    "<fm><key>r</key><value/></fm><Tree><Branches><member><Name>leaf</Name></member></Branches></Tree>"
	    "<Text> kept <!-- not --> as <![CDATA[<it>]]> is</Text><Ratio>2.5</Ratio><Yes>true</Yes>"
	    "<Bytes>AAE=</Bytes><When>2026-11-23T12:34:56.789Z</When></DoResult></DoResponse>",
	    "{\"Bytes\":\"AAE=\",\"Flat\":[{\"A\":[\"1\",\"2\"]},{}],\"FlatMap\":{\"p\":\"q\",\"r\":\"\"},"
	    "\"Map\":{\"x\":[\"y\"]},\"Named\":[7,-8],\"Ratio\":2.5,\"Text\":\" kept  as <it> is\","
	    "\"Tree\":{\"Branches\":[{\"Name\":\"leaf\"}]},\"When\":\"2026-11-23T12:34:56.789Z\",\"Yes\":true}");
}

static void xml_is_not_trusted(void **state)
{
	struct buf deep = BUF_INIT;
	(void)state;
	check_decode("sts:GetCallerIdentity", "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>x",
		     "sts:GetCallerIdentity: XML cannot be read at line 1: no element found");
	check_decode("sts:GetCallerIdentity", "",
		     "sts:GetCallerIdentity: XML cannot be read at line 1: no element found");
	check_decode(
	    "sts:GetCallerIdentity",
	    "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]>"
	    "<GetCallerIdentityResponse><Arn>&b;</Arn></GetCallerIdentityResponse>",
	    "sts:GetCallerIdentity: XML cannot be read at line 1: a document type declaration, which AWS never "
	    "sends");
	check_decode("sts:GetCallerIdentity", "<html><body>Welcome to the hotel</body></html>",
		     "sts:GetCallerIdentity: the answer is <html>, not <GetCallerIdentityResponse>");
	check_decode("sts:GetCallerIdentity", "<GetCallerIdentityResponse/>",
		     "sts:GetCallerIdentity: the answer has no <GetCallerIdentityResult>");
	check_decode(
	    "iam:ListAccountAliases",
	    "<ListAccountAliasesResponse><ListAccountAliasesResult><IsTruncated>perhaps</IsTruncated>"
	    "</ListAccountAliasesResult></ListAccountAliasesResponse>",
	    "iam:ListAccountAliases: <IsTruncated>perhaps</IsTruncated> is not of the type that it should have");
	for (int i = 0; i < 5000; i++)
		buf_adds(&deep, "<GetCallerIdentityResponse>");
	check_decode("sts:GetCallerIdentity", buf_str(&deep),
		     "sts:GetCallerIdentity: XML cannot be read at line 1: nested too deeply");
	buf_free(&deep);
}

static void ec2_encodes(void **state)
{
	(void)state;
	check_encode("ec2:DescribeRegions",
		     "{'AllRegions': true, 'RegionNames': ['a', 'b'],"
		     " 'Filters': [{'Name': 'opt-in-status', 'Values': ['opted-in', 'x']}]}",
		     FORM "Action=DescribeRegions&Version=2016-11-15&AllRegions=true&RegionName.1=a&RegionName.2=b"
			  "&Filter.1.Name=opt-in-status&Filter.1.Value.1=opted-in&Filter.1.Value.2=x");
	/* Answer elements groupDescription and groups: requests spell them with a capital. */
	check_encode("ec2:CreateSecurityGroup",
		     "{'GroupName': 'g', 'Description': 'd', 'TagSpecifications':"
		     " [{'ResourceType': 'security-group', 'Tags': [{'Key': 'k', 'Value': 'v'}]}]}",
		     FORM "Action=CreateSecurityGroup&Version=2016-11-15&GroupName=g&GroupDescription=d"
			  "&TagSpecification.1.ResourceType=security-group&TagSpecification.1.Tag.1.Key=k"
			  "&TagSpecification.1.Tag.1.Value=v");
	check_encode(
	    "ec2:AuthorizeSecurityGroupIngress",
	    "{'GroupId': 'sg-1', 'IpPermissions': [{'IpProtocol': '-1',"
	    " 'FromPort': -1, 'UserIdGroupPairs': [{'GroupId': 'sg-2'}], 'Ipv6Ranges': [{'CidrIpv6': '::/0'}]}]}",
	    FORM "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1"
		 "&IpPermissions.1.IpProtocol=-1&IpPermissions.1.FromPort=-1&IpPermissions.1.Groups.1.GroupId=sg-2"
		 "&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=%3A%3A%2F0");
	check_encode("ec2:DescribeRegions", "{'RegionNames': []}", FORM "Action=DescribeRegions&Version=2016-11-15");
}

static void ec2_decodes(void **state)
{
	(void)state;
	check_decode(
	    "ec2:DescribeRegions",
	    "<?xml version='1.0' encoding='UTF-8'?>\n<DescribeRegionsResponse><requestId>r</requestId><regionInfo>"
	    "<item><regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
	    "</regionInfo></DescribeRegionsResponse>",
	    "{\"Regions\":[{\"OptInStatus\":\"opt-in-not-required\",\"RegionName\":\"us-east-1\"}]}");
	check_decode(
	    "ec2:DescribeSecurityGroups",
	    "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupDescription>d</groupDescription>"
	    "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><groups/><ipRanges><item>"
	    "<cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item></ipPermissions><ipPermissionsEgress/>"
	    "<tagSet><item><key>k</key><value/></item></tagSet></item></securityGroupInfo>"
	    "</DescribeSecurityGroupsResponse>",
	    "{\"SecurityGroups\":[{\"Description\":\"d\",\"IpPermissions\":[{\"FromPort\":22,\"IpProtocol\":\"tcp\","
	    "\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/8\"}],\"UserIdGroupPairs\":[]}],\"IpPermissionsEgress\":[],"
	    "\"Tags\":[{\"Key\":\"k\",\"Value\":\"\"}]}]}");
	check_decode("ec2:CreateTags", "<CreateTagsResponse><return>true</return></CreateTagsResponse>", "{}");
}

static void json_encodes(void **state)
{
	(void)state;
	check_encode("cloudtrail:DescribeTrails", "{}",
		     "POST /\nContent-Type: application/x-amz-json-1.1\n"
		     "X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails\n{}");
	/* Values pass as they are: text that looks like a number, empty lists, unicode, big and small numbers. */
	check_encode(
	    "config:PutConfigRule",
	    "{'ConfigRule': {'InputParameters': '{}', 'Scope': {'ComplianceResourceTypes': []}, 'n': '0123',"
	    " 'b': 9007199254740993, 'u': '\\u00e9\\ud83d\\ude00'}, 'Tags': null}",
	    "POST /\nContent-Type: application/x-amz-json-1.1\nX-Amz-Target: StarlingDoveService.PutConfigRule\n"
	    "{\"ConfigRule\":{\"InputParameters\":\"{}\",\"Scope\":{\"ComplianceResourceTypes\":[]},\"n\":\"0123\","
	    "\"b\":9007199254740993,\"u\":\"\xc3\xa9\xf0\x9f\x98\x80\"}}");
	check_encode("sqs:DeleteQueue", "{'QueueUrl': 'https://q'}",
		     "POST /\nContent-Type: application/x-amz-json-1.0\nX-Amz-Target: AmazonSQS.DeleteQueue\n"
		     "{\"QueueUrl\":\"https://q\"}");
	check_encode("cloudtrail:CreateTrail", "{'S3Bucket': 'b'}",
		     "cloudtrail:CreateTrail: no member \"S3Bucket\" (did you mean \"S3BucketName\"?)");
}

static void json_decodes(void **state)
{
	(void)state;
	check_decode("cloudtrail:DescribeTrails", "{\"trailList\":[],\"x\":null,\"n\":\"1\"}",
		     "{\"n\":\"1\",\"trailList\":[],\"x\":null}");
	check_decode("cloudtrail:StopLogging", "", "{}");
	check_decode("cloudtrail:StopLogging", "[]", "cloudtrail:StopLogging: the answer is no JSON object");
	check_decode("kms:EnableKeyRotation", "null", "{}");
	check_decode("kms:ListKeys", "null", "kms:ListKeys: the answer is no JSON object");
	check_decode("cloudtrail:StopLogging", "{\"a\":",
		     "cloudtrail:StopLogging: the answer cannot be read at line 1: unexpected token near end of file");
}

static void rest_json_encodes(void **state)
{
	(void)state;
	check_encode(
	    "guardduty:CreateDetector",
	    "{'Enable': true, 'DataSources': {'S3Logs': {'Enable': false}}, 'Tags': {'Owner': 'T', 'x': ''},"
	    " 'Features': [{'Name': 'S3_DATA_EVENTS', 'AdditionalConfiguration': [{'Name': 'A'}]}]}",
	    "POST /detector\nContent-Type: application/json\n"
	    "{\"enable\":true,\"dataSources\":{\"s3Logs\":{\"enable\":false}},\"tags\":{\"Owner\":\"T\",\"x\":\"\"},"
	    "\"features\":[{\"name\":\"S3_DATA_EVENTS\",\"additionalConfiguration\":[{\"name\":\"A\"}]}]}");
	check_encode("guardduty:CreateDetector", "{}", "POST /detector\nContent-Type: application/json\n{}");
	check_encode("guardduty:GetDetector", "{'DetectorId': 'a b/c'}", "GET /detector/a%20b%2Fc\n");
	check_encode("guardduty:ListDetectors", "{'MaxResults': 50}", "GET /detector?maxResults=50\n");
	check_encode("guardduty:ListDetectors", "{}", "GET /detector\n");
	check_encode("guardduty:UntagResource", "{'ResourceArn': 'arn:aws:x:1', 'TagKeys': ['a', 'b&c']}",
		     "DELETE /tags/arn%3Aaws%3Ax%3A1?tagKeys=a&tagKeys=b%26c\n");
	check_encode("sso:GetRoleCredentials", "{'roleName': 'r', 'accountId': '1', 'accessToken': 't'}",
		     "GET /federation/credentials?role_name=r&account_id=1\nx-amz-sso_bearer_token: t\n");
	check_encode("lambda:CreateFunction", "{'FunctionName': 'f', 'Code': {'ZipFile': 'UEs='}}",
		     "POST /2015-03-31/functions\nContent-Type: application/json\n"
		     "{\"FunctionName\":\"f\",\"Code\":{\"ZipFile\":\"UEs=\"}}");
}

static void rest_json_refuses(void **state)
{
	(void)state;
	check_encode("guardduty:DeleteDetector", "{}", "guardduty:DeleteDetector: \"DetectorId\" must be given");
	check_encode("guardduty:DeleteDetector", "{'DetectorId': ''}",
		     "guardduty:DeleteDetector: \"DetectorId\" must be given");
	check_encode("guardduty:DeleteDetector", "{'DetectorId': 'd', 'detectorId': 'e'}",
		     "guardduty:DeleteDetector: no member \"detectorId\" (did you mean \"DetectorId\"?)");
	check_encode("guardduty:CreateDetector", "{'DataSources': {'s3Logs': {}}}",
		     "guardduty:CreateDetector: DataSources: no member \"s3Logs\" (did you mean \"S3Logs\"?)");
	check_encode("guardduty:CreateDetector", "{'Enable': {}}",
		     "guardduty:CreateDetector: Enable: must be a plain value, not object");
	check_encode("guardduty:ListDetectors", "{'MaxResults': {}}",
		     "guardduty:ListDetectors: MaxResults: must be a plain value, not object");
	check_encode("sso:GetRoleCredentials", "{'roleName': 'r', 'accessToken': 'a\\r\\nX-Evil: 1'}",
		     "sso:GetRoleCredentials: accessToken: a header cannot hold a line break");
}

static void rest_json_decodes(void **state)
{
	(void)state;
	check_decode(
	    "guardduty:GetDetector",
	    "{\"status\":\"ENABLED\",\"dataSources\":{\"dnsLogs\":{\"status\":\"ENABLED\"},\"s3Logs\":null},"
	    "\"tags\":{\"status\":\"x\"},\"features\":[{\"name\":\"F\",\"additionalConfiguration\":[]}],\"new\":1}",
	    "{\"DataSources\":{\"DNSLogs\":{\"Status\":\"ENABLED\"}},"
	    "\"Features\":[{\"AdditionalConfiguration\":[],\"Name\":\"F\"}],\"Status\":\"ENABLED\","
	    "\"Tags\":{\"status\":\"x\"}}");
	check_decode("lambda:GetPolicy", "{\"Policy\":\"{}\",\"RevisionId\":\"r\"}",
		     "{\"Policy\":\"{}\",\"RevisionId\":\"r\"}");
	check_decode("lambda:DeleteFunction", "", "{}");
}

#define XMLNS "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static void rest_xml_encodes(void **state)
{
	(void)state;
	check_encode("s3:CreateBucket", "{'Bucket': 'b', 'ObjectLockEnabledForBucket': true}",
		     "PUT /b\nx-amz-bucket-object-lock-enabled: true\n");
	check_encode("s3:CreateBucket",
		     "{'Bucket': 'b', 'CreateBucketConfiguration': {'LocationConstraint': 'eu-west-1'}}",
		     "PUT /b\nContent-Type: application/xml\n<CreateBucketConfiguration " XMLNS
		     "><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>");
	/* Elements in the file's order, not the input's; flat lists; escapes. */
	check_encode(
	    "s3:PutBucketLifecycleConfiguration",
	    "{'Bucket': 'b', 'ExpectedBucketOwner': '111111111111', 'LifecycleConfiguration': {'Rules': [{"
	    "'Status': 'Enabled', 'ID': '<&>\\r', 'Filter': {'And': {'Tags': [{'Value': 'v', 'Key': 'k'}],"
	    " 'Prefix': ''}}, 'Expiration': {'Days': 3}}]}}",
	    "PUT /b?lifecycle=\nx-amz-expected-bucket-owner: 111111111111\nContent-Type: application/xml\n"
	    "Content-MD5: xd8k3VYtXzqE6rQJdDWpWw==\n<LifecycleConfiguration " XMLNS "><Rule><Expiration>"
	    "<Days>3</Days></Expiration><ID>&lt;&amp;&gt;&#xD;</ID><Filter><And><Prefix></Prefix><Tag><Key>k</Key>"
	    "<Value>v</Value></Tag></And></Filter><Status>Enabled</Status></Rule></LifecycleConfiguration>");
	check_encode("s3:PutBucketPolicy", "{'Bucket': 'b', 'Policy': '{}'}",
		     "PUT /b?policy=\nContent-MD5: mZFLkyvTelC5g8XnyQrpOw==\n{}");
	check_encode("s3:GetBucketPolicy", "{'Bucket': 'b.c'}", "GET /b.c?policy=\n");
	check_encode("s3:PutBucketTagging", "{'Bucket': 'b', 'Tagging': {'TagSet': []}}",
		     "PUT /b?tagging=\nContent-Type: application/xml\nContent-MD5: WLP1D+SVXa/6vT6Cg2jskA==\n"
		     "<Tagging " XMLNS "><TagSet></TagSet></Tagging>");
}

static void rest_xml_encodes_odd_forms(void **state)
{
	(void)state;
	add_odd(shipped, "rest-xml");
	check_encode(
	    "odd:Do",
	    "{'Label': '\\u00e9', 'Many': ['a', '='], 'When': 0, 'Header': '2026-11-23T12:34:56Z',"
	    " 'Flat': [{'A': ['x', 'y']}], 'Named': [1], 'Map': {'m': ['1']}, 'FlatMap': {'p': 'q'},"
	    " 'Tree': {'Branches': [{'Name': 'leaf'}]}, 'Ratio': 1e300, 'Unix': '2026-11-23T12:34:56Z'}",
	    "PUT /do/%C3%A9?fixed=&n=1&many=a&many=%3D&at=1970-01-01T00%3A00%3A00Z\n"
	    "x-odd: Mon, 23 Nov 2026 12:34:56 GMT\nContent-Type: application/xml\n<DoRequest xmlns=\"urn:odd\">"
	    "<flat><a>x</a><a>y</a></flat><Named><n>1</n></Named><Map><entry><k>m</k><v><member>1</member></v>"
	    "</entry></Map><fm><key>p</key><value>q</value></fm><Tree><Branches><member><Name>leaf</Name></member>"
	    "</Branches></Tree><Unix>1795437296</Unix><Ratio>1e+300</Ratio></DoRequest>");
	check_encode("odd:Do", "{'Label': 'x', 'Tree': {'Name': '\\u0001'}}",
		     "odd:Do: Tree.Name: must be text that XML can carry, not string");
	check_encode("odd:Do", "{'Label': 'x', 'Tree': {'Nam': 'x'}}",
		     "odd:Do: Tree: no member \"Nam\" (did you mean \"Name\"?)");
}

static void rest_xml_decodes(void **state)
{
	(void)state;
	check_decode("s3:GetBucketLocation", "<LocationConstraint " XMLNS ">eu-west-1</LocationConstraint>",
		     "{\"LocationConstraint\":\"eu-west-1\"}");
	check_decode("s3:GetBucketLocation", "<LocationConstraint " XMLNS "/>", "{\"LocationConstraint\":\"\"}");
	check_decode("s3:GetBucketPolicy", "{\"Version\":1}", "{\"Policy\":\"{\\\"Version\\\":1}\"}");
	check_decode(
	    "s3:GetBucketEncryption",
	    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256"
	    "</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>"
	    "</ServerSideEncryptionConfiguration>",
	    "{\"ServerSideEncryptionConfiguration\":{\"Rules\":[{\"ApplyServerSideEncryptionByDefault\":"
	    "{\"SSEAlgorithm\":\"AES256\"},\"BucketKeyEnabled\":false}]}}");
	check_decode("s3:GetBucketVersioning", "<VersioningConfiguration/>", "{}");
	check_decode("s3:PutBucketPolicy", "", "{}");
	check_decode("s3:GetBucketTagging", "<Error><Code>InternalError</Code><Message>m</Message></Error>",
		     "s3:GetBucketTagging: the answer is an error: InternalError: m");
	mem_auto_str char *head =
	    decoded("s3:HeadBucket", "HTTP/1.1 200 OK\r\nX-Amz-Bucket-Region: eu-west-1\r\n\r\n", "");
	assert_string_equal(head, "{\"BucketRegion\":\"eu-west-1\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(query_encodes),
	    cmocka_unit_test(query_encodes_odd_forms),
	    cmocka_unit_test(query_refuses),
	    cmocka_unit_test(query_decodes),
	    cmocka_unit_test(query_decodes_odd_forms),
	    cmocka_unit_test(xml_is_not_trusted),
	    cmocka_unit_test(ec2_encodes),
	    cmocka_unit_test(ec2_decodes),
	    cmocka_unit_test(json_encodes),
	    cmocka_unit_test(json_decodes),
	    cmocka_unit_test(rest_json_encodes),
	    cmocka_unit_test(rest_json_refuses),
	    cmocka_unit_test(rest_json_decodes),
	    cmocka_unit_test(rest_xml_encodes),
	    cmocka_unit_test(rest_xml_encodes_odd_forms),
	    cmocka_unit_test(rest_xml_decodes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
