/* S3 objects, as far as a bucket that must be empty to be deleted needs them: put, get, list, delete. */
#include "tests/sandbox/svc_s3.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *md5_hex(const struct buf *body)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *text = mem_array(33, 1);

	EVP_Digest(buf_str(body), body->len, digest, NULL, EVP_md5(), NULL);
	sb_hex(text, digest, 16);
	return text;
}

int s3_object_put(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c), *object;
	const char *type = sb_http_header(c->http, "content-type");
	const struct buf *body = &c->http->body;
	mem_auto_str char *md5 = NULL, *etag = NULL, *encoded = NULL;

	if (bucket == NULL)
		return -1;
	md5 = md5_hex(body);
	etag = mem_printf("\"%s\"", md5);
	encoded = mem_array(body->len / 3 * 4 + 5, 1);
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)buf_str(body), (int)body->len);
	object = json_pack("{s:s,s:I,s:s,s:I,s:s}", "ETag", etag, "Size", (json_int_t)body->len, "ContentType",
			   type == NULL ? "binary/octet-stream" : type, "ModifiedMs", (json_int_t)c->now_ms, "_Body",
			   encoded);
	json_object_set_new(sb_sub(bucket, "Objects"), sb_str(c->in, "Key", ""), object);
	sb_http_reply_header(c->http, "ETag", etag);
	return 0;
}

int s3_object_get(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c), *object;
	mem_auto_str char *plain = NULL;
	const char *encoded;
	char date[64];
	time_t modified;
	struct tm tm;

	if (bucket == NULL)
		return -1;
	object = json_object_get(json_object_get(bucket, "Objects"), sb_str(c->in, "Key", ""));
	if (object == NULL)
		return sb_fail(c, 404, "NoSuchKey", "The specified key does not exist.");
	encoded = sb_str(object, "_Body", "");
	plain = mem_array(strlen(encoded) + 4, 1);
	EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)encoded, (int)strlen(encoded));
	buf_add(&c->http->answer, plain, (size_t)sb_int(object, "Size", 0));
	modified = (time_t)(sb_int(object, "ModifiedMs", 0) / 1000);
	gmtime_r(&modified, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	sb_http_reply_header(c->http, "ETag", sb_str(object, "ETag", ""));
	sb_http_reply_header(c->http, "Content-Type", sb_str(object, "ContentType", ""));
	sb_http_reply_header(c->http, "Last-Modified", date);
	return 0;
}

int s3_object_delete(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c);

	if (bucket == NULL)
		return -1;
	json_object_del(json_object_get(bucket, "Objects"), sb_str(c->in, "Key", ""));
	return 0;
}

/* Puts keys under one delimiter into `prefixes`, the others into `plain`. */
static void keys_sort_out(json_t *objects, const char *prefix, const char *delimiter, json_t *plain, json_t *prefixes)
{
	const char *key, *cut;
	json_t *object;

	json_object_foreach(objects, key, object)
	{
		if (strncmp(key, prefix, strlen(prefix)) != 0)
			continue;
		cut = delimiter[0] == '\0' ? NULL : strstr(key + strlen(prefix), delimiter);
		if (cut != NULL) {
			mem_auto_str char *common = mem_strndup(key, (size_t)(cut - key) + strlen(delimiter));

			json_object_set_new(prefixes, common, json_true());
		} else {
			json_object_set(plain, key, object);
		}
	}
}

int s3_objects_list(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c), *plain, *common, *page, *name, *rows, *out, *prefixes;
	mem_auto_str char *prefix = sb_http_query(c->http, "prefix"), *most = sb_http_query(c->http, "max-keys");
	mem_auto_str char *token = sb_http_query(c->http, "continuation-token"), *next = NULL;
	mem_auto_str char *delimiter = sb_http_query(c->http, "delimiter");
	size_t limit = most == NULL ? 1000 : strtoul(most, NULL, 10), i;
	const char *key;
	json_t *value;

	if (bucket == NULL)
		return -1;
	if (limit < 1 || limit > 1000)
		limit = 1000;
	plain = json_object();
	common = json_object();
	keys_sort_out(json_object_get(bucket, "Objects"), prefix == NULL ? "" : prefix,
		      delimiter == NULL ? "" : delimiter, plain, common);
	page = sb_page(&next, plain, token, limit);
	rows = json_array();
	prefixes = json_array();
	json_array_foreach(page, i, name)
	{
		json_t *object = json_object_get(plain, json_string_value(name));

		json_array_append_new(rows, json_pack("{s:O,s:o,s:O,s:O,s:s}", "Key", name, "LastModified",
						      sb_time_json(sb_int(object, "ModifiedMs", 0)), "ETag",
						      json_object_get(object, "ETag"), "Size",
						      json_object_get(object, "Size"), "StorageClass", "STANDARD"));
	}
	json_object_foreach(common, key, value) json_array_append_new(prefixes, json_pack("{s:s}", "Prefix", key));
	out = json_pack("{s:s,s:s,s:i,s:i,s:b,s:o,s:o}", "Name", sb_str(c->in, "Bucket", ""), "Prefix",
			prefix == NULL ? "" : prefix, "KeyCount",
			(int)(json_array_size(rows) + json_array_size(prefixes)), "MaxKeys", (int)limit, "IsTruncated",
			next != NULL, "Contents", rows, "CommonPrefixes", prefixes);
	if (next != NULL)
		json_object_set_new(out, "NextContinuationToken", json_string(next));
	c->out = json_pack("{s:o}", "ListBucketResult", out);
	json_decref(plain);
	json_decref(common);
	if (page == NULL)
		return sb_fail(c, 400, "InvalidArgument", "The continuation token provided is incorrect");
	json_decref(page);
	return 0;
}
