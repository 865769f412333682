# What terraform.stack.json says in muster's words. terraform.py says which of these is which resource there.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "account" { type = string }
variable "region" { type = string }
variable "code" { type = string } # a zip file

# Calls to IAM are signed for us-east-1 wherever they come from.
provider "aws" {
  alias                   = "iam"
  region                  = "us-east-1"
  allowed_account_ids     = [var.account]
  skip_metadata_api_check = true
}

provider "aws" {
  region                     = var.region
  allowed_account_ids        = [var.account]
  s3_use_path_style          = true
  skip_requesting_account_id = false
  skip_metadata_api_check    = true
  # The mark by which muster finds what a cut-off run of it made.
  ignore_tags { key_prefixes = ["muster:"] }
}

locals {
  tags     = { Owner = "security" }
  bucket   = "judge-logs-${var.account}"
  services = ["cloudtrail.amazonaws.com", "config.amazonaws.com", "guardduty.amazonaws.com"]
}

# -- Topic, queue, bus, rule

resource "aws_sns_topic" "topic" {
  name         = "judge-topic"
  display_name = "Judge"
  tags         = local.tags
}

resource "aws_sns_topic_policy" "topic" {
  arn = aws_sns_topic.topic.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Publish", Effect = "Allow", Principal = { Service = "events.amazonaws.com" }
      Action = "sns:Publish", Resource = aws_sns_topic.topic.arn
    }]
  })
}

resource "aws_sqs_queue" "queue" {
  name                       = "judge-failed"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 1209600
  max_message_size           = 262144 # the provider knows nothing of the megabyte that AWS allows since 2025
  tags                       = local.tags
}

resource "aws_sqs_queue_policy" "queue" {
  queue_url = aws_sqs_queue.queue.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Send", Effect = "Allow", Principal = { Service = "sns.amazonaws.com" }
      Action = "sqs:SendMessage", Resource = aws_sqs_queue.queue.arn
    }]
  })
}

resource "aws_cloudwatch_event_bus" "bus" {
  name        = "judge-bus"
  description = "all"
  tags        = local.tags
}

resource "aws_cloudwatch_event_permission" "bus" {
  event_bus_name = aws_cloudwatch_event_bus.bus.name
  statement_id   = "judge"
  action         = "events:PutEvents"
  principal      = "333333333333"
}

resource "aws_cloudwatch_event_rule" "rule" {
  name          = "judge-findings"
  description   = "Findings"
  state         = "ENABLED"
  event_pattern = jsonencode({ source = ["aws.guardduty"], detail-type = ["GuardDuty Finding"] })
  tags          = local.tags
}

resource "aws_cloudwatch_event_target" "rule" {
  rule      = aws_cloudwatch_event_rule.rule.name
  target_id = "topic"
  arn       = aws_sns_topic.topic.arn
  input_transformer {
    input_paths    = { what = "$.detail.type" }
    input_template = "\"<what>\""
  }
}

# -- Bucket and key

resource "aws_s3_bucket" "bucket" {
  bucket = local.bucket
  tags   = local.tags
}

resource "aws_s3_bucket_versioning" "bucket" {
  bucket = aws_s3_bucket.bucket.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bucket" {
  bucket = aws_s3_bucket.bucket.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_public_access_block" "bucket" {
  bucket                  = aws_s3_bucket.bucket.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "bucket" {
  bucket = aws_s3_bucket.bucket.id
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_lifecycle_configuration" "bucket" {
  bucket = aws_s3_bucket.bucket.id
  rule {
    id     = "old"
    status = "Enabled"
    filter { prefix = "AWSLogs/" }
    expiration { days = 400 }
    transition {
      days          = 90
      storage_class = "GLACIER"
    }
    noncurrent_version_expiration { noncurrent_days = 30 }
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
  }
  rule {
    id     = "large"
    status = "Enabled"
    filter { object_size_greater_than = 1024 }
    expiration { days = 60 }
  }
  rule {
    id     = "some"
    status = "Enabled"
    filter {
      and {
        prefix                = "AWSLogs/"
        tags                  = { Keep = "no" }
        object_size_less_than = 4096
      }
    }
    expiration { days = 90 }
  }
  rule {
    id     = "tagged"
    status = "Disabled"
    filter {
      tag {
        key   = "Keep"
        value = "no"
      }
    }
    expiration { days = 1 }
  }
}

resource "aws_s3_bucket_policy" "bucket" {
  bucket = aws_s3_bucket.bucket.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "See", Effect = "Allow", Principal = { Service = local.services }
        Action   = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:ListBucket"]
        Resource = aws_s3_bucket.bucket.arn
      },
      {
        Sid      = "Deliver", Effect = "Allow", Principal = { Service = local.services }
        Action   = "s3:PutObject"
        Resource = "${aws_s3_bucket.bucket.arn}/*"
      }
    ]
  })
}

resource "aws_kms_key" "key" {
  description         = "exports"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Iam", Effect = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account}:root" }, Action = "kms:*", Resource = "*"
      },
      {
        Sid       = "Export", Effect = "Allow"
        Principal = { Service = "guardduty.amazonaws.com" }, Action = "kms:GenerateDataKey", Resource = "*"
      }
    ]
  })
  tags = local.tags
}

resource "aws_kms_alias" "alias" {
  name          = "alias/judge-exports"
  target_key_id = aws_kms_key.key.key_id
}

# -- Roles and policies

resource "aws_iam_role" "recorder" {
  provider             = aws.iam
  name                 = "judge-recorder"
  path                 = "/judge/"
  description          = "Records"
  max_session_duration = 7200
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "config.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
  tags = local.tags
}

resource "aws_iam_role_policy_attachment" "recorder" {
  provider   = aws.iam
  role       = aws_iam_role.recorder.name
  policy_arn = "arn:aws:iam::aws:policy/SecurityAudit"
}

resource "aws_iam_role_policy" "deliver" {
  provider = aws.iam
  name     = "deliver"
  role     = aws_iam_role.recorder.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "${aws_s3_bucket.bucket.arn}/*" }]
  })
}

resource "aws_iam_policy" "see" {
  provider    = aws.iam
  name        = "judge-see"
  description = "Sees the bucket"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = "*" }]
  })
}

resource "aws_iam_role" "function" {
  provider = aws.iam
  name     = "judge-chat"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "see" {
  provider   = aws.iam
  role       = aws_iam_role.function.name
  policy_arn = aws_iam_policy.see.arn
}

resource "aws_iam_role_policy" "log" {
  provider = aws.iam
  name     = "log"
  role     = aws_iam_role.function.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "*" }]
  })
}

resource "aws_iam_service_linked_role" "config" {
  provider         = aws.iam
  aws_service_name = "config.amazonaws.com"
}

# -- Recording

resource "aws_cloudtrail" "trail" {
  name                          = "judge-trail"
  s3_bucket_name                = aws_s3_bucket.bucket.id
  s3_key_prefix                 = "trail"
  enable_logging                = true
  include_global_service_events = false
  enable_log_file_validation    = true
  event_selector {
    read_write_type           = "WriteOnly"
    include_management_events = true
    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3:::"]
    }
  }
  tags       = local.tags
  depends_on = [aws_s3_bucket_policy.bucket]
}

resource "aws_config_configuration_recorder" "recorder" {
  name     = "default"
  role_arn = aws_iam_role.recorder.arn
  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_configuration_recorder_status" "recorder" {
  name       = aws_config_configuration_recorder.recorder.name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.channel]
}

resource "aws_config_delivery_channel" "channel" {
  name           = "default"
  s3_bucket_name = aws_s3_bucket.bucket.id
  s3_key_prefix  = "config"
  snapshot_delivery_properties { delivery_frequency = "TwentyFour_Hours" }
  depends_on = [aws_s3_bucket_policy.bucket, aws_config_configuration_recorder.recorder]
}

resource "aws_config_config_rule" "trail_on" {
  name                        = "judge-trail-on"
  description                 = "Is the trail on?"
  input_parameters            = jsonencode({ s3BucketName = local.bucket })
  maximum_execution_frequency = "One_Hour"
  source {
    owner             = "AWS"
    source_identifier = "CLOUD_TRAIL_ENABLED"
  }
  depends_on = [aws_config_configuration_recorder.recorder]
}

resource "aws_config_configuration_aggregator" "fleet" {
  name = "judge-fleet"
  account_aggregation_source {
    account_ids = ["333333333333"]
    all_regions = true
  }
  tags = local.tags
}

resource "aws_config_aggregate_authorization" "other" {
  account_id = "333333333333"
  region     = "eu-west-1"
  tags       = local.tags
}

resource "aws_guardduty_detector" "detector" {
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
  tags                         = local.tags
}

resource "aws_guardduty_publishing_destination" "bucket" {
  detector_id     = aws_guardduty_detector.detector.id
  destination_arn = aws_s3_bucket.bucket.arn
  kms_key_arn     = aws_kms_key.key.arn
  depends_on      = [aws_s3_bucket_policy.bucket]
}

resource "aws_securityhub_account" "hub" {
  enable_default_standards  = false
  control_finding_generator = "SECURITY_CONTROL"
}

resource "aws_accessanalyzer_analyzer" "outside" {
  analyzer_name = "judge-outside"
  type          = "ACCOUNT"
  tags          = local.tags
}

# -- The function and what is about it

resource "aws_cloudwatch_log_group" "log" {
  name              = "/aws/lambda/judge-chat"
  retention_in_days = 30
  tags              = local.tags
}

resource "aws_lambda_function" "function" {
  function_name = "judge-chat"
  description   = "posts"
  role          = aws_iam_role.function.arn
  runtime       = "python3.12"
  handler       = "index.handler"
  timeout       = 10
  filename      = var.code
  environment {
    variables = { URL = "https://example.com" }
  }
  tags       = local.tags
  depends_on = [aws_cloudwatch_log_group.log]
  lifecycle { ignore_changes = [filename] }
}

resource "aws_lambda_permission" "sns" {
  statement_id  = var.permission
  function_name = aws_lambda_function.function.function_name
  action        = "lambda:InvokeFunction"
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.topic.arn
}

# muster makes this name up; Terraform's is its own.
variable "permission" {
  type    = string
  default = "judge"
}

resource "aws_sns_topic_subscription" "function" {
  topic_arn     = aws_sns_topic.topic.arn
  protocol      = "lambda"
  endpoint      = aws_lambda_function.function.arn
  filter_policy = jsonencode({ severity = ["high"] })
  depends_on    = [aws_lambda_permission.sns]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "judge-errors"
  alarm_description   = "Errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 2.5
  comparison_operator = "GreaterThanOrEqualToThreshold"
  dimensions          = { FunctionName = aws_lambda_function.function.function_name }
  alarm_actions       = [aws_sns_topic.topic.arn]
  tags                = local.tags
}

resource "aws_security_group" "chat" {
  name        = "judge-chat"
  description = "chat function"
  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["10.0.0.0/8"]
    description = "in"
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = local.tags
}

resource "aws_ssm_parameter" "x" {
  name  = "/judge/x"
  type  = "String"
  value = "1"
  tags  = local.tags
}
