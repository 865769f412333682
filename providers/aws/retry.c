/* What an answer means for sending again. The lists are those of the AWS SDKs ("Retry behavior" in the AWS SDKs and
 * Tools Reference Guide). LimitExceededException is none of them: a quota does not pass by waiting. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/text.h"
#include "providers/aws/transport.h"

#define BACKOFF_BASE_MS 100
#define BACKOFF_MOST_MS 20000

static bool is_one_of(const char *code, const char *const *list)
{
	for (; code != NULL && *list != NULL; list++) {
		if (strcmp(code, *list) == 0)
			return true;
	}
	return false;
}

bool aws_code_is_throttling(const char *code)
{
	static const char *const codes[] = {"Throttling",
					    "ThrottlingException",
					    "ThrottledException",
					    "RequestThrottled",
					    "RequestThrottledException",
					    "TooManyRequestsException",
					    "ProvisionedThroughputExceededException",
					    "TransactionInProgressException",
					    "RequestLimitExceeded",
					    "BandwidthLimitExceeded",
					    "SlowDown",
					    "PriorRequestNotComplete",
					    "EC2ThrottledException",
					    "HTTP 429",
					    NULL};

	return is_one_of(code, codes);
}

bool aws_code_is_transient(const char *code)
{
	static const char *const codes[] = {"RequestTimeout",
					    "RequestTimeoutException",
					    "InternalFailure",
					    "InternalError",
					    "InternalServerError",
					    "InternalServerException",
					    "ServiceUnavailable",
					    "ServiceUnavailableException",
					    "Unavailable",
					    "NotSent",
					    "Lost",
					    NULL};

	return aws_code_is_throttling(code) || is_one_of(code, codes) || (code != NULL && text_starts(code, "HTTP 5"));
}

bool aws_code_is_expired_token(const char *code)
{
	static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", NULL};

	return is_one_of(code, codes);
}

bool aws_code_is_clock_skew(const char *code)
{
	static const char *const codes[] = {"RequestTimeTooSkewed",
					    "RequestExpired",
					    "RequestInTheFuture",
					    "InvalidSignatureException",
					    "SignatureDoesNotMatch",
					    "AuthFailure",
					    NULL};

	return is_one_of(code, codes);
}

bool aws_code_is_unreachable(const char *code)
{
	static const char *const codes[] = {"UnrecognizedClientException",
					    "InvalidClientTokenId",
					    "AuthFailure",
					    "OptInRequired",
					    "RegionDisabledException",
					    NULL};

	return is_one_of(code, codes);
}

int64_t aws_backoff_ms(unsigned attempt)
{
	int64_t most = BACKOFF_BASE_MS;
	uint32_t random = 0;

	while (attempt-- > 1 && most < BACKOFF_MOST_MS)
		most *= 2;
	if (most > BACKOFF_MOST_MS)
		most = BACKOFF_MOST_MS;
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = (uint32_t)loop_wall_ms();
	return random % (most + 1);
}

int aws_http_date(int64_t *unix_ms, const char *date)
{
	struct tm utc = {0};

	/* RFC 9110, the form that servers must send: Sun, 06 Nov 1994 08:49:37 GMT. Names are English in any locale,
	 * and the program sets none. */
	if (strptime(date, "%a, %d %b %Y %H:%M:%S", &utc) == NULL)
		return -1;
	*unix_ms = (int64_t)timegm(&utc) * 1000;
	return 0;
}
