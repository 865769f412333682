/* What it costs to show a plan to people: render PLANFILE prints one line of JSON. */
#include <stdio.h>
#include <time.h>

#include "plan/plan.h"

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void render(const struct plan *plan)
{
	const struct plan_text_options options = {0};
	buf_auto struct buf text = BUF_INIT;
	double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	size_t lines = 0;

	plan_render_text(&text, plan, &options);
	wall = now(CLOCK_MONOTONIC) - wall;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	printf("{\"changes\": %zu, \"lines\": %zu, \"wall\": %.4f, \"cpu\": %.4f}\n", plan->change_count, lines, wall,
	       cpu);
}

int main(int argc, char **argv)
{
	const struct provider_settings settings = {.home_region = "eu-west-1", .user_agent = "bench"};
	struct diag d = DIAG_INIT;
	struct loop *loop = NULL;
	struct provider *aws = NULL;
	struct plan *plan = NULL;
	int rc = -1;

	if (argc != 2) {
		fprintf(stderr, "usage: render PLANFILE\n");
		return 1;
	}
	if (loop_new(&loop, &d) == 0 && provider_aws_new(&aws, loop, &settings, &d) == 0)
		rc = plan_file_read(&plan, argv[1], aws->ops->schemas(aws), &d);
	if (rc == 0)
		render(plan);
	diag_print(&d, stderr, false);
	if (plan != NULL)
		plan_free(plan);
	if (aws != NULL)
		aws->ops->free(aws);
	loop_free(loop);
	diag_free(&d);
	return rc < 0;
}
