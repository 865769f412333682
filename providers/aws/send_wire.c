/* A call on the wire: signed with the credentials of this moment, handed to the event loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/send_private.h"

static void debug_print(const struct aws_send *send, const struct loop_http_answer *http)
{
	fprintf(stderr, "http: %s %s %s %s:%s %d %s%lld ms\n", send->wire.method, send->endpoint.host,
		send->account == NULL ? "-" : send->account->name, send->service->name, send->operation->name,
		http->status, http->error == NULL ? "" : "(no answer) ", (long long)http->elapsed_ms);
}

static void on_http(void *payload, const struct loop_http_answer *http)
{
	struct aws_send *send = payload;
	struct aws_sender *sender = send->aws->sender;

	send->http = NULL;
	sender->bytes_in += http->body_len;
	if (sender->debug)
		debug_print(send, http);
	send_answered(send, http);
	send_slots_pump(sender);
}

/* 0; -1 with a message; 1 when the session has just ended. */
static int wire_sign(struct aws_send *send, struct diag *d)
{
	struct aws_session_view view = {.credentials = &send->credentials};
	struct aws_sign_request request = {.service = send->service->signing_name,
					   .region = send->endpoint.signing_region,
					   .unix_ms = aws_wall_ms(send->aws),
					   .host = send->endpoint.host,
					   .s3 = strcmp(send->service->signing_name, "s3") == 0,
					   .normalize = true};

	if (send->session != NULL && !aws_session_ready(send->session, &view))
		return 1;
	if (view.credentials->access_key_id == NULL)
		return 0;
	send->generation = view.generation;
	request.credentials = view.credentials;
	request.keys = view.keys;
	return aws_sign(&send->wire, &request, NULL, NULL, d);
}

static const char *ca_bundle(struct aws *aws)
{
	const char *set = getenv("AWS_CA_BUNDLE");

	if (set != NULL && set[0] != '\0')
		return set;
	return aws_config_get(aws_config(aws, NULL), "profile", aws_config_profile(), "ca_bundle");
}

static void wire_start(struct aws_send *send)
{
	const struct aws_wire *wire = &send->wire;
	struct aws_sender *sender = send->aws->sender;
	size_t host_end = (size_t)(send->endpoint.path - send->endpoint.base);
	bool query = wire->query != NULL && wire->query[0] != '\0';
	mem_auto_str char *url = mem_printf("%.*s%s%s%s", (int)host_end, send->endpoint.base, wire->path,
					    query ? "?" : "", query ? wire->query : "");
	struct loop_http_header *headers = mem_array(wire->header_count + 1, sizeof headers[0]);
	struct loop_http_request request = {.method = wire->method,
					    .url = url,
					    .headers = headers,
					    .header_count = wire->header_count + 1,
					    .body = wire->body,
					    .body_len = wire->body_len,
					    .ca_bundle = ca_bundle(send->aws)};

	for (size_t i = 0; i < wire->header_count; i++)
		headers[i] = (struct loop_http_header){wire->headers[i].name, wire->headers[i].value};
	headers[wire->header_count] = (struct loop_http_header){"User-Agent", send->aws->user_agent};
	send->sent_at_ms = loop_now_ms(send->aws->loop);
	send->attempts++;
	sender->calls++;
	sender->bytes_out += wire->body_len;
	send->http = loop_http_start(send->aws->loop, &request, on_http, send);
	free(headers);
}

void send_launch(struct aws_send *send)
{
	struct diag d = DIAG_INIT;
	int result = wire_sign(send, &d);

	if (result > 0) {
		send_advance(send);
	} else if (result < 0) {
		send_end_later(send, PROVIDER_REFUSED, "InvalidInput", diag_first_error(&d));
	} else {
		send_set_state(send, SEND_WIRE);
		wire_start(send);
	}
	diag_free(&d);
}
