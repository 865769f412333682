/* One request to a credentials endpoint near by (container, instance): not signed, never through a proxy. */
#ifndef MUSTER_PROVIDERS_AWS_CREDENTIALS_METADATA_H
#define MUSTER_PROVIDERS_AWS_CREDENTIALS_METADATA_H

#include "base/loop.h"

struct metadata_request {
	const char *method, *url;
	const char *header_name, *header_value; /* one header, or NULL */
	int64_t timeout_ms;
};
static inline struct loop_http *metadata_start(struct loop *loop, const struct metadata_request *m,
					       loop_http_callback *call, void *payload)
{
	const struct loop_http_header header = {m->header_name, m->header_value};
	const struct loop_http_request request = {.method = m->method,
						  .url = m->url,
						  .headers = &header,
						  .header_count = m->header_name != NULL,
						  .timeout_ms = m->timeout_ms,
						  .connect_timeout_ms = m->timeout_ms,
						  .proxy = ""};

	return loop_http_start(loop, &request, call, payload);
}

#endif
