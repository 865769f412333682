/* The names and signs of actions, in one place: every renderer and the plan file use these. */
#include "plan/plan.h"

const char *plan_action_name(enum plan_action action)
{
	switch (action) {
	case PLAN_NOOP:
		return "no-op";
	case PLAN_FORGET:
		return "forget";
	case PLAN_CREATE:
		return "create";
	case PLAN_ADOPT:
		return "adopt";
	case PLAN_UPDATE:
		return "update";
	case PLAN_REPLACE:
		return "replace";
	case PLAN_DELETE:
		return "delete";
	}
	return "no-op";
}

const char *plan_action_past(enum plan_action action)
{
	switch (action) {
	case PLAN_NOOP:
		return "unchanged";
	case PLAN_FORGET:
		return "forgotten";
	case PLAN_CREATE:
		return "created";
	case PLAN_ADOPT:
		return "adopted";
	case PLAN_UPDATE:
		return "updated";
	case PLAN_REPLACE:
		return "replaced";
	case PLAN_DELETE:
		return "deleted";
	}
	return "unchanged";
}

const char *plan_action_sign(enum plan_action action, bool create_first)
{
	switch (action) {
	case PLAN_NOOP:
		return " ";
	case PLAN_FORGET:
		return ".";
	case PLAN_CREATE:
		return "+";
	case PLAN_ADOPT:
		return "<";
	case PLAN_UPDATE:
		return "~";
	case PLAN_REPLACE:
		return create_first ? "+/-" : "-/+";
	case PLAN_DELETE:
		return "-";
	}
	return " ";
}
