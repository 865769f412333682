/* Many reads of one type in one target: every resource runs its type's Read handler at once, and calls that several of
 * them make alike (lists, describes) are made once. */
#include "base/mem.h"
#include "providers/aws/engine/engine.h"

void aws_engine_read(struct aws *aws, const struct schema_type *type, const struct provider_target *target,
		     const struct provider_read_item *items, size_t count)
{
	struct engine_batch *batch = engine_batch_new();

	for (size_t i = 0; i < count; i++) {
		const struct provider_read_item *item = &items[i];
		struct engine_run *run =
		    engine_run_new(aws, type, target, ENGINE_READ, item->properties, item->attributes);

		run->batch = engine_batch_keep(batch);
		run->done = item->done;
		run->payload = item->payload;
		engine_run_start(run);
	}
	engine_batch_free(batch);
}
