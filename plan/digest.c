/* plan_digest(), see plan.h. */
#include "base/json.h"
#include "plan/plan.h"

void plan_digest(uint8_t out[32], const char *account_id, const char *type, const json_t *properties,
		 const char *const *depends, size_t depend_count, enum specs_deletion deletion, bool protect)
{
	json_auto_t *list = json_array(), *whole = NULL;

	for (size_t i = 0; i < depend_count; i++)
		json_array_append_new(list, json_string(depends[i]));
	whole = json_pack("{s:s, s:s, s:O*, s:O, s:i, s:b}", "AccountId", account_id, "Type", type, "Properties",
			  properties, "DependsOn", list, "DeletionPolicy", (int)deletion, "Protect", protect);
	json_digest(out, whole);
}
